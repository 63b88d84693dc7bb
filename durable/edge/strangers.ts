// What a Worker remembers of those whom its servers did not know: a token that there is not is asked for a few times in
// a while, and an address that shows many of them waits. In the memory of one isolate, and bounded.

import { BoundedMap } from "../../src/core/lib/bounded-map.ts";
import { limits } from "../../src/core/model/limits.ts";

/** A token that nobody knows is asked for so often in this time: one that was just made may be on its way. */
const unknownMs = 3_000;
const asksMax = 5;
/** An address may show so many tokens that there are not, in this time. */
const windowMs = 60_000;
const failuresMax = 30;
/** What an entry takes beside its key. */
const entryBytes = 32;

interface Count {
  sinceMs: number;
  count: number;
}

export class Strangers {
  readonly #unknown = new BoundedMap<Count>(limits.strangersBytesMax);
  readonly #failures = new BoundedMap<Count>(limits.strangersBytesMax);

  /** Seconds to wait, for an address that shows too many; null: it may ask. */
  waits(address: string, nowMs: number): number | null {
    // Where nobody says who asks, nobody can be told from another.
    const failures = address === "" ? undefined : this.#failures.get(address);
    const isOver = !failures || nowMs - failures.sinceMs >= windowMs;
    if (isOver || failures.count < failuresMax) return null;
    return Math.ceil((failures.sinceMs + windowMs - nowMs) / 1_000);
  }

  isUnknown(token: string, nowMs: number): boolean {
    const asked = this.#unknown.get(token);
    return asked !== undefined && nowMs - asked.sinceMs < unknownMs && asked.count >= asksMax;
  }

  /** Servers do not know the token. */
  failed(address: string, token: string, nowMs: number): void {
    countOne(this.#unknown, token, unknownMs, nowMs);
    countOne(this.#failures, address, windowMs, nowMs);
  }
}

function countOne(counts: BoundedMap<Count>, key: string, forMs: number, nowMs: number): void {
  const known = counts.get(key);
  const goesOn = known && nowMs - known.sinceMs < forMs;
  const next = goesOn ? { ...known, count: known.count + 1 } : { sinceMs: nowMs, count: 1 };
  counts.set(key, next, entryBytes);
}
