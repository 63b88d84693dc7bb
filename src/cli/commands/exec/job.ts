// A job for other nodes in the key-value store: what is to be run, and what nodes write beside it while they run it.

import type { Api } from "../../api.ts";
import { type KvPair, kvPath } from "../kv/pairs.ts";

export interface Spec {
  Command?: string;
  Args?: readonly string[];
  /** In base 64. */
  Script?: string;
  /** Nanoseconds. */
  Wait: number;
}

export type News =
  | { kind: "acknowledged" | "alive"; node: string }
  | { kind: "output"; node: string; text: string }
  | { kind: "finished"; node: string; code: number };

export class Job {
  readonly #api: Api;
  readonly #prefix: string;
  readonly #session: string;
  readonly #seen = new Set<string>();
  #index = "0";

  constructor(api: Api, prefix: string, session: string) {
    this.#api = api;
    this.#prefix = `${prefix}/${session}/`;
    this.#session = session;
  }

  /** False when somebody else has the key. */
  async upload(spec: Spec): Promise<boolean> {
    const path = kvPath(`${this.#prefix}job`);
    const answer = await this.#api.put(path, { query: { acquire: this.#session }, body: spec });
    return answer.text.trim() === "true";
  }

  /** What nodes wrote since it was asked last; waits for something up to `waitMs`. */
  async news(waitMs: number, signal: AbortSignal): Promise<News[]> {
    const query = {
      recurse: "",
      ...(this.#index !== "0" && { index: this.#index, wait: `${Math.ceil(waitMs)}ms` }),
    };
    const answer = await this.#api.find(kvPath(this.#prefix), { query, signal });
    this.#index = answer?.header("X-Consul-Index") ?? "0";
    const news = (answer?.json<KvPair[]>() ?? [])
      .filter(({ Key }) => !this.#seen.has(Key))
      .flatMap((pair) => {
        this.#seen.add(pair.Key);
        return newsOf(pair.Key.slice(this.#prefix.length), pair.Value ?? "");
      });
    // By name an end would come before the outputs.
    return [
      ...news.filter(({ kind }) => kind !== "finished"),
      ...news.filter(({ kind }) => kind === "finished"),
    ];
  }

  async remove(): Promise<void> {
    await this.#api.delete(kvPath(this.#prefix), { query: { recurse: "" } });
  }
}

/** Of `NODE/ack`, `NODE/out/00001` and `NODE/exit`; an output without text says that the node is at it. */
function newsOf(name: string, value: string): News[] {
  const [, node = "", what] = /^(.+?)\/(ack|exit|out\/.*)$/.exec(name) ?? [];
  if (what === undefined) return [];
  if (what === "ack") return [{ kind: "acknowledged", node }];
  const text = Buffer.from(value, "base64").toString();
  if (what === "exit") return [{ kind: "finished", node, code: Number(text) }];
  return [text === "" ? { kind: "alive", node } : { kind: "output", node, text }];
}
