// Calls the local state when something of it is due: TTLs that end, outputs to be synced, services to be removed.

import type { LocalAgentState } from "../core/agent/local-state.ts";
import type { TimerHandle, Timers } from "../ports/timers.ts";
import type { AgentLog } from "./log.ts";

const timeoutMsMax = 2 ** 31 - 1;

export class LocalClock {
  readonly #state: LocalAgentState;
  readonly #log: Pick<AgentLog, "warn" | "info">;
  readonly #timers: Timers;
  readonly #nowMs: () => number;
  readonly #unsubscribe: () => void;
  #timer: { handle: TimerHandle; deadlineMs: number } | null = null;

  constructor(
    state: LocalAgentState,
    log: Pick<AgentLog, "warn" | "info">,
    { timers, nowMs }: { timers: Timers; nowMs(): number },
  ) {
    this.#state = state;
    this.#log = log;
    this.#timers = timers;
    this.#nowMs = nowMs;
    this.#unsubscribe = state.rows.subscribe(() => this.#arm());
    this.#arm();
  }

  stop(): void {
    this.#unsubscribe();
    if (this.#timer) this.#timers.clear(this.#timer.handle);
  }

  /** A timer that fires too early only asks again; a new one for each TTL update would cost more. */
  #arm(): void {
    const deadlineMs = this.#state.nextDeadlineMs();
    if (deadlineMs === null) return;
    if (this.#timer && this.#timer.deadlineMs <= deadlineMs) return;
    if (this.#timer) this.#timers.clear(this.#timer.handle);
    const delayMs = Math.min(timeoutMsMax, Math.max(0, deadlineMs - this.#nowMs()));
    const handle = this.#timers.set(() => this.#tick(), delayMs);
    this.#timer = { handle, deadlineMs };
  }

  #tick(): void {
    this.#timer = null;
    const { expired, removed } = this.#state.tick(this.#nowMs());
    for (const check of expired)
      this.#log.warn("agent", "Check missed TTL, is now critical", { check });
    for (const service of removed) {
      this.#log.info("agent", "Check was critical for too long, deregistered service", { service });
    }
    this.#arm();
  }
}
