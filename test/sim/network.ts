// The simulated network: best effort, unordered, may duplicate, and may be cut between any two
// places in either direction.

import type { Random } from "../../src/core/lib/random.ts";
import type { EventQueue } from "./event-queue.ts";
import type { NetworkFaults } from "./options.ts";

export class Network {
  readonly #queue: EventQueue;
  readonly #random: Random;
  faults: NetworkFaults;
  #cut = new Set<string>();

  constructor(queue: EventQueue, random: Random, faults: NetworkFaults) {
    this.#queue = queue;
    this.#random = random;
    this.faults = faults;
  }

  send(from: string, to: string, deliver: () => void): void {
    const { loss, duplication } = this.faults;
    this.#copy(from, to, loss, deliver);
    if (this.#random.next() < duplication) this.#copy(from, to, loss, deliver);
  }

  /** A client's connection: may be slow or break, never duplicates. */
  sendOnce(deliver: () => void): void {
    if (this.#random.next() < this.faults.loss / 4) return;
    this.#queue.after(this.#delay(), deliver);
  }

  #copy(from: string, to: string, loss: number, deliver: () => void): void {
    if (this.#random.next() < loss) return;
    this.#queue.after(this.#delay(), () => {
      if (!this.#cut.has(`${from}>${to}`)) deliver();
    });
  }

  #delay(): number {
    const { delayMinMs, delayMaxMs, late, lateMs } = this.faults;
    if (this.#random.next() < late) return delayMaxMs + this.#random.next() * lateMs;
    return delayMinMs + this.#random.next() * (delayMaxMs - delayMinMs);
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  calm(): void {
    this.heal();
    this.faults = { ...this.faults, loss: 0, duplication: 0, late: 0 };
  }
}
