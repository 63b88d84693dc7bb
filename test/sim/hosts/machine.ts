// A simulated machine with one process on it, which may be up, stopped (SIGSTOP: it keeps everything and does nothing)
// or down. Whatever was to happen in a process that has ended does not happen; what reaches a stopped one waits.

import type { Timers } from "../../../src/ports/timers.ts";
import type { EventQueue } from "../event-queue.ts";

/** Longer delays are legal in JavaScript's timers only up to here; a simulation needs none. */
const startMs = 1_700_000_000_000;

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly #queue: EventQueue;
  /** Offset of this machine's clock. */
  clockMs: number;
  #life = 0;
  #state: "up" | "stopped" | "down" = "down";
  #held: (() => void)[] = [];
  /** Since when it has been up without a pause, in queue time. */
  upSinceMs = 0;

  constructor(queue: EventQueue, name: string, address: string, clockMs: number) {
    this.#queue = queue;
    this.name = name;
    this.address = address;
    this.clockMs = clockMs;
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  get isDown(): boolean {
    return this.#state === "down";
  }

  /** Names the process that runs now. */
  get life(): number {
    return this.#life;
  }

  /** Whole milliseconds, as a computer's. */
  nowMs = (): number => Math.floor(startMs + this.#queue.now + this.clockMs);

  readonly timers: Timers = {
    set: (run, delayMs) => {
      const timer = { cleared: false };
      const life = this.#life;
      this.#queue.after(delayMs, () => {
        this.enter(life, () => {
          if (!timer.cleared) run();
        });
      });
      return timer;
    },
    clear: (handle) => {
      if (handle !== null) (handle as { cleared: boolean }).cleared = true;
    },
  };

  boot(): void {
    this.#life += 1;
    this.#state = "up";
    this.upSinceMs = this.#queue.now;
  }

  /** Runs `event` in the process of that life: now, when it goes on, or never. */
  enter(life: number, event: () => void): void {
    if (life !== this.#life || this.#state === "down") return;
    if (this.#state === "stopped") this.#held.push(event);
    else event();
  }

  /** The process ends; a new one has another life. */
  end(): void {
    this.#life += 1;
    this.#state = "down";
    this.#held = [];
  }

  stop(): void {
    if (this.#state === "up") this.#state = "stopped";
  }

  goOn(): void {
    if (this.#state !== "stopped") return;
    this.#state = "up";
    this.upSinceMs = this.#queue.now;
    const held = this.#held;
    this.#held = [];
    const life = this.#life;
    // One event each, as the queue would have run them.
    for (const event of held) this.#queue.after(0, () => this.enter(life, event));
  }
}
