// What a Worker remembers of those whom its servers did not know: a token that there is not is asked for once in a
// while, and an address that shows many of them waits. In the memory of one isolate, and bounded.

import { BoundedMap } from "../../src/core/lib/bounded-map.ts";
import { limits } from "../../src/core/model/limits.ts";

/** How long a token that nobody knows is not asked for again: a new one counts at once, because nobody showed it. */
const unknownMs = 10_000;
/** An address may show so many tokens that there are not, in this time. */
const windowMs = 60_000;
const failuresMax = 30;
/** What an entry takes beside its key. */
const entryBytes = 32;

export class Strangers {
  /** Until when a token counts as unknown. */
  readonly #unknown = new BoundedMap<number>(limits.strangersBytesMax);
  readonly #failures = new BoundedMap<{ sinceMs: number; count: number }>(limits.strangersBytesMax);

  /** Seconds to wait, for an address that shows too many; null: it may ask. */
  waits(address: string, nowMs: number): number | null {
    const failures = this.#failures.get(address);
    if (!failures || nowMs - failures.sinceMs >= windowMs || failures.count < failuresMax)
      return null;
    return Math.ceil((failures.sinceMs + windowMs - nowMs) / 1_000);
  }

  isUnknown(token: string, nowMs: number): boolean {
    return (this.#unknown.get(token) ?? 0) > nowMs;
  }

  /** Servers do not know the token. */
  failed(address: string, token: string, nowMs: number): void {
    this.#unknown.set(token, nowMs + unknownMs, entryBytes);
    const failures = this.#failures.get(address);
    const goesOn = failures && nowMs - failures.sinceMs < windowMs;
    const next = goesOn ? { ...failures, count: failures.count + 1 } : { sinceMs: nowMs, count: 1 };
    this.#failures.set(address, next, entryBytes);
  }
}
