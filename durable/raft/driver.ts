// The host of one Raft core: takes what the core wants done and does it, in the order of `Ready`'s fields.
//
// Group commit: whatever is proposed while a round is in flight forms the next one, and the apply of a batch shares
// its transaction with the append of the next. Everything up to a send is one synchronous turn; the platform's
// output gate holds the send until the turn's writes are durable. An exception in between ends the object: memory
// must never outrun the disk.

import { assert } from "../../src/core/lib/assert.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Ready, SnapshotEvent } from "../../src/core/raft/ready.ts";
import type { Message, ServerId } from "../../src/core/raft/types.ts";
import type { CommandOutcome } from "../../src/core/state/commands.ts";
import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import { InstanceEnded } from "../platform/platform.ts";
import { AppliedWaiters } from "./applied-waiters.ts";
import { decodeMessages, encodeMessages } from "./peer-codec.ts";
import { NotLeader, OutcomeUnknown } from "./outcome.ts";
import type { PeerTransport } from "./transport.ts";
import type { RaftStorage } from "./storage.ts";

const callTimeoutMs = 2_000;
/** A packed row and an append hold at most this much; what is queued beyond it waits for the next round. */
const roundBytesMax = 1_000_000;
/** Compaction deletes in steps of at least this many entries, so that it stays a small part of the writes. */
const compactionEntriesMin = 1_024;

export interface DriverParts {
  raft: Raft;
  storage: RaftStorage;
  machine: StateMachine;
  sql: Sql;
  transport: PeerTransport;
  timers: Timers;
  /** Runs after the current turn, and what has arrived meanwhile. */
  soon(run: () => void): void;
  /** How long news of the commit index may wait for entries to travel with; 0 where silence must follow at once. */
  noticeHoldMs: number;
  /** A log beyond this is compacted though some voter lacks it; that one gets a snapshot. */
  logBytesMax: number;
  nowMs(): number;
  /** Ends this instance of the object at once, without another write. Never returns normally. */
  abort(reason: unknown): never;
  /** Asks for {@link RaftDriver.tick} at `deadlineMs`; a later call replaces an earlier one. */
  wakeAt(deadlineMs: number | null): void;
  /** After every transaction that applied entries, the last of them of `term`, or replaced the state. */
  applied(entries: readonly Applied[], how: { replaced: boolean; term: number }): void;
  /** After every drain in which role, term or leader changed. */
  leadershipChanged(): void;
}

interface Proposal {
  command: Uint8Array;
  /** The only term in which it may be proposed; null: any. */
  term: number | null;
  resolve(outcome: CommandOutcome): void;
  reject(failure: Error): void;
}

export class RaftDriver {
  readonly #parts: DriverParts;
  #queued: Proposal[] = [];
  readonly #accepted = new Map<number, { term: number; proposal: Proposal }>();
  /** Last index of the round in flight. */
  #roundEnd = 0;
  readonly #reads = new Map<number, (index: number | null) => void>();
  readonly #appliedWaiters: AppliedWaiters;
  #outbox = new Map<ServerId, Message[]>();
  #noticeTimer: TimerHandle = null;
  /** A follower asked for an index: it waits for the commit index too. */
  #noticesDue = false;
  #runScheduled = false;
  #leadership = "";
  #parked = false;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#appliedWaiters = new AppliedWaiters(parts.timers);
  }

  /**
   * Resolves when applied here, whoever leads by then. Rejects with NotLeader when the command is not in the log and
   * never will be, with OutcomeUnknown when a snapshot took the log's place. A server that is cut off may never know.
   * `term`: propose it in this term or not at all.
   */
  propose(command: Uint8Array, term: number | null = null): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      this.#queued.push({ command, term, resolve, reject });
      this.schedule();
    });
  }

  /** An index that a linearizable read must have applied; null when leadership could not be confirmed. */
  readIndex(options: { lease: boolean }): Promise<number | null> {
    return new Promise((resolve) => {
      const id = this.#parts.raft.readIndex(this.#parts.nowMs(), options);
      this.#reads.set(id, resolve);
      this.#noticesDue = true;
      this.schedule();
    });
  }

  /** Resolves true once `index` is applied here, false after `timeoutMs`. */
  waitApplied(index: number, timeoutMs: number): Promise<boolean> {
    if (this.#parts.machine.appliedIndex >= index) return Promise.resolve(true);
    return this.#appliedWaiters.wait(index, timeoutMs);
  }

  /** Handles what a peer posted; gives back what is addressed to that peer, as the answer of the same call. */
  receive(messages: readonly Message[]): Uint8Array<ArrayBuffer> {
    this.#step(messages);
    const [first] = messages;
    const replies = first ? (this.#outbox.get(first.from) ?? []) : [];
    if (first) this.#outbox.delete(first.from);
    this.#flush();
    return encodeMessages(replies);
  }

  tick(): void {
    this.#parts.raft.tick(this.#parts.nowMs());
    this.run();
  }

  /** Runs soon, so that everything asked until then shares one round. */
  schedule(): void {
    if (this.#runScheduled) return;
    this.#runScheduled = true;
    this.#parts.soon(() => {
      this.#runScheduled = false;
      unlessEnded(() => this.run());
    });
  }

  run(): void {
    this.#drain();
    this.#flush();
  }

  #step(messages: readonly Message[]): void {
    const { raft, nowMs, abort } = this.#parts;
    try {
      for (const message of messages) raft.step(message, nowMs());
    } catch (failure) {
      // A broken belief in the core: what memory holds is not to be trusted any more.
      abort(failure);
    }
    this.#drain();
  }

  /** A turn is done whole: what follows an apply or an election writes too, and may find the disk full. */
  #drain(): void {
    const { raft, wakeAt, abort } = this.#parts;
    try {
      for (;;) {
        const ready = this.#takeReady();
        if (ready.empty) break;
        const applied = this.#persist(ready);
        for (const message of ready.messages) this.#address(message);
        this.#settle(ready, applied);
      }
      this.#noticeLeadership();
      wakeAt(raft.nextDeadlineMs());
    } catch (failure) {
      if (failure instanceof InstanceEnded) throw failure;
      abort(failure);
    }
  }

  #takeReady(): Ready {
    const { raft, nowMs, abort } = this.#parts;
    try {
      this.#proposeQueued();
      return raft.takeReady(nowMs());
    } catch (failure) {
      // Also where this instance has ended and something it was waiting for came all the same.
      return abort(failure);
    }
  }

  #proposeQueued(): void {
    const { raft } = this.#parts;
    if (this.#queued.length === 0) return;
    if (raft.role === "leader" && raft.commitIndex < this.#roundEnd) return;
    let bytes = 0;
    let count = 0;
    for (const { command } of this.#queued) {
      if (count > 0 && bytes + command.length > roundBytesMax) break;
      bytes += command.length;
      count += 1;
    }
    const proposals = this.#queued.splice(0, count).filter((proposal) => {
      if (proposal.term === null || proposal.term === raft.term) return true;
      proposal.reject(new NotLeader("the term is over"));
      return false;
    });
    if (proposals.length === 0) return;
    const commands = proposals.map(({ command }) => command);
    const accepted = raft.propose(commands, this.#parts.nowMs());
    if ("notLeader" in accepted) {
      for (const proposal of [...proposals, ...this.#queued.splice(0)]) {
        proposal.reject(new NotLeader("this server is not the leader"));
      }
      return;
    }
    this.#roundEnd = accepted.lastIndex;
    for (const [at, proposal] of proposals.entries()) {
      const index = accepted.firstIndex + at;
      // Leader Completeness: what this log has lost to another leader, and this server now leads without, is lost.
      this.#accepted.get(index)?.proposal.reject(new NotLeader("leadership was lost"));
      this.#accepted.set(index, { term: accepted.term, proposal });
    }
  }

  #persist(ready: Ready): Applied[] {
    const { sql, storage, machine, raft } = this.#parts;
    try {
      const applied = sql.transaction(() => {
        for (const event of ready.snapshot) this.#install(event);
        if (ready.hardState) storage.saveHardState(ready.hardState);
        if (ready.truncateFrom !== null) storage.truncate(ready.truncateFrom);
        storage.append(ready.entries);
        if (ready.fence) storage.fence();
        if (ready.committed.length === 0) return [];
        // It would apply nothing, and be handed the same entries for ever.
        assert(machine.parkedAt === null, "a parked state machine is handed entries");
        const results = machine.applyBatch(
          ready.committed.map(({ index, kind, data }) => ({
            index,
            command: kind === "command" ? data : null,
          })),
        );
        this.#compact();
        return results;
      });
      raft.acknowledge(ready, machine.appliedIndex);
      this.#park();
      return applied;
    } catch (failure) {
      return this.#parts.abort(failure);
    }
  }

  /** An entry of a newer version stops this server from applying and leading, until its code is newer too. */
  #park(): void {
    const { raft, machine } = this.#parts;
    const parked = machine.parkedAt !== null;
    if (parked === this.#parked) return;
    this.#parked = parked;
    raft.park(parked, this.#parts.nowMs());
  }

  #install(event: SnapshotEvent): void {
    const { storage, machine } = this.#parts;
    if (event.kind === "begin") {
      storage.beginInstalling(event.floor);
      machine.clear();
    } else if (event.kind === "chunk") {
      machine.installRows(event.data);
    } else {
      storage.finishInstalling(event.index, event.term, event.configuration);
      machine.finishInstall(event.index);
    }
  }

  /** Forgets what every voter has and this server has applied; a log that has grown too large, even what some lack. */
  #compact(): void {
    const { raft, storage, machine, logBytesMax } = this.#parts;
    const tooLarge = storage.logBytes() > logBytesMax;
    const index = tooLarge
      ? machine.appliedIndex
      : Math.min(raft.compactableIndex, machine.appliedIndex);
    if (index - storage.baseIndex() < compactionEntriesMin) return;
    storage.compact(index);
  }

  #address(message: Message): void {
    const messages = this.#outbox.get(message.to);
    if (messages) messages.push(message);
    else this.#outbox.set(message.to, [message]);
  }

  #settle(ready: Ready, applied: readonly Applied[]): void {
    const { machine } = this.#parts;
    this.#settleAccepted(ready, applied);
    for (const { id, index } of ready.reads) {
      this.#reads.get(id)?.(index);
      this.#reads.delete(id);
    }
    this.#appliedWaiters.reached(machine.appliedIndex);
    const replaced = ready.snapshot.some(({ kind }) => kind === "finish");
    if (replaced) this.#abandonAccepted();
    const term = ready.committed[applied.length - 1]?.term ?? 0;
    if (applied.length > 0 || replaced) this.#parts.applied(applied, { replaced, term });
  }

  /** An index is settled when something is applied there: what was proposed, or what a later leader put there. */
  #settleAccepted({ committed }: Ready, applied: readonly Applied[]): void {
    if (this.#accepted.size === 0) return;
    const terms = new Map(committed.map(({ index, term }) => [index, term]));
    for (const { index, outcome } of applied) {
      const waiting = this.#accepted.get(index);
      if (!waiting) continue;
      this.#accepted.delete(index);
      if (terms.get(index) === waiting.term) waiting.proposal.resolve(outcome);
      else waiting.proposal.reject(new NotLeader("leadership was lost before it was committed"));
    }
  }

  /** What was applied by way of a snapshot cannot be told apart. */
  #abandonAccepted(): void {
    const abandoned = [...this.#accepted.values()];
    this.#accepted.clear();
    for (const { proposal } of abandoned) {
      proposal.reject(new OutcomeUnknown("leadership lost while committing log"));
    }
  }

  #noticeLeadership(): void {
    const { role, term, leader } = this.#parts.raft;
    const leadership = `${term} ${role} ${leader}`;
    if (leadership === this.#leadership) return;
    this.#leadership = leadership;
    if (role !== "leader") this.#roundEnd = 0;
    this.#parts.leadershipChanged();
  }

  /** Notices wait for the next round, which under load is about to begin and saves them a call of their own. */
  #flush(): void {
    if (this.#outbox.size === 0) return;
    if (this.#holdsNotices()) {
      this.#noticeTimer ??= this.#parts.timers.set(() => this.#send(), this.#parts.noticeHoldMs);
    } else this.#send();
  }

  #holdsNotices(): boolean {
    if (this.#parts.noticeHoldMs === 0 || this.#noticesDue || this.#reads.size > 0) return false;
    const messages = [...this.#outbox.values()].flat();
    return messages.every((message) => message.type === "append" && message.entries.length === 0);
  }

  #send(): void {
    this.#parts.timers.clear(this.#noticeTimer);
    this.#noticeTimer = null;
    this.#noticesDue = false;
    const outbox = this.#outbox;
    this.#outbox = new Map();
    for (const [id, messages] of outbox) void this.#call(id, messages);
  }

  async #call(id: ServerId, messages: Message[]): Promise<void> {
    const { raft, transport } = this.#parts;
    const peer = raft.configuration.members.find((member) => member.id === id);
    if (!peer) return;
    let replies: Message[];
    try {
      replies = decodeMessages(
        await transport.call(peer, "raft", encodeMessages(messages), callTimeoutMs),
      );
    } catch {
      // Lost messages are Raft's daily bread: its own deadlines send again.
      return;
    }
    unlessEnded(() => {
      this.#step(replies);
      this.#flush();
    });
  }
}

/** Nobody waits for this: that the instance has ended, which was told where it ended, concerns nobody here. */
function unlessEnded(run: () => void): void {
  try {
    run();
  } catch (failure) {
    if (!(failure instanceof InstanceEnded)) throw failure;
  }
}
