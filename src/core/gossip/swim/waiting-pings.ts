// Pings that wait for their answers, by the number that the answer repeats.

import type { Random } from "../../lib/random.ts";
import type { Endpoint, Peer } from "./members.ts";

/** Whoever asks for more at once is not helped. */
const waitingMax = 64;

export interface Waiting {
  /** Of this agent's own round; for another agent; to answer a question of the pool's or of the coordinates'. */
  kind: "probe" | "relay" | "reach";
  target: Peer;
  sentMs: number;
  dueMs: number;
  /** It was not answered in time, and other ways are being tried. */
  isLate: boolean;
  /** How many others were asked to ping it, and how many of them said that they heard nothing. */
  asked: number;
  nacks: number;
  /** For whom: where the answer goes, and the number under which it is waited for there. */
  asker?: { to: Endpoint & { stream?: number }; seq: number };
}

export class WaitingPings {
  readonly #waiting = new Map<number, Waiting>();
  #seq: number;

  constructor(random: Random) {
    this.#seq = random.integer(1, 2 ** 31);
  }

  /** Null while too many wait. */
  add(ping: Omit<Waiting, "isLate" | "asked" | "nacks">): number | null {
    if (this.#waiting.size >= waitingMax) return null;
    this.#seq = this.#seq >= 2 ** 32 - 1 ? 1 : this.#seq + 1;
    this.#waiting.set(this.#seq, { ...ping, isLate: false, asked: 0, nacks: 0 });
    return this.#seq;
  }

  /** It was answered, or is given up. */
  take(seq: number): Waiting | undefined {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    return waiting;
  }

  late(seq: number, dueMs: number): void {
    const waiting = this.#waiting.get(seq);
    if (waiting) Object.assign(waiting, { isLate: true, dueMs });
  }

  nacked(seq: number): void {
    const waiting = this.#waiting.get(seq);
    if (waiting) waiting.nacks += 1;
  }

  get dueMs(): number | null {
    const due = [...this.#waiting.values()].map((waiting) => waiting.dueMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Those whose time is over; they stay until they are taken. */
  due(nowMs: number): { seq: number; waiting: Waiting }[] {
    const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= nowMs);
    return due.map(([seq, waiting]) => ({ seq, waiting }));
  }
}
