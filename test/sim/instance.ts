// One instance of a server: a Raft, its view of the disk, and the driver around them. This is the
// host's half of the contract in ready.ts, small enough to compare with the real one.
//
// Outputs (messages, answers to clients) pass a gate: they leave only when every write before them
// is durable. Memory is the instance's own: when it ends, by crash, hibernation or exception, only
// the server's durable image is left.

import { Raft } from "../../src/core/raft/raft.ts";
import { readyWrites } from "../../src/core/raft/ready.ts";
import type { Ready } from "../../src/core/raft/ready.ts";
import type { Entry, Message, SnapshotFinal } from "../../src/core/raft/types.ts";
import { encodeCommand } from "./commands.ts";
import type { Operation, Outcome, Result } from "./commands.ts";
import type { DiskImage, Transaction } from "./disk.ts";
import type { SnapshotCursor } from "./machine.ts";
import type { Home, Surroundings } from "./surroundings.ts";
import { describe } from "./trace.ts";
import { InjectedFault } from "./violation.ts";

type Answer = (outcome: Outcome) => void;

interface WaitingRead {
  key: string;
  answer: Answer;
  index: number | null;
}

/** Timers up to this long are kept in memory; longer ones are the host's alarm. */
const timerMsMax = 5000;
const driverSteps = 5;

export class Instance {
  readonly world: Surroundings<Instance>;
  readonly server: Home<Instance>;
  readonly view: DiskImage;
  readonly incarnation: number;
  /** Newest commands that this instance's code can apply, and the ones it proposes. */
  readonly codeVersion: number;
  readonly raft: Raft;
  /** The instance has ended; nothing of it is heard any more. */
  ended = false;
  /** A newer instance exists; only memory is left to this one. */
  superseded = false;
  /** The driver throws at this step of its next pass. */
  throwAt: number | null = null;
  #written = 0;
  #durable = 0;
  #durableAt = 0;
  #gated: { after: number; run: () => void }[] = [];
  #timerAt: number | null = null;
  #writes = new Map<number, { term: number; answer: Answer }>();
  #reads = new Map<number, WaitingRead>();
  #cursors = new Map<number, SnapshotCursor>();

  constructor(world: Surroundings<Instance>, server: Home<Instance>) {
    this.world = world;
    this.server = server;
    this.view = server.durable.fork();
    const local = server.local();
    this.codeVersion = server.codeVersion;
    this.incarnation = local * 1024 + world.random.integer(0, 1024);
    const { view } = this;
    const { bug } = world;
    this.raft = new Raft({
      id: server.id,
      incarnation: this.incarnation,
      timing: world.options.timing,
      random: world.random,
      log: view,
      snapshots: this.#snapshots(),
      hardState: bug?.hardState?.(view.hardState) ?? view.hardState,
      configuration: view.configurationAt(view.lastIndex()),
      commitIndex: view.appliedIndex,
      appliedIndex: view.appliedIndex,
      nowMs: local,
      fresh: view.empty,
      installing: view.installing,
    });
    bug?.instance?.(this);
  }

  get idle(): boolean {
    return this.#durable === this.#written && this.#writes.size === 0 && this.#reads.size === 0;
  }

  #snapshots(): { open(s: number): void; next(s: number): SnapshotPiece; close(s: number): void } {
    return {
      open: (stream) => void this.#cursors.set(stream, this.view.machine.snapshot()),
      close: (stream) => {
        this.#cursors.get(stream)?.close();
        this.#cursors.delete(stream);
      },
      next: (stream) => {
        const piece = this.#cursors.get(stream)?.next() ?? { data: new Uint8Array(0), last: true };
        const index = this.view.appliedIndex;
        const configuration = this.view.configurationAt(index);
        const term = this.view.term(index) ?? 0;
        return { data: piece.data, final: piece.last ? { index, term, configuration } : null };
      },
    };
  }

  // Inputs.

  receive(message: Message): void {
    this.world.trace.line(this.world.queue.now, this.server.id, () => describe(message));
    const heard = this.world.bug?.incoming?.(this, message) ?? message;
    this.pass((raft, now) => raft.step(heard, now));
  }

  /** Runs one turn: an input, then everything that follows from it. */
  pass(input: (raft: Raft, nowMs: number) => void): void {
    if (this.ended) return;
    const now = this.server.local();
    try {
      input(this.raft, now);
      this.#drain(now);
    } catch (error) {
      if (!(error instanceof InjectedFault)) throw error;
      if (this.world.bug?.swallowExceptions === true) return;
      this.world.trace.line(this.world.queue.now, this.server.id, () => error.message);
      this.server.end(this, "exception");
    }
  }

  request(operation: Operation, answer: Answer, options: { leaderFailed: boolean }): void {
    this.pass((raft, now) => {
      const local = operation.type === "get" && this.#servesHere(operation.mode);
      if (operation.type === "get" && local) {
        this.#answerRead({ key: operation.key, answer, index: 0 });
        return;
      }
      if (raft.role !== "leader") {
        this.#redirect(answer, options.leaderFailed, now);
        return;
      }
      if (operation.type === "get") {
        const id = raft.readIndex(now, { lease: operation.mode === "default" });
        this.#reads.set(id, { key: operation.key, answer, index: null });
        return;
      }
      const data = encodeCommand(operation, now, this.codeVersion);
      const proposed = raft.propose([data], now);
      if ("notLeader" in proposed) this.#redirect(answer, false, now);
      else this.#writes.set(proposed.firstIndex, { term: proposed.term, answer });
    });
  }

  #servesHere(mode: string): boolean {
    if (this.raft.node.parked) return false;
    if (this.raft.installing && this.world.bug?.servesWhileInstalling !== true) return false;
    return mode === "stale" || (mode === "default" && this.world.bug?.servesDefault === true);
  }

  #redirect(answer: Answer, leaderFailed: boolean, now: number): void {
    const { leader } = this.raft;
    if (leader === null || leaderFailed) this.raft.leaderUnreachable(now);
    this.output(() => answer({ type: "redirect", leader: leaderFailed ? null : leader }));
  }

  // The driver.

  #drain(now: number): void {
    for (;;) {
      const ready = this.raft.takeReady(now);
      if (ready.empty) break;
      this.#perform(ready);
      this.#park(now);
    }
    if (this.raft.role === "leader" && !this.superseded) {
      this.world.safety.leads(this.server.id, this.raft);
    }
    this.#answerConfirmed();
    this.#arm();
  }

  /** The duties of ready.ts, in order; each may be the one that throws. */
  #perform(ready: Ready): void {
    const early = this.world.bug?.sendBeforePersist === true;
    if (early) this.#send(ready.messages, 0);
    this.#mayThrow(0, ready);
    this.view.persist(ready);
    this.#mayThrow(1, ready);
    if (ready.committed.length > 0) this.#applyCommitted(ready);
    const { appliedIndex } = this.view;
    const writes = readyWrites(ready) || ready.committed.length > 0;
    if (writes && this.throwAt !== 3) this.write({ type: "ready", ready, appliedIndex });
    this.#mayThrow(3, ready);
    this.raft.acknowledge(ready, appliedIndex);
    if (!early) this.#send(ready.messages, this.#written);
    this.#mayThrow(4, null);
    for (const event of ready.snapshot) if (event.kind === "begin") this.#writes.clear();
    for (const { id, index } of ready.reads) this.#confirmed(id, index);
  }

  /** The transaction is rolled back with the instance: nothing of it becomes durable. */
  #mayThrow(step: number, ready: Ready | null): void {
    if (this.throwAt !== step) return;
    this.throwAt = null;
    if (ready !== null && this.world.bug?.swallowExceptions === true) this.raft.acknowledge(ready);
    throw new InjectedFault(`driver throws at step ${step}`);
  }

  failNextPass(): void {
    this.throwAt = this.world.random.integer(0, driverSteps);
  }

  #applyCommitted(ready: Ready): void {
    const { committed } = ready;
    if (this.throwAt === 2) {
      this.view.apply(committed.slice(0, 1), this.codeVersion);
      this.#mayThrow(2, ready);
    }
    const rest = committed.filter((entry) => entry.index > this.view.appliedIndex);
    const results = this.view.apply(rest, this.codeVersion);
    for (const [at, result] of results.entries()) this.#settle(rest[at] as Entry, result);
  }

  /** A command of newer code stops this server from applying, serving and leading. */
  #park(now: number): void {
    const parked = this.view.machine.parkedAt !== null;
    if (parked === this.raft.node.parked) return;
    this.server.note(parked ? `parked at ${this.view.machine.parkedAt}` : "applies again");
    this.raft.park(parked, now);
  }

  #settle(entry: Entry, result: Result | null): void {
    const waiting = this.#writes.get(entry.index);
    if (waiting === undefined) return;
    this.#writes.delete(entry.index);
    const { index } = entry;
    const ours = waiting.term === entry.term && result !== null;
    const outcome: Outcome = ours ? { type: "written", result, index } : { type: "lost" };
    // Its transaction is written next, so the answer waits for that one.
    this.#gated.push({ after: this.#written + 1, run: () => waiting.answer(outcome) });
  }

  write(transaction: Transaction): void {
    const number = ++this.#written;
    const { queue } = this.world;
    const latency = this.server.diskLatencyMs();
    if (latency === 0 && this.#durable === number - 1) {
      this.#becameDurable(number, transaction);
      return;
    }
    this.#durableAt = Math.max(this.#durableAt, queue.now + latency);
    queue.at(this.#durableAt, () => this.#becameDurable(number, transaction));
  }

  #becameDurable(number: number, transaction: Transaction): void {
    if (this.ended || this.superseded || this.#durable >= number) return;
    this.server.durable.run(transaction);
    this.world.safety.durable(this.server.id, this.server.durable, transaction);
    this.#durable = number;
    this.#release();
  }

  #release(): void {
    while (this.#gated[0] !== undefined && this.#gated[0].after <= this.#durable) {
      this.#gated.shift()?.run();
    }
  }

  output(run: () => void): void {
    this.#gate(this.#written, run);
  }

  #gate(after: number, run: () => void): void {
    if (after <= this.#durable && this.#gated.length === 0) run();
    else this.#gated.push({ after, run });
  }

  #send(messages: Message[], after: number): void {
    for (const message of messages) {
      const sent = this.world.bug?.outgoing?.(this, message) ?? message;
      if (after === 0) this.world.carry(sent);
      else this.#gate(after, () => this.world.carry(sent));
    }
  }

  // Reads.

  #confirmed(id: number, index: number | null): void {
    const read = this.#reads.get(id);
    if (read === undefined) return;
    if (index === null) {
      this.#reads.delete(id);
      this.output(() => read.answer({ type: "redirect", leader: null }));
    } else read.index = index;
  }

  #answerConfirmed(): void {
    for (const [id, read] of this.#reads) {
      if (read.index === null || read.index > this.view.appliedIndex) continue;
      this.#reads.delete(id);
      this.#answerRead(read);
    }
  }

  #answerRead({ key, answer }: WaitingRead): void {
    const found = this.view.machine.get(key);
    const index = this.view.appliedIndex;
    this.output(() => answer({ type: "read", found, index }));
  }

  // Time.

  #arm(): void {
    const deadline = this.raft.nextDeadlineMs();
    if (deadline === null) return;
    const local = this.server.local();
    if (this.raft.node.quiescent && deadline - local > timerMsMax) {
      this.server.armAlarm(deadline);
      return;
    }
    const at = Math.max(this.server.clock.real(deadline), this.world.queue.now);
    if (this.#timerAt !== null && this.#timerAt <= at) return;
    this.#timerAt = at;
    this.world.queue.at(at + 0.001, () => this.#timer(at));
  }

  #timer(at: number): void {
    if (this.#timerAt !== at) return;
    this.#timerAt = null;
    this.pass((raft, now) => raft.tick(now));
  }

  /** Nothing of this instance's memory would be missed by the platform. */
  get mayHibernate(): boolean {
    const deadline = this.raft.nextDeadlineMs();
    const sleepy = deadline === null || deadline - this.server.local() > timerMsMax;
    return this.idle && sleepy;
  }

  compact(index: number): void {
    if (index <= this.view.baseIndex()) return;
    this.view.compact(index);
    this.write({ type: "compact", index });
  }

  /** After its end: nobody asks its state any more. */
  close(): void {
    this.ended = true;
    this.view.machine.close();
  }
}

interface SnapshotPiece {
  data: Uint8Array;
  final: SnapshotFinal | null;
}
