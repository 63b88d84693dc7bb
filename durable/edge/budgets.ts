// How much one bearer may ask of a Worker: requests in a stretch of time, and questions that wait. In the memory of one
// isolate: a bound for what goes wrong, not a price list.

import { BoundedMap } from "../../src/core/lib/bounded-map.ts";
import { limits } from "../../src/core/model/limits.ts";

const windowMs = 10_000;
const entryBytes = 48;

interface Budget {
  sinceMs: number;
  requests: number;
  waiting: number;
}

export class Budgets {
  readonly #budgets = new BoundedMap<Budget>(limits.bearerBudgetsBytesMax);

  /** Seconds to wait before the next request; null: it is taken, and {@link ended} is called for one that waits. */
  begin(bearer: string, waits: boolean, nowMs: number): number | null {
    const known = this.#budgets.get(bearer);
    const budget = known ?? { sinceMs: nowMs, requests: 0, waiting: 0 };
    if (!known) this.#budgets.set(bearer, budget, entryBytes);
    if (nowMs - budget.sinceMs >= windowMs) {
      budget.sinceMs = nowMs;
      budget.requests = 0;
    }
    if (budget.requests >= limits.bearerRequestsPer10sMax) {
      return Math.ceil((budget.sinceMs + windowMs - nowMs) / 1_000);
    }
    if (waits && budget.waiting >= limits.bearerWatchesMax) return 1;
    budget.requests += 1;
    if (waits) budget.waiting += 1;
    return null;
  }

  /** A question that waited is over. */
  ended(bearer: string): void {
    const budget = this.#budgets.get(bearer);
    if (budget) budget.waiting -= 1;
  }
}
