// What `debug` asks an agent for, and the files that it becomes: what stays as it is, once; what changes, again and
// again, each time into a directory that is named after the time.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { JsonValue } from "../../../core/model/json.ts";
import type { Api, RequestOptions } from "../../api.ts";
import { indentedJson } from "../../json.ts";

export const targets = ["metrics", "logs", "pprof", "host", "agent", "cluster"] as const;
export type Target = (typeof targets)[number];

const fixed = [
  ["host", "host.json", "/v1/agent/host", {}],
  ["agent", "agent.json", "/v1/agent/self", {}],
  ["cluster", "cluster.json", "/v1/agent/members", { wan: "1" }],
] as const;

/** Whoever is asked and does not answer within this time is left out, and it is said. */
const answerMs = 10_000;

export interface CaptureParts {
  api: Api;
  /** Exists. */
  directory: string;
  wanted: readonly Target[];
  /** Aborted when the user has seen enough. */
  signal: AbortSignal;
  failed(failure: unknown): void;
}

export class Capture {
  readonly #parts: CaptureParts;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
  }

  async once(): Promise<void> {
    const { api, wanted } = this.#parts;
    for (const [target, file, path, query] of fixed) {
      if (!wanted.includes(target)) continue;
      await this.#tried(async () => {
        const answer = await api.get(path, { query, signal: this.#within(answerMs) });
        this.write(file, answer.json());
      });
    }
  }

  /** Takes up to `forMs`, for the log and for profiles. */
  async again(startMs: number, forMs: number): Promise<void> {
    const { api, wanted } = this.#parts;
    const at = String(Math.floor(startMs / 1_000));
    const works: Record<string, () => Promise<void>> = {
      metrics: async () => {
        const answer = await api.get("/v1/agent/metrics", { signal: this.#within(answerMs) });
        this.write(`${at}/metrics.json`, answer.json());
      },
      logs: () => this.#log(`${at}/consul.log`, forMs),
      pprof: () => this.#profiles(at, forMs),
    };
    const due = Object.entries(works).filter(([target]) => wanted.includes(target as Target));
    await this.#tried(async () => {
      mkdirSync(join(this.#parts.directory, at), { recursive: true });
      await Promise.all(due.map(([, work]) => this.#tried(work)));
    });
  }

  /** What the files are about; the last one. */
  async index(content: JsonValue): Promise<void> {
    await this.#tried(async () => await Promise.resolve(this.write("index.json", content)));
  }

  write(file: string, content: JsonValue): void {
    writeFileSync(join(this.#parts.directory, file), indentedJson(content, "\t"));
  }

  async #log(file: string, forMs: number): Promise<void> {
    const path = join(this.#parts.directory, file);
    writeFileSync(path, "");
    const signal = this.#within(forMs);
    try {
      const query = { loglevel: "DEBUG" };
      const { body } = await this.#parts.api.stream("GET", "/v1/agent/monitor", { query, signal });
      for await (const chunk of body) appendFileSync(path, chunk);
    } catch (failure) {
      if (!signal.aborted) throw failure;
    }
  }

  /** Of an agent in Go: ours has none, and says so by `EnableDebug`. */
  async #profiles(at: string, forMs: number): Promise<void> {
    const seconds = { seconds: String(Math.max(1, Math.floor(forMs / 1_000))) };
    const signal = this.#within(forMs + answerMs);
    await Promise.all([
      this.#profile(`${at}/heap.prof`, "heap", { signal }),
      this.#profile(`${at}/goroutine.prof`, "goroutine", { signal }),
      this.#profile(`${at}/profile.prof`, "profile", { query: seconds, signal }),
      this.#profile(`${at}/trace.out`, "trace", { query: seconds, signal }),
    ]);
  }

  async #profile(file: string, name: string, options: RequestOptions): Promise<void> {
    const { api, directory } = this.#parts;
    const { body } = await api.stream("GET", `/debug/pprof/${name}`, options);
    const path = join(directory, file);
    writeFileSync(path, "");
    for await (const chunk of body) appendFileSync(path, chunk);
  }

  /** Until the user has seen enough, but no longer than this. */
  #within(ms: number): AbortSignal {
    return AbortSignal.any([this.#parts.signal, AbortSignal.timeout(ms)]);
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      if (!this.#parts.signal.aborted) this.#parts.failed(failure);
    }
  }
}
