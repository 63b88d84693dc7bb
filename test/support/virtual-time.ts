// Time that passes when a test says so: timers fire in order, and what they set in motion is let finish in between.

import type { Timers } from "../../src/ports/timers.ts";
import { EventQueue } from "../sim/event-queue.ts";

export class VirtualTime {
  readonly #queue: EventQueue;

  /** `queue`: of a world that has time of its own. */
  constructor(queue = new EventQueue()) {
    this.#queue = queue;
  }

  readonly timers: Timers = {
    set: (run, delayMs) => {
      const timer = { cleared: false };
      this.#queue.after(delayMs, () => {
        if (!timer.cleared) run();
      });
      return timer;
    },
    clear: (handle) => {
      if (handle !== null) (handle as { cleared: boolean }).cleared = true;
    },
  };

  nowMs = (): number => this.#queue.now;

  async pass(durationMs: number): Promise<void> {
    await settled();
    const endMs = this.#queue.now + durationMs;
    while (this.#queue.step(endMs)) await settled();
  }
}

/** Everything that waits for nothing but its turn has had it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
