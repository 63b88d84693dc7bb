// Whether the far end of a socket still lives. A dead peer does not close: a stopped process, a cable that was pulled
// and a closed laptop all look like silence. So silence is asked about, with a ping that the platform answers without
// waking the server, and what stays silent is dropped here, without waiting for the other end to agree.

import type { TimerHandle, Timers } from "../ports/timers.ts";

export interface LivenessTiming {
  /** While answers are owed: this long without a sign of life, and the far end is asked for one. */
  quietMs: number;
  /** While nothing is owed: the same. Each ping costs the network about 100 bytes. */
  idlePingMs: number;
  /** An end that does not answer a ping within this time is dead. */
  answerMs: number;
}

/** Servers of one's own: a stopped or cut-off one is left within 3 s while anything is asked of it. */
export const hostedLinkLiveness: LivenessTiming = {
  quietMs: 1_000,
  idlePingMs: 10_000,
  answerMs: 1_500,
};

/** A deployment, across the world: within 10 s, and a ping every 50 s keeps proxies from forgetting the socket. */
export const deployedLinkLiveness: LivenessTiming = {
  quietMs: 4_000,
  idlePingMs: 50_000,
  answerMs: 5_000,
};

export interface LivenessParts {
  timers: Timers;
  nowMs(): number;
  timing: LivenessTiming;
  /** Whether the far end owes an answer. */
  owed(): boolean;
  /** May throw: then the far end is dead. */
  ping(): void;
  dead(): void;
}

export class Liveness {
  readonly #parts: LivenessParts;
  #heardMs: number;
  #pingedMs: number | null = null;
  #timer: TimerHandle = null;
  #checkAtMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
    this.#heardMs = parts.nowMs();
    this.#arm();
  }

  /** Something came from the far end. */
  heard(): void {
    this.#heardMs = this.#parts.nowMs();
    this.#pingedMs = null;
  }

  /** There is reason to ask for a sign of life at once. */
  doubt(): void {
    if (this.#stopped || this.#pingedMs !== null) return;
    if (this.#ping()) this.#arm();
  }

  /** Something was asked that will be answered. */
  asked(): void {
    const { timing, nowMs } = this.#parts;
    // An answer is owed from now on: silence from before does not count.
    if (this.#pingedMs === null) this.#heardMs = Math.max(this.#heardMs, nowMs() - timing.quietMs);
    if (nowMs() + timing.quietMs < this.#checkAtMs) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.timers.clear(this.#timer);
  }

  #arm(): void {
    if (this.#stopped) return;
    const { timers, nowMs } = this.#parts;
    timers.clear(this.#timer);
    const delayMs = Math.max(1, this.#dueMs() - nowMs());
    this.#checkAtMs = nowMs() + delayMs;
    this.#timer = timers.set(() => this.#check(), delayMs);
  }

  #dueMs(): number {
    const { timing, owed } = this.#parts;
    if (this.#pingedMs !== null) return this.#pingedMs + timing.answerMs;
    return this.#heardMs + (owed() ? timing.quietMs : timing.idlePingMs);
  }

  #check(): void {
    if (this.#stopped) return;
    if (this.#parts.nowMs() >= this.#dueMs()) {
      if (this.#pingedMs !== null) {
        this.stop();
        return this.#parts.dead();
      }
      if (!this.#ping()) return;
    }
    this.#arm();
  }

  /** False when there is no way to the far end any more, though nobody has said so. */
  #ping(): boolean {
    this.#pingedMs = this.#parts.nowMs();
    try {
      this.#parts.ping();
      return true;
    } catch {
      this.stop();
      this.#parts.dead();
      return false;
    }
  }
}
