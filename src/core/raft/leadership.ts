// What only a leader has: progress of every peer, rounds and lease, transfer, timers. Created when
// leadership begins, dropped when it ends.

import { Lease } from "./lease.ts";
import type { RaftLog } from "./log.ts";
import { Progress } from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import type { SnapshotSource } from "./storage.ts";
import type { Timing } from "./timing.ts";
import type { Configuration, ServerId } from "./types.ts";

/** What of a node its leadership looks at. */
interface Replica {
  readonly id: ServerId;
  readonly now: number;
  readonly timing: Timing;
  readonly log: RaftLog;
  readonly membership: { readonly configuration: Configuration };
  readonly snapshots: SnapshotSource;
  /** The last round of this instance's leaderships so far. */
  lastRound: number;
}

/** The log is kept for a peer that is away, up to here (design §3). */
const absenceMsMax = 7 * 24 * 3_600_000;

export interface Transfer {
  to: ServerId;
  giveUpAtMs: number;
  ordered: boolean;
}

export class Leadership {
  readonly progress = new Map<ServerId, Progress>();
  readonly lease: Lease;
  /** An answer to this round or an earlier one was meant for a leadership that is over. */
  readonly lastRoundBefore: number;
  /** Reads, leases and membership changes wait until this is committed: everything committed
   * before, by whomever, is then known to be. The elected leader's own first entry, or, for a
   * resumed one, the last entry it woke up with. */
  readonly termStartIndex: number;
  heartbeatAtMs: number | null;
  /** Since when a majority has owed an answer; null: nothing is owed. */
  busySinceMs: number | null = null;
  /** The last round that went to every peer. */
  broadcastRound = 0;
  transfer: Transfer | null = null;
  /** This leader is no voter any more and resigns. */
  leaving = false;
  selfVoter = false;

  constructor(node: Replica, termStartIndex: number, nextIndex: number) {
    this.lastRoundBefore = node.lastRound;
    this.lease = new Lease(node.timing.leaseMs, node.lastRound);
    this.termStartIndex = termStartIndex;
    this.heartbeatAtMs = node.timing.heartbeatMs === null ? null : node.now;
    this.adopt(node, node.membership.configuration);
    const unfinished = node.log.commitIndex < node.log.lastIndex;
    for (const peer of this.progress.values()) {
      peer.next = nextIndex;
      peer.pingDue = unfinished && nextIndex > node.log.lastIndex;
    }
  }

  /** Follows a new configuration: a new peer starts unknown, a removed one is forgotten. */
  adopt(node: Replica, configuration: Configuration): void {
    this.selfVoter = false;
    const present = new Set<ServerId>();
    for (const { id, voter } of configuration.members) {
      present.add(id);
      if (id === node.id) {
        this.selfVoter = voter;
        continue;
      }
      const known = this.progress.get(id);
      if (known !== undefined) known.voter = voter;
      else this.progress.set(id, this.newProgress(node, id, voter));
    }
    for (const peer of this.progress.values()) {
      if (present.has(peer.id)) continue;
      this.closeStream(node, peer);
      this.progress.delete(peer.id);
    }
  }

  private newProgress(node: Replica, id: ServerId, voter: boolean): Progress {
    const next = node.log.lastIndex + 1;
    const retryMs = node.timing.retryMinMs;
    const peer = new Progress({ id, voter, next, nowMs: node.now, retryMs });
    // Nothing else would call a newcomer until the next write.
    peer.pingDue = true;
    return peer;
  }

  /** The index that a majority of voters holds durably. */
  matchedIndex(node: Replica): number {
    return this.quorum(node.log.durableIndex, (peer) => peer.match);
  }

  /** The round that a majority of voters has answered. */
  answeredRound(): number {
    return this.quorum(this.lease.currentRound, (peer) => peer.round);
  }

  /** When a majority of voters was last heard. */
  heardMs(node: Replica): number {
    return this.quorum(node.now, (peer) => peer.lastAckMs);
  }

  private quorum(own: number, of: (peer: Progress) => number): number {
    const values: number[] = this.selfVoter ? [own] : [];
    for (const peer of this.progress.values()) if (peer.voter) values.push(of(peer));
    return quorumValue(values);
  }

  /** Every peer has the log up to here, but for those who were away for so long that a snapshot serves them better. */
  compactable(node: Replica): number {
    let least = node.log.durableIndex;
    for (const peer of this.progress.values()) {
      if (node.now - peer.lastAckMs < absenceMsMax) least = Math.min(least, peer.match);
    }
    return least;
  }

  /** Nothing more to say to this peer: it has and knows all that is committed. */
  settled(node: Replica, peer: Progress): boolean {
    const { lastIndex, commitIndex } = node.log;
    if (peer.state === "snapshot" || peer.match < lastIndex) return false;
    return peer.commit >= commitIndex && peer.round >= this.broadcastRound;
  }

  clockWentBack(back: number): void {
    this.lease.void();
    if (this.heartbeatAtMs !== null) this.heartbeatAtMs -= back;
    if (this.busySinceMs !== null) this.busySinceMs -= back;
    if (this.transfer !== null) this.transfer.giveUpAtMs -= back;
    for (const peer of this.progress.values()) {
      peer.lastAckMs -= back;
      peer.lastSentMs -= back;
      if (peer.retryAtMs !== null) peer.retryAtMs -= back;
    }
  }

  closeStream(node: Replica, peer: Progress): void {
    if (peer.snapshot === null) return;
    node.snapshots.close(peer.snapshot.stream);
    peer.snapshot = null;
  }

  end(node: Replica): void {
    node.lastRound = this.lease.currentRound;
    for (const peer of this.progress.values()) this.closeStream(node, peer);
  }
}
