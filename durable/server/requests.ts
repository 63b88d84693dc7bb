// What a server does with a read or a write, whoever asked and however it came: decide who must answer, wait until
// that is allowed, evaluate. Holds the consistency modes of design §5:
//
//   stale       this server, at once
//   default     the leader under its lease; a follower asks the leader for an index and answers when it got there
//   consistent  the same after a quorum round, and a local write that fences a superseded instance
//
// A request is tried again only when it certainly was not accepted, within `leaderWaitMs`.

import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { CommandOutcome } from "../../src/core/state/commands.ts";
import type { CommandOrigin } from "../../src/core/state/envelope.ts";
import type { Applied, Evaluated, StateMachine } from "../../src/core/state/machine.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { Access, Resource } from "../../src/core/state/authorizer.ts";
import type { ReadName } from "../../src/core/state/reads.ts";
import { list } from "../../src/core/state/rows.ts";
import {
  encodeSessionRow,
  findSession,
  sessionOf,
} from "../../src/core/state/tables/session/session.ts";
import { tokenOf } from "../../src/link/cluster.ts";
import type { ReadRequest, RenewRequest, WriteRequest } from "../../src/link/protocol.ts";
import { sleep, type Timers, withTimeout } from "../../src/ports/timers.ts";
import type { AclReset } from "./acl-reset.ts";
import type { AuthorityBeginning } from "./authority-beginning.ts";
import { Batcher } from "./batcher.ts";
import {
  type ForwardedBatch,
  type ForwardedOutcome,
  ForwardedWrites,
  TakenWrites,
} from "./forwarded-writes.ts";
import type { PeerTransport } from "../raft/transport.ts";
import { VoterCommands } from "../raft/voter-commands.ts";
import type { RaftDriver } from "../raft/driver.ts";
import { NotLeader, OutcomeUnknown } from "../raft/outcome.ts";
import type { ServerTelemetry } from "./telemetry.ts";
import type { SessionTimers } from "../leader/session-timers.ts";

/** Consul's rpc_hold_timeout. */
const leaderWaitMs = 7_000;
const leaderWriteTimeoutMs = 5_000;
/** For work that asks others: a little longer than the leader lets it take. */
const leaderWorkTimeoutMs = limits.loginMsMax + 500;
/** Whoever cannot reach the leader in this time asks for a pre-vote (design §3, quiescence). */
const leaderReachTimeoutMs = 2_000;
const applyWaitMs = 5_000;
/** One entry must fit a row of the log. */
const commandBytesMax = 1_000_000;
const leaderPollMs = 50;
/** How long a read with an index from another server waits here for that index. */
const indexWaitMs = 1_000;
const decoder = new TextDecoder();

export interface RequestParts {
  driver: RaftDriver;
  raft: Raft;
  machine: StateMachine;
  transport: PeerTransport;
  sessions: SessionTimers;
  aclReset: AclReset;
  beginning: Pick<AuthorityBeginning, "isAwaited" | "begun">;
  telemetry: Pick<ServerTelemetry, "applied">;
  timers: Timers;
  /** Names this instance of this server in what it forwards. */
  origin: string;
  datacenter: string;
  nowMs(): number;
}

/** Neither: the one that was asked does not lead. */
export interface LeaderAnswer<Body> {
  body?: Body;
  error?: ErrorData;
}

export class ServerRequests {
  readonly #parts: RequestParts;
  readonly #forwarded: ForwardedWrites;
  readonly #taken = new TakenWrites();
  readonly #voters: VoterCommands;
  readonly #indexesFromLeader: Batcher<boolean, number | null>;

  constructor(parts: RequestParts) {
    this.#parts = parts;
    this.#voters = new VoterCommands(parts);
    this.#forwarded = new ForwardedWrites({
      origin: parts.origin,
      term: () => parts.raft.term,
      call: (batch) => this.#callLeader("forward", batch),
    });
    this.#indexesFromLeader = new Batcher(async (leases) => {
      // One question serves all: the strictest of them decides.
      const lease = leases.every(Boolean);
      const index = await this.#callLeader<number | null>("read-index", { lease });
      return leases.map(() => index);
    });
  }

  /** Whether this server may answer the read as its state is now, without asking or waiting. Throws ServiceError. */
  mayAnswerAtOnce(request: ReadRequest): boolean {
    const { minIndex = 0 } = request;
    return (
      this.serves() && minIndex <= this.#parts.machine.visibleIndex && this.#isAllowed(request)
    );
  }

  /** Half a snapshot, or a state that stopped at a command of a newer version, is nobody's answer. */
  serves(): boolean {
    return !this.#parts.raft.installing && this.#parts.machine.parkedAt === null;
  }

  #isAllowed(request: ReadRequest): boolean {
    this.requireDatacenter(request.dc);
    if (this.#parts.beginning.isAwaited(request.read)) return false;
    const mode = request.consistency ?? "default";
    if (mode === "stale") return !this.#tooStale(request);
    return mode === "default" && this.#parts.raft.leaseValid(this.#parts.nowMs());
  }

  /** Rejects with ServiceError. */
  async read(request: ReadRequest): Promise<Evaluated> {
    await this.readable(request);
    return this.evaluate(request);
  }

  /**
   * Resolves when this server may answer the read. Whoever wants to wait for a change must evaluate and register in
   * one turn after this, or a change in between is missed. Rejects with ServiceError.
   */
  async readable(request: ReadRequest): Promise<void> {
    const { machine, driver, beginning } = this.#parts;
    await this.#untilLed(async () => {
      if (!this.serves()) throw new NotLeader("this server's state is not whole");
      await Promise.resolve();
    });
    if (request.minIndex !== undefined) {
      await driver.waitApplied(machine.logIndexOf(request.minIndex), indexWaitMs);
    }
    if (beginning.isAwaited(request.read)) await beginning.begun();
    if (this.#isAllowed(request)) return;
    const lease = request.consistency !== "consistent";
    const index = await this.#linearizableIndex(lease);
    if (!(await driver.waitApplied(index, applyWaitMs))) {
      throw new ServiceError("no-leader", "No cluster leader");
    }
  }

  /** The state as it is here. Every read of replicated state passes this line. */
  evaluate(request: ReadRequest): Evaluated {
    return this.#parts.machine.read(request.read as ReadName, request.args, {
      nowMs: this.#parts.nowMs(),
      ...tokenOf(request),
    });
  }

  /** Throws ServiceError unless whoever asks may do this. */
  permit(what: readonly [Resource, string, Access], request: { token?: string }): void {
    const { machine, nowMs } = this.#parts;
    machine.gate.permit(what, { ...tokenOf(request), nowMs: nowMs() });
  }

  /**
   * Resolves when the command is applied, at the leader or here. It is tried as long as it certainly was not accepted,
   * and what may have been is waited for. Rejects with ServiceError.
   */
  async write(request: WriteRequest): Promise<JsonValue> {
    this.requireDatacenter(request.dc);
    const deadlineMs = this.#parts.nowMs() + leaderWaitMs;
    const outcome = await this.#untilLed(() => this.#writeOnce(request, deadlineMs));
    if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
    const { machine, nowMs } = this.#parts;
    const shown = { ...tokenOf(request), nowMs: nowMs() };
    return machine.gate.reveal(request.write.type, outcome.value, shown) as JsonValue;
  }

  /** A follower's writes, here because this server should lead. Never forwards again. */
  async takeForwarded({ term, origin, writes }: ForwardedBatch): Promise<ForwardedOutcome[]> {
    return await Promise.all(
      writes.map(async ({ sequence, request }): Promise<ForwardedOutcome> => {
        if (!this.#taken.take(origin, sequence)) return { unknown: true };
        try {
          return await this.#writeHere(request, { term, origin: { name: origin, sequence } });
        } catch (failure) {
          if (failure instanceof NotLeader) return { notLeader: true };
          if (failure instanceof OutcomeUnknown) return { unknown: true };
          if (!(failure instanceof ServiceError)) throw failure;
          return { ok: false, error: { code: failure.code, message: failure.message } };
        }
      }),
    );
  }

  /** Entries were applied here, the last of them of `term`. */
  applied(entries: readonly Applied[], term: number): void {
    this.#forwarded.applied(entries, term);
  }

  /** A snapshot took the place of the log. */
  replaced(): void {
    this.#forwarded.replaced();
  }

  /** Restarts a session's TTL. Resolves to the body of its `session.info`. */
  async renew(request: RenewRequest): Promise<string> {
    this.requireDatacenter(request.dc);
    const { driver, sessions, machine } = this.#parts;
    return await this.atLeader("renew", request, async () => {
      const index = await driver.readIndex({ lease: true });
      if (index === null) throw new NotLeader("leadership was lost");
      await driver.waitApplied(index, applyWaitMs);
      await sessions.settled(request.renew);
      const session = machine.ask((state) => findSession(state, request.renew));
      if (!session) {
        throw new ServiceError("not-found", `Session id '${request.renew}' not found`);
      }
      this.permit(["session", sessionOf(session).Node, "write"], request);
      sessions.renewed(session.id);
      return list([encodeSessionRow(session)]);
    });
  }

  /**
   * What only the leader does: `here` when this server leads, else the operation `op` of the one that does, until there
   * is one. Rejects with ServiceError.
   */
  async atLeader<Body>(op: string, body: unknown, here: () => Promise<Body>): Promise<Body> {
    return await this.#untilLed(async () => {
      if (this.#parts.raft.role === "leader") return await here();
      const answer = await this.#callLeader<LeaderAnswer<Body>>(op, body);
      if (answer.error) throw new ServiceError(answer.error.code, answer.error.message);
      if (answer.body === undefined) throw new NotLeader("the leader stepped down");
      return answer.body;
    });
  }

  /** The same for what must not happen twice: when the answer is lost, nobody can tell what became of it. */
  async onceAtLeader<Body>(op: string, body: unknown, here: () => Promise<Body>): Promise<Body> {
    return await this.#untilLed(async () => {
      if (this.#parts.raft.role === "leader") return await here();
      const answer = await this.#callLeader<LeaderAnswer<Body>>(op, body, leaderWorkTimeoutMs);
      if (answer.error) throw new ServiceError(answer.error.code, answer.error.message);
      if (answer.body === undefined) throw new NotLeader("the leader stepped down");
      return answer.body;
    });
  }

  async #writeOnce(request: WriteRequest, deadlineMs: number): Promise<CommandOutcome> {
    const { raft, timers, nowMs } = this.#parts;
    const late = (): Error => new OutcomeUnknown("EOF");
    const leftMs = Math.max(0, deadlineMs - nowMs());
    if (raft.role === "leader") {
      return await withTimeout(timers, this.#writeHere(request), leftMs, late);
    }
    if (!this.#leader()) {
      this.#reportUnreachable();
      throw new NotLeader("no leader is known");
    }
    const { settled, abandon } = this.#forwarded.write(request);
    try {
      return await withTimeout(timers, settled, leftMs, late);
    } finally {
      abandon();
    }
  }

  /**
   * For what only a leader may say: proposed by this server in the term that it leads, or rejected with NotLeader.
   * Rejects with ServiceError when the command is refused.
   */
  async writeHere(request: WriteRequest): Promise<JsonValue> {
    const outcome = await this.#writeHere(request, { term: this.#parts.raft.term, isOwn: true });
    if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
    return outcome.value as JsonValue;
  }

  /** Hands a question to the leader. Rejects with NotLeader when none could be asked. */
  async askLeader<Answer>(op: string, body: unknown): Promise<Answer> {
    return await this.#callLeader<Answer>(op, body);
  }

  async #writeHere(
    request: WriteRequest,
    only: { term?: number; origin?: CommandOrigin; isOwn?: boolean } = {},
  ): Promise<CommandOutcome> {
    const { machine, driver, raft, telemetry, nowMs } = this.#parts;
    if (raft.role !== "leader") throw new NotLeader("this server is not the leader");
    const { isOwn = false } = only;
    const given = this.#parts.aclReset.complete(request.write);
    const command = machine.admit(given, { ...tokenOf(request), isOwn, nowMs: nowMs() });
    const common = machine.isCommonlyKnown(command) ? {} : await this.#voters.common();
    const bytes = machine.encode(command, nowMs(), common, only.origin);
    if (bytes.length > commandBytesMax) {
      const size = `${bytes.length} > ${commandBytesMax} bytes`;
      throw new ServiceError("too-large", `Command is too large (${size})`);
    }
    const startMs = nowMs();
    const outcome = await driver.propose(bytes, only.term);
    telemetry.applied(request.write.type, startMs);
    if (outcome.ok) this.#parts.aclReset.applied(given);
    return outcome;
  }

  async #linearizableIndex(lease: boolean): Promise<number> {
    return await this.#untilLed(async () => {
      const index =
        this.#parts.raft.role === "leader"
          ? await this.#parts.driver.readIndex({ lease })
          : await this.#indexesFromLeader.ask(lease);
      if (index === null) throw new NotLeader("leadership was lost");
      return index;
    });
  }

  /** Tries until a leader took it, at most `leaderWaitMs`; anything but NotLeader ends the attempts. */
  async #untilLed<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const deadlineMs = this.#parts.nowMs() + leaderWaitMs;
    for (;;) {
      try {
        return await attempt();
      } catch (failure) {
        if (failure instanceof OutcomeUnknown) {
          throw new ServiceError("unknown-outcome", `rpc error making call: ${failure.message}`);
        }
        if (!(failure instanceof NotLeader)) throw failure;
        if (this.#parts.nowMs() >= deadlineMs) {
          throw new ServiceError("no-leader", "No cluster leader");
        }
        await sleep(this.#parts.timers, leaderPollMs);
      }
    }
  }

  /** `onceTimeoutMs`: it may take so long, and is not to be asked again. */
  async #callLeader<Answer>(op: string, body: unknown, onceTimeoutMs?: number): Promise<Answer> {
    const leader = this.#leader();
    if (!leader) {
      this.#reportUnreachable();
      throw new NotLeader("no leader is known");
    }
    const isWrite = op === "forward";
    let bytes: Uint8Array;
    try {
      bytes = await this.#parts.transport.call(
        leader,
        op,
        JSON.stringify(body),
        onceTimeoutMs ?? (isWrite ? leaderWriteTimeoutMs : leaderReachTimeoutMs),
      );
    } catch (failure) {
      this.#reportUnreachable();
      // A read may be asked again; a write may have been accepted before the answer was lost.
      if (isWrite) throw failure;
      if (onceTimeoutMs !== undefined) throw new OutcomeUnknown("EOF");
      throw new NotLeader("the leader cannot be reached");
    }
    return JSON.parse(decoder.decode(bytes)) as Answer;
  }

  /** A quiescent group has no election timers: failure is found by use, which is here. */
  #reportUnreachable(): void {
    this.#parts.raft.leaderUnreachable(this.#parts.nowMs());
    this.#parts.driver.schedule();
  }

  #leader(): Member | undefined {
    const { leader, configuration, role } = this.#parts.raft;
    if (leader === null || role === "leader") return undefined;
    return configuration.members.find(({ id }) => id === leader);
  }

  #tooStale(request: ReadRequest): boolean {
    if (request.maxStaleMs === undefined) return false;
    return this.lastContactMs() > request.maxStaleMs;
  }

  lastContactMs(): number {
    const { raft, nowMs } = this.#parts;
    if (raft.role === "leader") return 0;
    // Never heard of a leader: as long ago as can be said.
    const ageMs = Math.max(0, nowMs() - raft.lastContactMs);
    return Number.isFinite(ageMs) ? Math.round(ageMs) : Number.MAX_SAFE_INTEGER;
  }

  /** Throws ServiceError for any but this one. */
  requireDatacenter(dc: string | undefined): void {
    if (dc === undefined || dc === "" || dc === this.#parts.datacenter) return;
    throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
  }
}
