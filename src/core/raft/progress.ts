// What a leader knows about one peer, and what it may send next.
//
//   probe      the end of the common log is being searched: one append at a time
//   replicate  the logs agree: appends are sent ahead of their answers, at most `inflightMax`
//   snapshot   the entries the peer lacks are compacted away: chunks of state instead
//
// Numbers only; the sending is in replication.ts.

import type { SnapshotChunkMessage, ServerId } from "./types.ts";

export const inflightMax = 4;

export interface SnapshotStream {
  stream: number;
  /** The chunk that is not confirmed yet, kept to be sent again. */
  chunk: Pick<SnapshotChunkMessage, "sequence" | "data" | "final">;
  sent: boolean;
}

export class Progress {
  readonly id: ServerId;
  voter: boolean;
  state: "probe" | "replicate" | "snapshot" = "probe";
  /** The logs agree, durably, up to here. */
  match = 0;
  next: number;
  /** The peer's commit index as it last said; -1: not heard yet. */
  commit = -1;
  /** The largest commit index sent since the last reset. */
  sentCommit = -1;
  /** Largest round of ours that this peer confirmed. */
  round = 0;
  lastAckMs: number;
  /** An empty append is owed: heartbeat, read round or retry. */
  pingDue = false;
  /** probe: an append is out and unanswered. */
  probing = false;
  retryAtMs: number | null = null;
  retryDelayMs: number;
  lastSentMs = Number.NEGATIVE_INFINITY;
  snapshot: SnapshotStream | null = null;
  /** Answers to rounds before this describe a log that the peer has thrown away since. */
  validRound = 0;
  /** Last index of each append in flight, oldest first. */
  #inflight: number[] = [];

  constructor(options: {
    id: ServerId;
    voter: boolean;
    next: number;
    nowMs: number;
    retryMs: number;
  }) {
    this.id = options.id;
    this.voter = options.voter;
    this.next = options.next;
    this.lastAckMs = options.nowMs;
    this.retryDelayMs = options.retryMs;
  }

  get windowFull(): boolean {
    return this.#inflight.length >= inflightMax;
  }

  get idle(): boolean {
    return this.#inflight.length === 0;
  }

  /** Entries up to `lastIndex` went out. */
  sent(lastIndex: number): void {
    this.next = lastIndex + 1;
    this.#inflight.push(lastIndex);
  }

  /** The peer holds the log up to `index`. Returns whether that is news. */
  matched(index: number): boolean {
    while (this.#inflight.length > 0 && (this.#inflight[0] as number) <= index) {
      this.#inflight.shift();
    }
    this.next = Math.max(this.next, index + 1);
    if (index <= this.match) return false;
    this.match = index;
    return true;
  }

  becomeProbe(next: number): void {
    this.state = "probe";
    this.next = Math.max(next, this.match + 1);
    this.probing = false;
    this.snapshot = null;
    this.#inflight = [];
  }

  becomeReplicate(): void {
    this.state = "replicate";
    this.next = this.match + 1;
    this.probing = false;
    this.snapshot = null;
    this.#inflight = [];
  }

  becomeSnapshot(snapshot: SnapshotStream): void {
    this.state = "snapshot";
    this.probing = false;
    this.snapshot = snapshot;
    this.#inflight = [];
  }
}
