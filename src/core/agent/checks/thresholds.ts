// Thresholds keep a flapping check from being published: only after `successBeforePassing`
// successes in a row does it turn good, and only after `failuresBeforeCritical` failures in a row
// bad. Counters start at their threshold, so the first result is published at once. A warning
// counts as a success.

import type { CheckStatus } from "../definitions.ts";

export interface Thresholds {
  successBeforePassing: number;
  failuresBeforeCritical: number;
}

export class ThresholdCounter {
  readonly #thresholds: Thresholds;
  #successes: number;
  #failures: number;

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
    this.#successes = thresholds.successBeforePassing;
    this.#failures = thresholds.failuresBeforeCritical;
  }

  /** Counts one result; true when it is to be published. */
  publishes(status: CheckStatus): boolean {
    if (status === "critical") {
      this.#failures++;
      this.#successes = 0;
      return this.#failures >= this.#thresholds.failuresBeforeCritical;
    }
    this.#successes++;
    this.#failures = 0;
    return this.#successes >= this.#thresholds.successBeforePassing;
  }
}
