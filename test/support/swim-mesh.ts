// Agents of the gossip mesh on a simulated network: the product's state machine, virtual time, and a network that
// loses, delays, and is cut between any two, in one direction or both. A paused agent hears everything when it goes
// on.

import { type MemberUpdate, type SwimStatus } from "../../src/core/gossip/swim/members.ts";
import { unpackMessage } from "../../src/core/gossip/swim/messages.ts";
import { type Source, Swim, type SwimOutput } from "../../src/core/gossip/swim/swim.ts";
import { lanTiming } from "../../src/core/gossip/swim/timing.ts";
import { type Random, seededRandom } from "../../src/core/lib/random.ts";
import { EventQueue } from "../sim/event-queue.ts";

/** IP and UDP headers, and the seal. */
export const datagramOverhead = 28 + 33;
const day = 86_400_000;
const firstIncarnation = 1_000;

export class MeshAgent {
  readonly name: string;
  readonly host: string;
  swim: Swim | null = null;
  /** Bytes that it sent and that came, with all headers. */
  bytes = 0;
  isPaused = false;
  /** What happened while it was paused. */
  late: (() => void)[] = [];
  /** Whom it could not reach, in order. */
  readonly unreachable: string[] = [];
  readonly reached: SwimOutput["reached"] = [];
  /** Is called with whom it could not reach, and with what came of {@link Swim.reach}. */
  tells: ((output: Pick<SwimOutput, "unreachable" | "reached">) => void) | null = null;
  /** Drawn anew at each start. */
  life = 0;
  timer = 0;

  constructor(name: string, host: string) {
    this.name = name;
    this.host = host;
  }

  /** What it holds true of another one; null when it does not know it. */
  statusOf(name: string): SwimStatus | null {
    return this.swim?.membership.table.find(name)?.status ?? null;
  }
}

export interface MeshOptions {
  seed: number;
  agents: number;
  /** Probability that a datagram is lost. */
  loss?: number;
  /** Whether anything at all passes. */
  passes?: (from: MeshAgent, to: MeshAgent) => boolean;
  /** Each is told of so many others at its start, as a pool does. */
  introduced?: number;
  /** Absent: one of its own. */
  queue?: EventQueue;
  /** False: each is started by hand. */
  isStarted?: boolean;
}

export class Mesh {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly agents: MeshAgent[];
  readonly #byHost: Map<string, MeshAgent>;
  readonly #introduced: number;
  loss: number;
  passes: (from: MeshAgent, to: MeshAgent) => boolean;

  constructor(options: MeshOptions) {
    const { seed, agents, loss = 0, passes, introduced = 16, isStarted = true } = options;
    this.queue = options.queue ?? new EventQueue();
    this.random = seededRandom(seed);
    this.loss = loss;
    this.#introduced = introduced;
    this.passes = passes ?? (() => true);
    this.agents = Array.from({ length: agents }, (_, n) => {
      return new MeshAgent(`host-${n}`, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    });
    this.#byHost = new Map(this.agents.map((agent) => [agent.host, agent]));
    if (isStarted) for (const agent of this.agents) this.start(agent);
  }

  get running(): MeshAgent[] {
    return this.agents.filter(({ swim }) => swim !== null);
  }

  /** A process begins, and a pool names it some of the others. */
  start(agent: MeshAgent): void {
    const { name, host } = agent;
    agent.life += 1;
    const incarnation = firstIncarnation + agent.life * 100;
    const self = { name, host, port: 8301, incarnation };
    const parts = { self, timing: lanTiming, random: this.random, forgetMs: 3 * day };
    agent.swim = new Swim(parts, this.queue.now);
    this.introduce(agent);
  }

  introduce(agent: MeshAgent): void {
    const peers = Array.from({ length: this.#introduced }, () => {
      const { name, host } = this.agents[this.random.integer(0, this.agents.length)] as MeshAgent;
      return { name, host, port: 8301 };
    });
    this.act(agent, (swim) => swim.introduce(peers, this.queue.now));
  }

  crash(agent: MeshAgent): void {
    agent.swim = null;
    agent.isPaused = false;
    agent.late = [];
  }

  pause(agent: MeshAgent, ms: number): void {
    agent.isPaused = true;
    const { life } = agent;
    this.queue.after(ms, () => {
      if (agent.life !== life || !agent.isPaused) return;
      agent.isPaused = false;
      for (const happened of agent.late.splice(0)) happened();
    });
  }

  run(ms: number): void {
    this.queue.runUntil(this.queue.now + ms);
  }

  /** Does something at an agent, and what follows from it. */
  act(agent: MeshAgent, what: (swim: Swim) => void): void {
    const { swim } = agent;
    if (!swim) return;
    if (agent.isPaused) return void agent.late.push(() => this.act(agent, what));
    what(swim);
    const { datagrams, streams, unreachable, reached } = swim.take();
    agent.unreachable.push(...unreachable);
    agent.reached.push(...reached);
    if (unreachable.length + reached.length > 0) agent.tells?.({ unreachable, reached });
    for (const { to, bytes } of datagrams) this.#carry(agent, to, bytes);
    for (const { to, bytes } of streams) this.#carry(agent, { ...to, stream: 1 }, bytes);
    this.#arm(agent, swim);
  }

  #arm(agent: MeshAgent, swim: Swim): void {
    const timer = ++agent.timer;
    const { dueMs } = swim;
    if (dueMs === null) return;
    this.queue.at(dueMs, () => {
      if (agent.timer !== timer || agent.swim !== swim) return;
      this.act(agent, () => swim.wake(this.queue.now));
    });
  }

  #carry(from: MeshAgent, { host, stream }: Source, bytes: Uint8Array): void {
    const to = this.#byHost.get(host);
    from.bytes += bytes.length + datagramOverhead;
    // TCP sends again what is lost.
    const loss = stream === undefined ? this.loss : 0;
    if (!to || this.random.next() < loss || !this.passes(from, to)) return;
    const message = unpackMessage(bytes);
    if (!message) throw new Error("an agent has sent what no agent can read");
    const source = { host: from.host, port: 8301, ...(stream !== undefined && { stream }) };
    this.queue.after(0.2 + this.random.next() * 2, () => {
      to.bytes += bytes.length + datagramOverhead;
      this.act(to, (swim) => swim.heard(message, source, this.queue.now));
    });
  }
}

export function update(
  status: SwimStatus,
  name: string,
  incarnation: number,
  by = "",
): MemberUpdate {
  return { status, name, incarnation, by, host: "10.0.0.9", port: 8301 };
}
