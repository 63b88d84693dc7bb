// Writes that a follower hands to its leader, each of which happens once and is answered with what became of it, even
// when the answer is lost with the leader. Nothing has to be remembered for that, because a follower reads the log:
//
//   - an entry carries who forwarded it and which of its writes it is, so whoever forwarded recognizes it when it is
//     applied here, and knows its outcome without having been told;
//   - a write is forwarded for one term, and the leader takes it in no other. So once an entry of a later term is
//     applied here, what has not been seen by then is not in the log and never will be (Log Matching, Leader
//     Completeness): it certainly was not accepted, and may be forwarded anew.
//
// What stays unknown is what was forwarded when a snapshot replaced the log, or when this instance ended.

import type { CommandOutcome } from "../../src/core/state/commands.ts";
import type { Applied } from "../../src/core/state/machine.ts";
import type { WriteRequest } from "../../src/link/protocol.ts";
import { NotLeader, OutcomeUnknown } from "../raft/outcome.ts";

/** What travels to the leader in one call. */
export interface ForwardedBatch {
  /** The only term in which the leader may take it. */
  term: number;
  /** Names the instance that forwards. */
  origin: string;
  writes: { sequence: number; request: WriteRequest }[];
}

/** `notLeader`: nothing was accepted. `unknown`: this server cannot say. */
export type ForwardedOutcome = CommandOutcome | { notLeader: true } | { unknown: true };

export interface ForwardedWritesParts {
  origin: string;
  term(): number;
  /** Hands a batch to the leader. Rejects with NotLeader when it certainly was not sent, else with another Error. */
  call(batch: ForwardedBatch): Promise<ForwardedOutcome[]>;
}

interface Pending {
  sequence: number;
  request: WriteRequest;
  /** Term for which it was sent; null while it waits for the call before it. */
  term: number | null;
  resolve(outcome: CommandOutcome): void;
  reject(failure: Error): void;
}

/** A call takes at most so many writes and, about, characters; what waits beyond goes with the next. */
const batchWritesMax = 2_048;
const batchCharactersMax = 4_000_000;

export class ForwardedWrites {
  readonly #parts: ForwardedWritesParts;
  readonly #pending = new Map<number, Pending>();
  #queue: Pending[] = [];
  #sequence = 0;
  #calling = false;

  constructor(parts: ForwardedWritesParts) {
    this.#parts = parts;
  }

  /**
   * `settled` resolves with the outcome; rejects with NotLeader when the write certainly was not accepted, with
   * OutcomeUnknown when nobody can say. It may never settle: `abandon` ends the wait.
   */
  write(request: WriteRequest): { settled: Promise<CommandOutcome>; abandon(): void } {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const settled = new Promise<CommandOutcome>((resolve, reject) => {
      const pending: Pending = { sequence, request, term: null, resolve, reject };
      this.#pending.set(sequence, pending);
      this.#queue.push(pending);
    });
    if (!this.#calling) {
      this.#calling = true;
      queueMicrotask(() => void this.#callAll());
    }
    return { settled, abandon: () => void this.#pending.delete(sequence) };
  }

  /** Entries were applied here, the last of them of `term`. */
  applied(entries: readonly Applied[], term: number): void {
    if (this.#pending.size === 0) return;
    for (const { origin, outcome } of entries) {
      if (origin?.name === this.#parts.origin) this.#settle(origin.sequence, outcome);
    }
    for (const { sequence, term: sentIn } of this.#pending.values()) {
      if (sentIn !== null && sentIn < term) this.#settle(sequence, { notLeader: true });
    }
  }

  /** A snapshot took the place of the log: what was in it is not to be seen. */
  replaced(): void {
    for (const { sequence, term } of this.#pending.values()) {
      if (term !== null) this.#settle(sequence, { unknown: true });
    }
  }

  async #callAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#callOnce(this.#takeBatch());
    this.#calling = false;
  }

  #takeBatch(): Pending[] {
    let characters = 0;
    let count = 0;
    for (const { request } of this.#queue) {
      characters += sizeOf(request);
      if (count > 0 && (characters > batchCharactersMax || count === batchWritesMax)) break;
      count += 1;
    }
    return this.#queue.splice(0, count).filter(({ sequence }) => this.#pending.has(sequence));
  }

  async #callOnce(batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return;
    const { origin, call } = this.#parts;
    const term = this.#parts.term();
    for (const pending of batch) pending.term = term;
    const writes = batch.map(({ sequence, request }) => ({ sequence, request }));
    try {
      const outcomes = await call({ term, origin, writes });
      for (const [at, { sequence }] of batch.entries()) {
        const outcome = outcomes[at];
        // What the leader cannot say, the log will.
        if (outcome && !("unknown" in outcome)) this.#settle(sequence, outcome);
      }
    } catch (failure) {
      if (!(failure instanceof NotLeader)) return;
      for (const { sequence } of batch) this.#settle(sequence, { notLeader: true });
    }
  }

  #settle(sequence: number, outcome: ForwardedOutcome): void {
    const pending = this.#pending.get(sequence);
    if (!pending) return;
    this.#pending.delete(sequence);
    if ("notLeader" in outcome) pending.reject(new NotLeader("the leader stepped down"));
    else if ("unknown" in outcome) pending.reject(new OutcomeUnknown("EOF"));
    else pending.resolve(outcome);
  }
}

/** Instances of followers that a leader remembers: each time one wakes up it is another. */
const originsMax = 256;

/**
 * What a leader has taken from its followers. A network may deliver a call twice, or late: proposed again, an old value
 * would undo what was written since. Followers number their writes and send them in that order, so the newest number of
 * each says it all; whoever asks twice is told by the log.
 */
export class TakenWrites {
  readonly #newest = new Map<string, number>();

  /** False when it was taken before. */
  take(origin: string, sequence: number): boolean {
    const newest = this.#newest.get(origin) ?? 0;
    if (sequence <= newest) return false;
    // The latest last, to be forgotten last.
    this.#newest.delete(origin);
    this.#newest.set(origin, sequence);
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > originsMax && oldest !== undefined) this.#newest.delete(oldest);
    return true;
  }
}

/** About what a request takes as JSON, without making it. */
function sizeOf({ write }: WriteRequest): number {
  const value = (write as { value?: unknown }).value;
  return 256 + (typeof value === "string" ? value.length : 0);
}
