// How many certificates a second, or at once, the leader signs: a signature takes a while, and a new root makes every
// agent ask for one at the same time.

import { ServiceError } from "../../src/core/model/errors.ts";
import { sleep, type Timers } from "../../src/ports/timers.ts";

/** Whoever would have to wait for longer is refused. */
const waitMsMax = 500;
const pollMs = 20;

export interface RequestRate {
  /** 0: any. */
  perSecondMax: number;
  /** Counts when there is no bound per second; 0: any. */
  atOnceMax: number;
}

export class RequestRates {
  readonly #parts: { timers: Timers; nowMs(): number };
  /** When the next request may begin. */
  #nextMs = 0;
  #running = 0;

  constructor(parts: { timers: Timers; nowMs(): number }) {
    this.#parts = parts;
  }

  /** Does `work` when it is its turn. Rejects with ServiceError `too-many-requests`. */
  async within<Result>(rate: RequestRate, work: () => Promise<Result>): Promise<Result> {
    if (rate.perSecondMax > 0) await this.#waitForTurn(rate.perSecondMax);
    else if (rate.atOnceMax > 0) await this.#waitForRoom(rate.atOnceMax);
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }

  async #waitForTurn(perSecondMax: number): Promise<void> {
    const nowMs = this.#parts.nowMs();
    const turnMs = Math.max(nowMs, this.#nextMs);
    if (turnMs - nowMs > waitMsMax) throw refused();
    this.#nextMs = turnMs + 1_000 / perSecondMax;
    if (turnMs > nowMs) await sleep(this.#parts.timers, turnMs - nowMs);
  }

  async #waitForRoom(atOnceMax: number): Promise<void> {
    const untilMs = this.#parts.nowMs() + waitMsMax;
    while (this.#running >= atOnceMax) {
      if (this.#parts.nowMs() >= untilMs) throw refused();
      await sleep(this.#parts.timers, pollMs);
    }
  }
}

function refused(): ServiceError {
  return new ServiceError("too-many-requests", "Rate limit reached, try again later");
}
