// What `debug` asks an agent for, and the files that it becomes: what stays as it is, once; what changes, again and
// again, each time into a directory that is named after the time.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { JsonValue } from "../../../core/model/json.ts";
import type { Api, Query } from "../../api.ts";
import { indentedJson } from "../../json.ts";

export const targets = ["metrics", "logs", "pprof", "host", "agent", "cluster"] as const;
export type Target = (typeof targets)[number];

const fixed = [
  ["host", "host.json", "/v1/agent/host", {}],
  ["agent", "agent.json", "/v1/agent/self", {}],
  ["cluster", "cluster.json", "/v1/agent/members", { wan: "1" }],
] as const;

export interface CaptureParts {
  api: Api;
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
    // Only for whoever asked: it may hold secrets.
    mkdirSync(parts.directory, { recursive: true, mode: 0o700 });
  }

  async once(): Promise<void> {
    const { api, wanted, signal } = this.#parts;
    for (const [target, file, path, query] of fixed) {
      if (!wanted.includes(target)) continue;
      await this.#tried(async () =>
        this.write(file, (await api.get(path, { query, signal })).json()),
      );
    }
  }

  /** Takes up to `forMs`, for the log and for profiles. */
  async again(startMs: number, forMs: number): Promise<void> {
    const { api, wanted, signal } = this.#parts;
    const at = String(Math.floor(startMs / 1_000));
    mkdirSync(join(this.#parts.directory, at), { recursive: true });
    const works: Record<string, () => Promise<void>> = {
      metrics: async () => {
        const answer = await api.get("/v1/agent/metrics", { signal });
        this.write(`${at}/metrics.json`, answer.json());
      },
      logs: () => this.#log(`${at}/consul.log`, forMs),
      pprof: () => this.#profiles(at, forMs),
    };
    const due = Object.entries(works).filter(([target]) => wanted.includes(target as Target));
    await Promise.all(due.map(([, work]) => this.#tried(work)));
  }

  write(file: string, content: JsonValue): void {
    writeFileSync(join(this.#parts.directory, file), indentedJson(content, "\t"));
  }

  async #log(file: string, forMs: number): Promise<void> {
    const path = join(this.#parts.directory, file);
    writeFileSync(path, "");
    const signal = AbortSignal.any([this.#parts.signal, AbortSignal.timeout(forMs)]);
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
    await Promise.all([
      this.#profile(`${at}/heap.prof`, "heap", {}),
      this.#profile(`${at}/goroutine.prof`, "goroutine", {}),
      this.#profile(`${at}/profile.prof`, "profile", seconds),
      this.#profile(`${at}/trace.out`, "trace", seconds),
    ]);
  }

  async #profile(file: string, name: string, query: Query): Promise<void> {
    const { api, directory, signal } = this.#parts;
    const { body } = await api.stream("GET", `/debug/pprof/${name}`, { query, signal });
    const path = join(directory, file);
    writeFileSync(path, "");
    for await (const chunk of body) appendFileSync(path, chunk);
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      if (!this.#parts.signal.aborted) this.#parts.failed(failure);
    }
  }
}
