// A datacenter of simulated machines that run the real hosts: three servers, two agents, one queue of events, one seed.

import { type Random, seededRandom } from "../../../src/core/lib/random.ts";
import { EventQueue } from "../event-queue.ts";
import { AgentProcess } from "./agent-process.ts";
import { Machine } from "./machine.ts";
import { type Scene, ServerProcess } from "./server-process.ts";
import { Wire } from "./wire.ts";

export interface HostOptions {
  seed: number;
  servers: number;
  agents: number;
  delayMaxMs: number;
  diskMaxMs: number;
  /** How many faults strike while they last. */
  faults: number;
  turmoilMs: number;
  /** What each server is told to expect; absent: the number of servers. 0: nothing. */
  expects?: readonly number[];
}

export type Trace = (atMs: number, who: string, what: string) => void;

const notesMax = 400;

export class World implements Scene {
  readonly options: HostOptions;
  readonly queue = new EventQueue();
  readonly random: Random;
  readonly wire: Wire;
  readonly servers: ServerProcess[] = [];
  readonly agents: AgentProcess[] = [];
  /** The last things that happened, for whoever reads a failure. */
  readonly notes: string[] = [];
  readonly #trace: Trace | null;
  lastWipeMs = Number.NEGATIVE_INFINITY;
  /** Faults that repeat themselves end with this. */
  isHealed = false;
  readonly slowDisks = new Set<ServerProcess>();

  constructor(options: HostOptions, trace: Trace | null) {
    this.options = options;
    this.#trace = trace;
    this.random = seededRandom(options.seed);
    this.wire = new Wire(this.queue, this.random, {
      delayMinMs: 0.2,
      delayMaxMs: options.delayMaxMs,
    });
    for (let n = 0; n < options.servers; n++) {
      const machine = this.#machine(`server-${n}`, `10.0.0.${n + 1}`);
      this.servers.push(new ServerProcess(this, machine, n));
    }
    for (let n = 0; n < options.agents; n++) {
      const machine = this.#machine(`agent-${n}`, `10.0.1.${n + 1}`);
      this.agents.push(new AgentProcess(this, machine, n));
    }
  }

  #machine(name: string, address: string): Machine {
    return new Machine(this.queue, name, address, Math.floor(this.random.next() * 1_000));
  }

  expectationOf(server: ServerProcess): number {
    const { expects, servers } = this.options;
    return expects?.[this.servers.indexOf(server)] ?? servers;
  }

  get machines(): Machine[] {
    return [...this.servers, ...this.agents].map(({ machine }) => machine);
  }

  diskLatencyMs(server: ServerProcess): number {
    const slow = this.slowDisks.has(server) ? 400 : 0;
    return this.random.next() * (this.options.diskMaxMs + slow);
  }

  note(who: string, what: string): void {
    this.#trace?.(this.queue.now, who, what);
    this.notes.push(`${(this.queue.now / 1_000).toFixed(3)} ${who}: ${what}`);
    if (this.notes.length > notesMax) this.notes.shift();
  }

  /** Lets time pass; between two events everything that waits for nothing but its turn has it. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.queue.now + durationMs;
    while (this.queue.step(endMs)) await settled();
  }

  close(): void {
    for (const agent of this.agents) agent.crash();
    for (const server of this.servers) server.close();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
