// SWIM's failure detector as a state machine: what was heard and the time go in, what is to be sent comes out. It
// probes one member after the other, asks others to do so when one is silent, and passes news on with whatever it
// says.

import type { Random } from "../../lib/random.ts";
import { type Endpoint, isPresent, type Peer, type SwimMember } from "./members.ts";
import { Membership } from "./membership.ts";
import {
  type Introduction,
  messageBytesMax,
  packMessage,
  type SwimHead,
  type SwimMessage,
} from "./messages.ts";
import { calmFactor, indirectProbes, scaled, type SwimTiming } from "./timing.ts";
import { type Waiting, WaitingPings } from "./waiting-pings.ts";

/** Every so many probes one that is gone is asked, too: that is how the parts of a network find each other again. */
const goneEvery = 5;

export interface SwimParts {
  self: Introduction;
  timing: SwimTiming;
  random: Random;
  /** A member that is gone is forgotten after so long. */
  forgetMs: number;
}

/** Where something came from: answers to what came by a stream go back by it. */
export interface Source extends Endpoint {
  stream?: number;
}

export interface Sent {
  to: Source;
  bytes: Uint8Array;
}

/** What came of {@link Swim.reach}. */
export interface Reached {
  id: number;
  isReached: boolean;
  /** Of a datagram that was answered in time. */
  roundTripMs: number | null;
}

/** For the host, which does all of it at once and in any order. */
export interface SwimOutput {
  datagrams: Sent[];
  /** Each to be sent over a connection of its own, whose answer is heard like any other. */
  streams: Sent[];
  reached: Reached[];
  /** Whom this agent could not reach by any way, as of now: to be told to the pool. */
  unreachable: string[];
}

export class Swim {
  readonly membership: Membership;
  /** There is no socket to a pool: then this agent looks around as often as SWIM's agents do. */
  uneasy = false;
  readonly #timing: SwimTiming;
  readonly #waiting: WaitingPings;
  #output: SwimOutput = emptyOutput();
  #probedMs: number;
  #probes = 0;
  #gossipedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SwimParts, nowMs: number) {
    this.membership = new Membership(parts);
    this.#timing = parts.timing;
    this.#waiting = new WaitingPings(parts.random);
    // Agents that are started together do not probe together.
    this.#probedMs = nowMs - parts.random.next() * this.#probeIntervalMs();
  }

  /** What there is to do since the last call. */
  take(): SwimOutput {
    const output = this.#output;
    this.#output = emptyOutput();
    return output;
  }

  /** When to call {@link wake} next; null while there is nobody to probe and nothing to wait for. */
  get dueMs(): number | null {
    const { membership } = this;
    const due = [
      this.#waiting.dueMs,
      membership.dueMs,
      membership.table.size > 0 ? this.#probedMs + this.#probeIntervalMs() : null,
      membership.hasNews && membership.count > 1 ? this.#gossipMs() : null,
    ].filter((atMs) => atMs !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Members as the pool knows them. */
  introduce(peers: readonly Peer[], nowMs: number): void {
    this.membership.introduce(peers, nowMs);
  }

  /** Time has passed. */
  wake(nowMs: number): void {
    for (const due of this.#waiting.due(nowMs)) this.#unanswered(due, nowMs);
    this.membership.expire(nowMs);
    if (this.membership.hasNews && nowMs >= this.#gossipMs()) this.#gossip(nowMs);
    if (nowMs >= this.#probedMs + this.#probeIntervalMs()) this.#probe(nowMs);
  }

  heard(message: SwimMessage, source: Source, nowMs: number): void {
    for (const update of message.updates) this.membership.apply(update, nowMs);
    const { seq } = message;
    switch (message.kind) {
      case "ping": {
        const { to, from } = message;
        // The address may have become somebody else's.
        if (to !== this.membership.self.name) return;
        this.membership.met(from, nowMs);
        return this.#send({ kind: "ack", seq }, source, this.#member(from.name));
      }
      case "ack":
        return this.#acknowledged(seq, nowMs);
      case "nack":
        return this.#waiting.nacked(seq);
      case "ask":
        return this.#relay(message.target, { to: source, seq }, nowMs);
      case "gossip":
    }
  }

  /**
   * Finds out whether `target` can be reached, by datagram, then by stream. The answer is in the output, soon, under
   * the number that this gives back; null when too much is being asked already.
   */
  reach(target: Peer, nowMs: number): number | null {
    const dueMs = nowMs + scaled(this.#timing.probeTimeoutMs, this.membership.health);
    const seq = this.#waiting.add({ kind: "reach", target, sentMs: nowMs, dueMs });
    if (seq !== null) this.#ping(target, seq);
    return seq;
  }

  /** Tells some others that this agent leaves. */
  leave(nowMs: number): void {
    this.membership.leave();
    this.#gossip(nowMs);
  }

  #member(name: string): SwimMember | undefined {
    return this.membership.table.find(name);
  }

  get #isCalm(): boolean {
    return !this.uneasy && this.membership.isCalm && this.membership.health === 0;
  }

  #probeIntervalMs(): number {
    const { probeIntervalMs } = this.#timing;
    return this.#isCalm
      ? probeIntervalMs * calmFactor
      : scaled(probeIntervalMs, this.membership.health);
  }

  #gossipMs(): number {
    return this.#gossipedMs + this.#timing.gossipIntervalMs;
  }

  #probe(nowMs: number): void {
    this.#probedMs = nowMs;
    this.#probes += 1;
    const { table, health } = this.membership;
    const target = table.next(isPresent);
    // Whoever has left comes back by itself.
    const [gone] = table.sample(1, ({ status }) => status === "dead");
    if (gone && (!target || this.#probes % goneEvery === 0)) return this.#ping(gone, 0);
    if (!target) return;
    const { name, host, port } = target;
    const dueMs = nowMs + scaled(this.#timing.probeTimeoutMs, health);
    const seq = this.#waiting.add({
      kind: "probe",
      target: { name, host, port },
      sentMs: nowMs,
      dueMs,
    });
    if (seq !== null) this.#ping(target, seq);
  }

  #ping(target: Peer, seq: number): void {
    const head = { kind: "ping", seq, to: target.name, from: this.membership.self } as const;
    this.#send(head, target, this.#member(target.name));
  }

  /** The same by a stream: a network may lose every datagram. */
  #pingByStream(target: Peer, seq: number): void {
    const head = { kind: "ping", seq, to: target.name, from: this.membership.self } as const;
    this.#output.streams.push({
      to: endpointOf(target),
      bytes: this.#pack(head, this.#member(target.name)),
    });
  }

  #acknowledged(seq: number, nowMs: number): void {
    const waiting = this.#waiting.take(seq);
    if (!waiting) return;
    const { kind, sentMs, asker, isLate } = waiting;
    if (kind === "probe") this.membership.feel(-1);
    if (kind === "relay" && asker) this.#send({ kind: "ack", seq: asker.seq }, asker.to);
    const roundTripMs = isLate ? null : nowMs - sentMs;
    if (kind === "reach") this.#output.reached.push({ id: seq, isReached: true, roundTripMs });
  }

  #relay(target: Peer, asker: { to: Source; seq: number }, nowMs: number): void {
    const dueMs = nowMs + scaled(this.#timing.probeTimeoutMs, this.membership.health) * 0.8;
    const seq = this.#waiting.add({ kind: "relay", target, sentMs: nowMs, dueMs, asker });
    if (seq !== null) this.#ping(target, seq);
  }

  /** A ping was not answered in time. The first time another way is tried. */
  #unanswered({ seq, waiting }: { seq: number; waiting: Waiting }, nowMs: number): void {
    const { kind, target, asker, isLate } = waiting;
    if (isLate) {
      this.#waiting.take(seq);
      if (kind === "probe") this.#failed(waiting, nowMs);
      if (kind === "reach")
        this.#output.reached.push({ id: seq, isReached: false, roundTripMs: null });
      return;
    }
    const { probeIntervalMs, probeTimeoutMs } = this.#timing;
    const health = this.membership.health;
    const patienceMs = Math.max(
      scaled(probeIntervalMs, health),
      3 * scaled(probeTimeoutMs, health),
    );
    this.#waiting.late(seq, waiting.sentMs + patienceMs);
    // Lifeguard: whoever asked learns that this one is there, and only the other one silent.
    if (kind === "relay" && asker) return this.#send({ kind: "nack", seq: asker.seq }, asker.to);
    this.#pingByStream(target, seq);
    if (kind === "probe") waiting.asked = this.#askOthers(target, seq);
  }

  /** How many were asked to ping it. */
  #askOthers(target: Peer, seq: number): number {
    const others = this.membership.table.sample(
      indirectProbes,
      ({ name, status }) => status === "alive" && name !== target.name,
    );
    for (const other of others) this.#send({ kind: "ask", seq, target }, other, other);
    return others.length;
  }

  /** Whoever hears nothing from those it asked, either, has reason to doubt itself. */
  #failed({ target, asked, nacks }: Waiting, nowMs: number): void {
    this.membership.feel(asked > 0 ? asked - Math.min(nacks, asked) : 1);
    const isNew = this.membership.suspect(target.name, nowMs);
    if (isNew) this.#output.unreachable.push(target.name);
  }

  #gossip(nowMs: number): void {
    this.#gossipedMs = nowMs;
    for (const member of this.membership.table.sample(this.#timing.gossipNodes, isPresent)) {
      if (this.membership.hasNews) this.#send({ kind: "gossip", seq: 0 }, member, member);
    }
  }

  #send(head: SwimHead, to: Source, member?: SwimMember): void {
    this.#output.datagrams.push({ to: endpointOf(to), bytes: this.#pack(head, member) });
  }

  #pack(head: SwimHead, to: SwimMember | undefined): Uint8Array {
    const bare = packMessage(head, []);
    return packMessage(head, this.membership.news(to, messageBytesMax - bare.length));
  }
}

function emptyOutput(): SwimOutput {
  return { datagrams: [], streams: [], reached: [], unreachable: [] };
}

function endpointOf({ host, port, stream }: Source): Source {
  return { host, port, ...(stream !== undefined && { stream }) };
}
