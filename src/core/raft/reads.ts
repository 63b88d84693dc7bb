// Reads that wait for the leader to prove it still leads (read-index, thesis §6.4).
//
// A read is confirmed by any round that was sent after the read arrived and that a majority has
// answered, once an entry of the leader's own term is committed. At most one round is sent for the
// sake of reads at a time; those that arrive meanwhile share the next.

import type { ReadResult } from "./ready.ts";

interface WaitingRead {
  id: number;
  lease: boolean;
  /** Commit index when the read arrived, or null while that was not yet known to be current. */
  index: number | null;
  /** The round that will confirm it, or null until one is sent. */
  round: number | null;
}

export class ReadQueue {
  #waiting: WaitingRead[] = [];
  #finished: ReadResult[] = [];
  #nextId = 1;

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  newId(): number {
    return this.#nextId++;
  }

  add(read: WaitingRead): void {
    this.#waiting.push(read);
  }

  finish(id: number, index: number | null): void {
    this.#finished.push({ id, index });
  }

  /** Some read has no round, and no other round for reads is under way. */
  needsRound(confirmedRound: number): boolean {
    let unassigned = false;
    for (const read of this.#waiting) {
      if (read.round === null) unassigned = true;
      else if (read.round > confirmedRound) return false;
    }
    return unassigned;
  }

  /** A round is being sent: it will confirm every read that is here now. */
  assign(round: number): void {
    for (const read of this.#waiting) read.round ??= round;
  }

  /** Finishes what is confirmed; `leased` confirms the reads that accept a lease. */
  resolve(options: { confirmedRound: number; commitIndex: number; leased: boolean }): void {
    const { confirmedRound, commitIndex, leased } = options;
    this.#waiting = this.#waiting.filter((read) => {
      const confirmed = read.round !== null && read.round <= confirmedRound;
      if (!confirmed && !(leased && read.lease)) return true;
      this.finish(read.id, read.index ?? commitIndex);
      return false;
    });
  }

  /** Leadership is lost: nothing can be confirmed any more. */
  failAll(): void {
    for (const read of this.#waiting) this.finish(read.id, null);
    this.#waiting = [];
  }

  takeFinished(): ReadResult[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  get hasFinished(): boolean {
    return this.#finished.length > 0;
  }
}
