// Who waits until an index is applied here: reads of what was committed elsewhere.

import type { Timers } from "../../src/ports/timers.ts";

interface Waiter {
  index: number;
  resolve(): void;
}

export class AppliedWaiters {
  readonly #timers: Timers;
  #waiting: Waiter[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves true once {@link reached} is told of `index` or more, false after `timeoutMs`. */
  wait(index: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = {
        index,
        resolve: (): void => {
          this.#timers.clear(timer);
          resolve(true);
        },
      };
      const timer = this.#timers.set(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        resolve(false);
      }, timeoutMs);
      this.#waiting.push(waiter);
    });
  }

  reached(appliedIndex: number): void {
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter(({ index }) => index <= appliedIndex);
    this.#waiting = this.#waiting.filter(({ index }) => index > appliedIndex);
    for (const waiter of reached) waiter.resolve();
  }
}
