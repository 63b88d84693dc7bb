// One thing that somebody looks at: what is known of it, and when to ask for it again. Knows no clock and no network.

import type { Failure, Phase, Standing } from "./port.ts";

/** An answer of the API. */
export interface Answered {
  status: number;
  /** X-Consul-Index; null where there is none. */
  index: string | null;
  text: string;
  /** JSON of the text, where it is some. */
  body: unknown;
  isFiltered: boolean;
  retryAfterMs: number | null;
}

/** Below what proxies allow. */
export const waitMs = 55_000;
const paceMs = 500;
/** While it changes more than once a second. */
const busyPaceMs = 2_000;
const missingPollMs = 5_000;
const backoffMaxMs = 30_000;
const backoffMs = 1_000;

export class Resource {
  text = "";
  body: unknown;
  /** Not before then; Infinity: not until somebody says so. */
  dueMs = 0;
  #index: string | null = null;
  #phase: Phase = "loading";
  #contactMs = 0;
  #failure: Failure | null = null;
  #failingMs = 0;
  #failures = 0;
  #isFiltered = false;
  #changedMs = -Infinity;
  #isBusy = false;
  readonly #pollMs: number | undefined;

  constructor(pollMs: number | undefined) {
    this.#pollMs = pollMs;
  }

  get standing(): Standing {
    return {
      phase: this.#phase,
      contactMs: this.#contactMs,
      failure: this.#failure,
      failingMs: this.#failingMs,
      isFiltered: this.#isFiltered,
    };
  }

  /** What to wait with; null: the answer is wanted at once. */
  get index(): string | null {
    return this.#index;
  }

  /** Forgets that it was refused, and what to wait with: the next answer comes at once. */
  refresh(nowMs: number): void {
    this.#index = null;
    this.dueMs = nowMs;
  }

  /** `startedMs`: when it was asked. */
  answered(answer: Answered, startedMs: number, nowMs: number, random: number): void {
    const { status } = answer;
    if (status === 200) return this.#succeeded(answer, startedMs, nowMs);
    if (status === 403) return this.#refused("denied", answer, nowMs, Infinity);
    if (status === 404) {
      this.#moveIndex(answer.index);
      const again = this.#index === null ? nowMs + missingPollMs : startedMs + paceMs;
      return this.#refused("missing", answer, nowMs, again);
    }
    this.failed({ status, text: answer.text.trim() }, nowMs, random);
    if (answer.retryAfterMs !== null) this.dueMs = nowMs + answer.retryAfterMs;
  }

  /** There was no answer, or one that does not count. */
  failed(failure: Failure, nowMs: number, random: number): void {
    this.#failures += 1;
    const ceiling = Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(this.#failures, 10));
    this.dueMs = nowMs + random * ceiling;
    this.#failure = failure;
    if (this.#failingMs === 0) this.#failingMs = nowMs;
    // What there was stays shown, with its age.
    if (this.#contactMs === 0) this.#phase = "failed";
    this.#index = null;
  }

  #succeeded({ index, text, body, isFiltered }: Answered, startedMs: number, nowMs: number): void {
    this.#moveIndex(index);
    this.#wellNow(nowMs);
    this.#phase = "ready";
    this.#isFiltered = isFiltered;
    if (text !== this.text || this.body === undefined) {
      this.#isBusy = nowMs - this.#changedMs < 1_000;
      this.#changedMs = nowMs;
      this.text = text;
      this.body = body;
    } else this.#isBusy &&= nowMs - this.#changedMs < busyPaceMs;
    if (this.#pollMs !== undefined) this.dueMs = nowMs + this.#pollMs;
    else this.dueMs = Math.max(nowMs, startedMs + (this.#isBusy ? busyPaceMs : paceMs));
  }

  #refused(phase: Phase, { status, text }: Answered, nowMs: number, againMs: number): void {
    this.#wellNow(nowMs);
    this.#phase = phase;
    this.#failure = { status, text: text.trim() };
    this.text = "";
    this.body = undefined;
    this.dueMs = againMs;
  }

  #wellNow(nowMs: number): void {
    this.#contactMs = nowMs;
    this.#failure = null;
    this.#failingMs = 0;
    this.#failures = 0;
  }

  /** One that went back, or is zero, is of another life of the servers: asked without one, they say where they are. */
  #moveIndex(index: string | null): void {
    const wentBack = this.#index !== null && Number(index) < Number(this.#index);
    this.#index = index === null || Number(index) === 0 || wentBack ? null : index;
  }
}
