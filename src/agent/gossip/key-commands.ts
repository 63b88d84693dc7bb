// `keyring` over all members: what is to be done with the keys travels to every agent through the pools, sealed so that
// only agents can read it, and every agent answers for itself.

import { ServiceError } from "../../core/model/errors.ts";
import { isRecord } from "../../core/lib/record.ts";
import type { KeyAnswer, KeyCommand } from "../../ports/local-agent.ts";
import type { RelayedAnswer } from "../../link/pool-frames.ts";
import { withoutKeys } from "../../members.ts";
import type { GossipKeyring } from "./keyring.ts";
import type { Seal } from "./seal.ts";

export interface KeyCommandsParts {
  keyring: Pick<GossipKeyring, "primary" | "keys" | "install" | "use" | "remove">;
  seal: Pick<Seal, "seal" | "open">;
}

const actions: ReadonlySet<unknown> = new Set<KeyCommand["do"]>([
  "list",
  "install",
  "use",
  "remove",
]);

export class KeyCommands {
  readonly #parts: KeyCommandsParts;

  constructor(parts: KeyCommandsParts) {
    this.#parts = parts;
  }

  /**
   * What each member says, by its name; null for one that did not answer. Rejects with ServiceError. `relay`: asks all
   * members; null in a deployment, whose agents show tokens and have no use for keys.
   */
  async run(
    command: KeyCommand,
    relay: ((text: string) => Promise<RelayedAnswer[]>) | null,
  ): Promise<(name: string) => KeyAnswer | null> {
    const { primary } = this.#parts.keyring;
    if (primary === "" || !relay) return () => withoutKeys(command);
    const answers = await relay(this.#sealed(command, primary)).catch((failure: Error) => {
      throw new ServiceError("invalid", `the members cannot be asked: ${failure.message}`);
    });
    const said = new Map(
      answers.flatMap(([name, text]) => (text === null ? [] : [[name, this.#read(text)] as const])),
    );
    return (name) => said.get(name) ?? null;
  }

  #read(text: string): KeyAnswer {
    const opened = this.#opened(text);
    const isAnswer = opened && isKeyAnswer(opened.value);
    return isAnswer ? (opened.value as KeyAnswer) : { problem: "its answer cannot be read" };
  }

  /** This agent's part in what another one asks for; null for what is no question of an agent's. */
  async answer(text: string): Promise<string | null> {
    const opened = this.#opened(text);
    if (!opened || !isKeyCommand(opened.value)) return null;
    // Whoever asked has this key, whichever is the primary one afterwards.
    return this.#sealed(await this.act(opened.value), opened.key);
  }

  /** Never rejects. */
  async act(command: KeyCommand): Promise<KeyAnswer> {
    const { keyring } = this.#parts;
    if (keyring.primary === "") return withoutKeys(command);
    if (command.do === "list") return { primary: keyring.primary, keys: keyring.keys };
    try {
      const problem = await keyring[command.do](command.key);
      return problem === null ? { primary: keyring.primary, keys: keyring.keys } : { problem };
    } catch (failure) {
      return { problem: (failure as Error).message };
    }
  }

  #sealed(value: KeyCommand | KeyAnswer, key: string): string {
    return this.#parts.seal.seal(Buffer.from(JSON.stringify(value)), key).toString("base64");
  }

  #opened(text: string): { value: unknown; key: string } | null {
    const opened = this.#parts.seal.open(Buffer.from(text, "base64"));
    if ("why" in opened || opened.key === null) return null;
    return { value: JSON.parse(opened.bytes.toString()) as unknown, key: opened.key };
  }
}

function isKeyCommand(value: unknown): value is KeyCommand {
  if (!isRecord(value) || !actions.has(value.do)) return false;
  return value.do === "list" || typeof value.key === "string";
}

function isKeyAnswer(value: unknown): value is KeyAnswer {
  if (!isRecord(value)) return false;
  const { problem, primary, keys } = value;
  if (typeof problem === "string") return true;
  const isList = Array.isArray(keys) && keys.every((key) => typeof key === "string");
  return isList && typeof primary === "string";
}
