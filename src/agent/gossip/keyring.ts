// The gossip keys of this agent: the first one seals, all of them open. They are kept beside the data, as Consul keeps
// them, and what is kept goes before what is configured, because keys are changed while agents run.

import { readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";

import { firstBadBase64 } from "../../core/model/decode.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";

type KeyringConfig = Pick<ResolvedAgentConfig, "gossipKey" | "dataDir"> & {
  readonly gossip: Pick<ResolvedAgentConfig["gossip"], "keyringFile">;
};

const keyLengths = new Set([16, 24, 32]);
/** Each datagram may have to be tried with all of them. */
const keysMax = 16;

/** Null, or why it is no key, in Consul's words. */
export function keyProblem(key: string): string | null {
  const bad = firstBadBase64(key);
  if (bad !== null) return `illegal base64 data at input byte ${bad}`;
  const isKey = keyLengths.has(Buffer.from(key, "base64").length);
  return isKey ? null : "key size must be 16, 24 or 32 bytes";
}

export class GossipKeyring {
  /** Base64, the primary one first. */
  #keys: readonly string[];
  readonly #file: string | null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(keys: readonly string[], file: string | null) {
    this.#keys = keys;
    this.#file = file;
  }

  /** Throws, with Consul's words, when the file that is there cannot be used. */
  static open(config: KeyringConfig, log: Pick<AgentLog, "warn">): GossipKeyring {
    const { gossipKey, dataDir } = config;
    const configured = gossipKey === "" ? [] : [gossipKey];
    if (!config.gossip.keyringFile) return new GossipKeyring(configured, null);
    const file = join(dataDir, "serf", "local.keyring");
    const kept = readKeys(file);
    if (kept && gossipKey !== "" && !kept.includes(gossipKey)) {
      const text = "keyring doesn't include key provided with -encrypt, using keyring";
      log.warn("agent", text, { keyring: "LAN" });
    }
    return new GossipKeyring(kept ?? configured, file);
  }

  /** "" where gossip is not sealed. */
  get primary(): string {
    return this.#keys[0] ?? "";
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  /** Null, or why not, in Consul's words; so do the others. Rejects when it could not be kept. */
  async install(key: string): Promise<string | null> {
    if (this.primary === "") return noKeyring;
    const problem = keyProblem(key);
    if (problem !== null) return problem;
    if (this.#keys.includes(key)) return null;
    if (this.#keys.length >= keysMax) return `a keyring holds at most ${keysMax} keys`;
    return await this.#change([...this.#keys, key]);
  }

  async use(key: string): Promise<string | null> {
    if (this.primary === "") return noKeyring;
    if (!this.#keys.includes(key)) return "Requested key is not in the keyring";
    return await this.#change([key, ...this.#keys.filter((other) => other !== key)]);
  }

  async remove(key: string): Promise<string | null> {
    if (this.primary === "") return noKeyring;
    if (key === this.primary) return "Removing the primary key is not allowed";
    if (!this.#keys.includes(key)) return null;
    return await this.#change(this.#keys.filter((other) => other !== key));
  }

  /** Writes what was configured, at the first start. */
  async save(): Promise<void> {
    if (this.#file === null || this.primary === "") return;
    const [file, text] = [this.#file, JSON.stringify(this.#keys, null, 2)];
    this.#writing = this.#writing.catch(() => undefined).then(() => writeKeys(file, text));
    await this.#writing;
  }

  async #change(keys: readonly string[]): Promise<null> {
    const before = this.#keys;
    this.#keys = keys;
    try {
      await this.save();
    } catch (failure) {
      // A key that would be gone after a restart was not installed.
      this.#keys = before;
      throw failure;
    }
    return null;
  }
}

const noKeyring = "No keyring to modify (encryption not enabled)";

/** Null when there is no file. Throws when there is one that is no keyring. */
function readKeys(file: string): string[] | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw broken((failure as Error).message);
  }
  const keys = listIn(text);
  if (!keys) throw broken(`${file} is no list of keys`);
  if (keys.length === 0) throw broken(`no keys present in keyring: ${file}`);
  for (const key of keys) {
    const problem = keyProblem(key);
    if (problem !== null) throw broken(problem);
  }
  return keys;
}

/** Null for anything but a list of texts. */
function listIn(text: string): string[] | null {
  try {
    const value = JSON.parse(text) as unknown;
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isList ? value : null;
  } catch {
    return null;
  }
}

function broken(why: string): Error {
  return new Error(`Failed to configure keyring: ${why}`);
}

async function writeKeys(file: string, text: string): Promise<void> {
  await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
  const handle = await open(`${file}.new`, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
