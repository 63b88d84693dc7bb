// Refusals at a port: one line a minute of each address, however often it comes.

import type { AgentLog } from "./log.ts";

const intervalMs = 60_000;
const addressesMax = 1_024;

export class RefusalLog {
  readonly #log: Pick<AgentLog, "warn">;
  readonly #logger: string;
  readonly #message: string;
  readonly #loggedMs = new Map<string, number>();

  constructor(log: Pick<AgentLog, "warn">, logger: string, message: string) {
    this.#log = log;
    this.#logger = logger;
    this.#message = message;
  }

  note(from: string, reason: string): void {
    const nowMs = performance.now();
    if (nowMs - (this.#loggedMs.get(from) ?? -Infinity) < intervalMs) return;
    if (this.#loggedMs.size >= addressesMax) this.#loggedMs.clear();
    this.#loggedMs.set(from, nowMs);
    this.#log.warn(this.#logger, this.#message, { from, reason });
  }
}
