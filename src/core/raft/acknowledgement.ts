// What the leader notes of a peer, whether it got entries or a snapshot: that something was sent, that it answered,
// and what follows for the commit index (§5.3, §5.4.2), the lease and waiting reads (§6.4).

import { assert } from "../lib/assert.ts";
import type { Leadership } from "./leadership.ts";
import type { Node } from "./node.ts";
import type { Progress } from "./progress.ts";

/** The round that the sends of one Ready share; begun by the first of them. */
export class RoundOfReady {
  readonly #leading: Leadership;
  readonly #node: Node;
  readonly #fenced: boolean;
  #number = 0;

  constructor(node: Node, leading: Leadership, fenced: boolean) {
    this.#node = node;
    this.#leading = leading;
    this.#fenced = fenced;
  }

  get begun(): boolean {
    return this.#number > 0;
  }

  number(): number {
    if (this.#number === 0) this.#number = this.#leading.lease.begin(this.#node.now, this.#fenced);
    return this.#number;
  }
}

export function markSent(node: Node, peer: Progress): void {
  peer.pingDue = false;
  peer.lastSentMs = node.now;
  const timed = node.quiescent || peer.state === "snapshot";
  if (timed) peer.retryAtMs ??= node.now + peer.retryDelayMs;
}

export function acknowledged(node: Node, leading: Leadership, peer: Progress, round: number): void {
  assert(round <= leading.lease.currentRound, "a peer answers only what was sent");
  peer.lastAckMs = node.now;
  peer.round = Math.max(peer.round, round);
  peer.retryDelayMs = node.timing.retryMinMs;
}

export function scheduleRetry(node: Node, leading: Leadership, peer: Progress): void {
  if (peer.state === "snapshot") {
    // A heartbeat's answer says nothing about the chunk that is under way.
    peer.retryAtMs ??= node.now + peer.retryDelayMs;
    return;
  }
  const wanted = node.quiescent && !leading.settled(node, peer);
  peer.retryAtMs = wanted ? node.now + peer.retryDelayMs : null;
}

export function advanceCommit(node: Node, leading: Leadership): void {
  const index = leading.matchedIndex(node);
  if (!node.mayCommit(index)) return;
  node.log.commitIndex = index;
  // The change that removed this leader is committed: it goes once the next notices are out.
  if (!leading.selfVoter && node.membership.index <= index) leading.leaving = true;
}

export function confirmRounds(node: Node, leading: Leadership): void {
  leading.lease.confirm(leading.answeredRound());
  resolveReads(node, leading);
}

/** Reads are answered once an entry of this leader's own beginning is committed. */
export function resolveReads(node: Node, leading: Leadership): void {
  const { commitIndex } = node.log;
  if (!node.reads.waiting || commitIndex < leading.termStartIndex) return;
  const { confirmedRound } = leading.lease;
  node.reads.resolve({ confirmedRound, commitIndex, leased: leading.lease.valid(node.now) });
}
