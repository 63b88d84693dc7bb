// Raft as a pure state machine: the public face of this folder.
//
// The host calls step, tick, propose and readIndex with the current time; these change memory only.
// takeReady returns what to persist, send and apply, in the order of ready.ts; acknowledge says it
// is done. Then the host calls tick no later than nextDeadlineMs. There is no clock, no randomness
// and no I/O here, so a simulator can run a whole cluster from one seed.
//
// Opinions on membership, timing and storage come in through RaftOptions; roles are in their files.

import { assert } from "../lib/assert.ts";
import type { Random } from "../lib/random.ts";
import { campaign } from "./candidate.ts";
import { proposeConfiguration, quorumLostAtMs, transferLeadership } from "./leader.ts";
import { RaftLog } from "./log.ts";
import { encodeConfiguration } from "./membership.ts";
import type { ChangeRefusal, ConfigurationChange } from "./membership.ts";
import { Node } from "./node.ts";
import { leaderUnreachable, watchdog } from "./quiescence.ts";
import type { Ready } from "./ready.ts";
import { advanceCommit, confirmRounds, resolveReads } from "./acknowledgement.ts";
import { fanOut } from "./replication.ts";
import { step, tick } from "./step.ts";
import type { LogReader, SnapshotSource } from "./storage.ts";
import type { Timing } from "./timing.ts";
import type { Configuration, HardState, IndexedConfiguration, LogPosition } from "./types.ts";
import type { Message, Role, ServerId } from "./types.ts";

/** One Ready applies at most this much, so that no transaction grows without bound. */
const applyBytesMax = 4 * 1024 * 1024;

export interface RaftOptions {
  id: ServerId;
  /** Larger for every construction of this server: wall clock and randomness. */
  incarnation: number;
  timing: Timing;
  random: Random;
  log: LogReader;
  snapshots: SnapshotSource;
  hardState: HardState;
  /** The latest in the log, or at its base; index 0 and no members when there is none. */
  configuration: IndexedConfiguration;
  /** A hint: at least appliedIndex, at most what is known to be committed. */
  commitIndex: number;
  appliedIndex: number;
  nowMs: number;
  /** The storage was empty: this server can have promised nothing to anyone. */
  fresh: boolean;
  /** A snapshot had begun and was not finished: the `floor` of its begin event. Else null. */
  installing: LogPosition | null;
}

export interface Proposed {
  firstIndex: number;
  lastIndex: number;
  term: number;
}

export interface NotLeader {
  /** Who leads, as far as known. */
  notLeader: ServerId | null;
}

export class Raft {
  /** The insides, for tests and simulation; hosts have no business there. */
  readonly node: Node;
  #persisted: HardState;
  #outstanding: Ready | null = null;

  constructor(options: RaftOptions) {
    const log = new RaftLog(options.log, options.commitIndex, options.appliedIndex);
    assert(
      options.installing === null || log.lastIndex === 0,
      "an unfinished snapshot leaves no log",
    );
    this.node = new Node({ ...options, log, membership: options.configuration });
    this.#persisted = options.hardState;
    // A sole voter that wakes as leader holds a majority of what it had appended: nobody will tell it.
    if (this.node.leading !== null) advanceCommit(this.node, this.node.leading);
  }

  // What it knows.

  get role(): Role {
    return this.node.role;
  }

  get term(): number {
    return this.node.term;
  }

  get leader(): ServerId | null {
    return this.node.leader;
  }

  get commitIndex(): number {
    return this.node.log.commitIndex;
  }

  get appliedIndex(): number {
    return this.node.log.appliedIndex;
  }

  get lastIndex(): number {
    return this.node.log.lastIndex;
  }

  /** How far the log has reached, also while a snapshot takes its place. */
  get lastPosition(): LogPosition {
    return this.node.lastPosition();
  }

  get configuration(): Configuration {
    return this.node.membership.configuration;
  }

  get configurationIndex(): number {
    return this.node.membership.index;
  }

  get installing(): boolean {
    return this.node.installing !== null;
  }

  /** When the leader was last heard (a leader: when a majority was); -Infinity: not yet. */
  get lastContactMs(): number {
    return this.node.leading?.heardMs(this.node) ?? this.node.lastContactMs;
  }

  /** Entries up to here are applied and no peer needs them any more, as far as known. */
  get compactableIndex(): number {
    const { node } = this;
    const everywhere = node.leading?.compactable(node) ?? node.compactable;
    return Math.min(node.log.appliedIndex, everywhere);
  }

  /** Quiescent mode: nothing is owed to or by anyone, except retries to peers that are away. */
  get standingDown(): boolean {
    const { node } = this;
    if (!node.quiescent || node.held.length > 0) return false;
    if (node.role === "follower") return true;
    return node.leading !== null && node.leading.busySinceMs === null;
  }

  /** What a leader knows of its peers, for operators. */
  peers(): { id: ServerId; voter: boolean; match: number; lastAckMs: number; state: string }[] {
    const progress = [...(this.node.leading?.progress.values() ?? [])];
    return progress.map(({ id, voter, match, lastAckMs, state }) => {
      return { id, voter, match, lastAckMs, state };
    });
  }

  // What happens to it.

  step(message: Message, nowMs: number): void {
    this.#enter(nowMs);
    step(this.node, message);
  }

  tick(nowMs: number): void {
    this.#enter(nowMs);
    tick(this.node);
  }

  propose(commands: Uint8Array[], nowMs: number): Proposed | NotLeader {
    this.#enter(nowMs);
    assert(commands.length > 0, "a proposal has commands");
    const { node } = this;
    if (node.leading === null) return { notLeader: node.leader };
    if (node.leading.transfer !== null || node.leading.leaving) return { notLeader: null };
    const firstIndex = node.log.lastIndex + 1;
    for (const data of commands) node.append("command", data);
    return { firstIndex, lastIndex: node.log.lastIndex, term: node.term };
  }

  proposeConfiguration(
    change: ConfigurationChange,
    nowMs: number,
  ): Proposed | NotLeader | { refused: ChangeRefusal } {
    this.#enter(nowMs);
    if (this.node.leading === null) return { notLeader: this.node.leader };
    const result = proposeConfiguration(this.node, change);
    if (typeof result === "string") return { refused: result };
    return { firstIndex: result, lastIndex: result, term: this.node.term };
  }

  /** Asks for an index at which a read is linearizable; the answer comes in a Ready. With `lease`,
   * a valid lease is proof enough: that answer is in the next Ready, without any message. */
  readIndex(nowMs: number, options: { lease: boolean }): number {
    this.#enter(nowMs);
    const { node } = this;
    const id = node.reads.newId();
    const { leading } = node;
    if (leading === null) {
      node.reads.finish(id, null);
      return id;
    }
    const { commitIndex } = node.log;
    const index = commitIndex >= leading.termStartIndex ? commitIndex : null;
    node.reads.add({ id, lease: options.lease, index, round: null });
    resolveReads(node, leading);
    return id;
  }

  leaseValid(nowMs: number): boolean {
    this.#enter(nowMs);
    const { leading, log } = this.node;
    if (leading === null || log.commitIndex < leading.termStartIndex) return false;
    return leading.lease.valid(nowMs);
  }

  /** Returns false if `to` cannot lead or another transfer is under way. */
  transferLeadership(to: ServerId, nowMs: number): boolean {
    this.#enter(nowMs);
    return this.node.leading !== null && transferLeadership(this.node, to);
  }

  /** Quiescent mode: a call to the leader has failed, or there is none to call. */
  leaderUnreachable(nowMs: number): void {
    this.#enter(nowMs);
    leaderUnreachable(this.node);
  }

  /** Quiescent mode: an alarm has woken a host whose memory, and this deadline with it, was lost. */
  watchdog(nowMs: number): void {
    this.#enter(nowMs);
    if (this.node.quiescent) watchdog(this.node);
  }

  /** The state machine cannot go on (true) or can again: see `parked` in node.ts. */
  park(parked: boolean, nowMs: number): void {
    this.#enter(nowMs);
    this.node.parked = parked;
    if (parked && this.node.role !== "follower") this.node.becomeFollower(this.term, null);
    this.node.armElection();
  }

  /** Writes the first configuration into an empty log, and campaigns at once. */
  bootstrap(configuration: Configuration, nowMs: number): void {
    this.#enter(nowMs);
    const { node } = this;
    assert(
      node.log.lastIndex === 0 && node.installing === null,
      "only an empty log is bootstrapped",
    );
    node.becomeFollower(Math.max(node.term, 1), null);
    const entry = node.append("configuration", encodeConfiguration(configuration));
    node.adopt({ index: entry.index, configuration });
    if (node.promotable()) campaign(node);
  }

  // What it wants done.

  takeReady(nowMs: number): Ready {
    this.#enter(nowMs);
    const { node } = this;
    const fence = this.#leaderSends();
    const hardState = this.#changedHardState();
    const { truncateFrom, entries } = node.log.takeUnhanded();
    const ready: Ready = {
      snapshot: node.snapshotEvents,
      hardState,
      truncateFrom,
      entries,
      fence,
      committed: this.#committed(),
      messages: node.outbox,
      reads: node.reads.takeFinished(),
      empty: false,
    };
    node.snapshotEvents = [];
    node.outbox = [];
    ready.empty = isEmpty(ready);
    if (!ready.empty) this.#outstanding = ready;
    return ready;
  }

  /** The host has done what `ready` asks of its storage. `appliedIndex` is less than the last
   * committed entry only when the state machine had to stop there (then `park` it). */
  acknowledge(ready: Ready, appliedIndex?: number): void {
    if (ready.empty) return;
    assert(this.#outstanding === ready, "a Ready is acknowledged once, in order");
    this.#outstanding = null;
    const { node } = this;
    if (ready.hardState !== null) this.#persisted = ready.hardState;
    const applied = appliedIndex ?? ready.committed.at(-1)?.index ?? node.log.appliedIndex;
    assert(applied >= node.log.appliedIndex, "what is applied stays applied");
    node.log.appliedIndex = applied;
    node.log.acknowledge();
    if (node.leading === null) return;
    advanceCommit(node, node.leading);
    confirmRounds(node, node.leading);
  }

  /** When tick must be called at the latest; null: no timer at all. */
  nextDeadlineMs(): number | null {
    const { node } = this;
    let least = Number.POSITIVE_INFINITY;
    const consider = (atMs: number | null): void => {
      if (atMs !== null && atMs < least) least = atMs;
    };
    consider(node.electionAtMs);
    consider(node.watchdogAtMs);
    consider(node.reachAtMs);
    consider(node.nextProbeMs);
    for (const held of node.held) consider(held.decideAtMs);
    const { leading } = node;
    if (leading !== null) {
      consider(leading.heartbeatAtMs);
      consider(leading.transfer?.giveUpAtMs ?? null);
      if (leading.progress.size > 0) consider(quorumLostAtMs(node, leading));
      for (const peer of leading.progress.values()) consider(peer.retryAtMs);
    }
    return least === Number.POSITIVE_INFINITY ? null : least;
  }

  #enter(nowMs: number): void {
    assert(this.#outstanding === null, "a Ready is acknowledged before anything else");
    this.node.observe(nowMs);
  }

  #leaderSends(): boolean {
    const { node } = this;
    if (node.leading === null) return false;
    const writes = node.log.hasUnhanded() || this.#changedHardState() !== null;
    const fence = fanOut(node, node.leading, writes);
    if (node.leading.leaving) node.becomeFollower(node.term, null);
    return fence;
  }

  #changedHardState(): HardState | null {
    const { term, votedFor, leader } = this.#persisted;
    const { node } = this;
    const same = term === node.term && votedFor === node.votedFor && leader === node.leader;
    return same ? null : node.hardState();
  }

  #committed(): Ready["committed"] {
    const { log, parked, installing } = this.node;
    if (parked || installing !== null) return [];
    return log.slice(log.appliedIndex + 1, log.commitIndex + 1, applyBytesMax);
  }
}

function isEmpty(ready: Ready): boolean {
  return (
    ready.hardState === null &&
    ready.truncateFrom === null &&
    !ready.fence &&
    ready.entries.length === 0 &&
    ready.messages.length === 0 &&
    ready.committed.length === 0 &&
    ready.reads.length === 0 &&
    ready.snapshot.length === 0
  );
}
