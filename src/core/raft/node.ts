// The state that all roles share, and the transitions between roles. The public face is raft.ts;
// the behaviour of each role is in follower.ts, candidate.ts and leader.ts, which read and change
// this object. A transition has a name, refuses illegal sources, and leaves timers, votes and
// leader-only state right for the new role.

import { assert } from "../lib/assert.ts";
import type { Random } from "../lib/random.ts";
import { Leadership } from "./leadership.ts";
import type { RaftLog } from "./log.ts";
import { isVoter, voterIds } from "./membership.ts";
import { ReadQueue } from "./reads.ts";
import type { SnapshotEvent } from "./ready.ts";
import type { SnapshotSource } from "./storage.ts";
import { electionTimeoutMs, isQuiescent, watchdogDelayMs } from "./timing.ts";
import type { Timing } from "./timing.ts";
import type {
  Entry,
  EntryKind,
  HardState,
  IndexedConfiguration,
  LogPosition,
  Message,
} from "./types.ts";
import type { PreVote, Role, ServerId } from "./types.ts";

/** Quiescent mode: a pre-vote that waits until the known leader has had its chance to answer. */
export interface HeldPreVote {
  request: PreVote;
  decideAtMs: number;
}

/** A snapshot being received. */
export interface Receiving {
  from: ServerId;
  incarnation: number;
  stream: number;
  /** The sequence number expected next. */
  next: number;
}

export interface NodeOptions {
  id: ServerId;
  incarnation: number;
  timing: Timing;
  random: Random;
  log: RaftLog;
  snapshots: SnapshotSource;
  hardState: HardState;
  membership: IndexedConfiguration;
  nowMs: number;
  fresh: boolean;
  installing: LogPosition | null;
}

// What a message needs beyond its envelope, for each type of message.
type Body<T extends Message> = T extends Message
  ? Omit<T, "from" | "term" | "incarnation"> & { term?: number }
  : never;

export class Node {
  readonly id: ServerId;
  readonly incarnation: number;
  readonly timing: Timing;
  readonly quiescent: boolean;
  readonly random: Random;
  readonly log: RaftLog;
  readonly snapshots: SnapshotSource;
  readonly reads = new ReadQueue();
  now: number;
  role: Role = "follower";
  term: number;
  votedFor: ServerId | null;
  leader: ServerId | null;
  /** The newest incarnation heard of `leader` in this term; 0: none. */
  leaderIncarnation = 0;
  membership: IndexedConfiguration;
  /** Until then no vote is given: this instance has forgotten what its predecessor promised. */
  silentUntilMs: number;
  /** Last sign of life from the leader; -Infinity: none yet. */
  lastContactMs = Number.NEGATIVE_INFINITY;
  /** The instance that this sign of life came from. */
  promisedIncarnation = 0;
  /** Follower: give the leader up. Candidates: give the attempt up. null: no such timer. */
  electionAtMs: number | null = null;
  watchdogAtMs: number | null = null;
  /** Quiescent mode: the leader was asked whether it lives and has until then to answer. */
  reachAtMs: number | null = null;
  nextProbeMs: number | null = null;
  ballots = new Map<ServerId, boolean>();
  transferIncarnation: number | null = null;
  leading: Leadership | null = null;
  lastRound = 0;
  held: HeldPreVote[] = [];
  receiving: Receiving | null = null;
  /** Numbers the snapshots this instance has sent, over all its terms. */
  lastStream = 0;
  /** The log was thrown away for a snapshot that is not complete: where it ended. Votes are still
   * judged by that, for what was acknowledged stays promised. */
  installing: LogPosition | null;
  /** The state machine met a command it does not know: no applying, serving or campaigning. */
  parked = false;
  /** The leader says that every voter has the log up to here. */
  compactable = 0;
  outbox: Message[] = [];
  snapshotEvents: SnapshotEvent[] = [];

  constructor(options: NodeOptions) {
    this.id = options.id;
    this.incarnation = options.incarnation;
    this.timing = options.timing;
    this.quiescent = isQuiescent(options.timing);
    this.random = options.random;
    this.log = options.log;
    this.snapshots = options.snapshots;
    this.term = options.hardState.term;
    this.votedFor = options.hardState.votedFor;
    this.leader = options.hardState.leader;
    this.membership = options.membership;
    this.now = options.nowMs;
    this.installing = options.installing;
    this.silentUntilMs = options.fresh ? options.nowMs : options.nowMs + this.timing.electionMinMs;
    this.armWatchdog();
    this.armElection();
    if (this.mayResume()) this.resumeLeader();
    else if (this.leader === this.id) this.leader = null;
  }

  // Time.

  /** Every call from outside brings the clock; measures taken with a later clock are void. */
  observe(nowMs: number): void {
    if (nowMs < this.now) this.clockWentBack(nowMs);
    this.now = nowMs;
  }

  private clockWentBack(nowMs: number): void {
    const back = this.now - nowMs;
    this.lastContactMs -= back;
    this.silentUntilMs -= back;
    if (this.electionAtMs !== null) this.electionAtMs -= back;
    if (this.watchdogAtMs !== null) this.watchdogAtMs -= back;
    if (this.reachAtMs !== null) this.reachAtMs -= back;
    if (this.nextProbeMs !== null) this.nextProbeMs -= back;
    for (const held of this.held) held.decideAtMs -= back;
    this.leading?.clockWentBack(back);
  }

  armElection(): void {
    const patient = this.role === "follower" && this.quiescent;
    if (patient || !this.promotable()) {
      this.electionAtMs = null;
      return;
    }
    const { timing } = this;
    const fraction = this.random.next();
    // A quiescent voter may think for a whole election timeout before it answers a pre-vote.
    const thinking = this.quiescent ? timing.electionMinMs : 0;
    this.electionAtMs = this.now + thinking + electionTimeoutMs(timing, fraction);
  }

  /** A leader needs it half as often: the others ask it, and tell how far they have come. */
  armWatchdog(): void {
    const { watchdogMs } = this.timing;
    const belongs = this.membership.index > 0 || this.installing !== null;
    const factor = this.role === "leader" ? 2 : 1;
    this.watchdogAtMs =
      watchdogMs !== null && belongs
        ? this.now + factor * watchdogDelayMs(watchdogMs, this.random.next())
        : null;
  }

  heardFromLeader(incarnation: number): void {
    this.lastContactMs = this.now;
    this.promisedIncarnation = incarnation;
    this.reachAtMs = null;
    if (this.role === "follower") this.armElection();
  }

  /** This voter has promised its leader, or may have before it was constructed, to vote for nobody
   * else yet. Leases rest on this, so a newer term alone does not end it. */
  promised(): boolean {
    if (this.now < this.silentUntilMs || this.role === "leader") return true;
    return this.now - this.lastContactMs < this.timing.electionMinMs;
  }

  // Membership.

  promotable(): boolean {
    if (this.installing !== null || this.parked) return false;
    return isVoter(this.membership.configuration, this.id) || this.leavingUncommitted();
  }

  /** Removed by an entry that is not committed: it may still be needed to commit it (thesis
   * §4.2.2). */
  private leavingUncommitted(): boolean {
    const { index } = this.membership;
    if (index <= Math.max(this.log.commitIndex, 1)) return false;
    return isVoter(this.log.configurationAt(index - 1).configuration, this.id);
  }

  /** What a candidate's log must reach: §5.4.1. */
  lastPosition(): LogPosition {
    return this.installing ?? { index: this.log.lastIndex, term: this.log.lastTerm };
  }

  voters(): ServerId[] {
    return voterIds(this.membership.configuration);
  }

  adopt(membership: IndexedConfiguration): void {
    const known = this.membership.index > 0;
    this.membership = membership;
    this.leading?.adopt(this, membership.configuration);
    if (!known || this.watchdogAtMs === null) this.armWatchdog();
    if (this.role === "follower" && this.electionAtMs === null) this.armElection();
  }

  // Output.

  /** Queues a message with this node's envelope; it leaves with the next Ready. */
  send(body: Body<Message>): void {
    const envelope = { from: this.id, term: this.term, incarnation: this.incarnation };
    this.outbox.push({ ...envelope, ...body });
  }

  append(kind: EntryKind, data: Uint8Array): Entry {
    const entry = { index: this.log.lastIndex + 1, term: this.term, kind, data };
    this.log.append(entry);
    return entry;
  }

  /** Only an entry of the leader's own term is committed by counting (§5.4.2); those before it are
   * committed with it. */
  mayCommit(index: number): boolean {
    return index > this.log.commitIndex && this.log.term(index) === this.term;
  }

  hardState(): HardState {
    return { term: this.term, votedFor: this.votedFor, leader: this.leader };
  }

  // Transitions.

  becomeFollower(term: number, leader: ServerId | null): void {
    assert(term >= this.term, "a term never goes back");
    if (term > this.term) {
      this.term = term;
      this.votedFor = null;
      this.leaderIncarnation = 0;
    }
    if (leader !== this.leader) this.leaderIncarnation = 0;
    this.leader = leader;
    this.endRole();
    this.role = "follower";
    this.armElection();
    if (this.watchdogAtMs === null) this.armWatchdog();
  }

  becomePreCandidate(): void {
    assert(this.role !== "leader", "a leader does not campaign");
    assert(this.promotable(), "only a voter with a whole log campaigns");
    this.endRole();
    this.role = "preCandidate";
    this.ballots.set(this.id, true);
    this.armElection();
  }

  becomeCandidate(transferIncarnation: number | null): void {
    const asked = this.role === "follower" && transferIncarnation !== null;
    assert(this.role === "preCandidate" || asked, "a vote follows a pre-vote or a transfer");
    assert(this.promotable(), "only a voter with a whole log campaigns");
    this.endRole();
    this.role = "candidate";
    this.term += 1;
    this.votedFor = this.id;
    this.leader = null;
    this.leaderIncarnation = 0;
    this.transferIncarnation = transferIncarnation;
    this.ballots.set(this.id, true);
    this.armElection();
  }

  becomeLeader(): void {
    assert(this.role === "candidate", "only a candidate is elected");
    this.endRole();
    const entry = this.append("noop", new Uint8Array(0));
    this.lead(entry.index, entry.index);
  }

  /** Hibernation erases memory, not authority: nothing left before it was durable, so whoever
   * persisted itself as leader of its term still is, without lease and with empty progress. */
  private resumeLeader(): void {
    assert(this.role === "follower", "a leader resumes once, when it is constructed");
    this.lead(this.log.lastIndex, this.log.lastIndex + 1);
  }

  private mayResume(): boolean {
    return this.leader === this.id && this.promotable() && this.log.lastTerm === this.term;
  }

  private lead(termStartIndex: number, nextIndex: number): void {
    this.role = "leader";
    this.leader = this.id;
    this.leaderIncarnation = this.incarnation;
    this.electionAtMs = null;
    this.held = [];
    this.leading = new Leadership(this, termStartIndex, nextIndex);
    this.armWatchdog();
  }

  private endRole(): void {
    this.ballots.clear();
    this.transferIncarnation = null;
    this.reachAtMs = null;
    this.leading?.end(this);
    this.leading = null;
    this.reads.failAll();
  }
}
