// The simulated world: servers, network, clients and faults on one event queue, and the checkers
// that watch. One seed gives one history.

import type { Random } from "../../src/core/lib/random.ts";
import { seededRandom } from "../../src/core/lib/random.ts";
import type { Member, Message } from "../../src/core/raft/types.ts";
import type { Bug } from "./bug.ts";
import { Clock } from "./clock.ts";
import { EventQueue } from "./event-queue.ts";
import { History } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { MachineName, SimStateMachine } from "./machine.ts";
import { Network } from "./network.ts";
import { chooseOptions } from "./options.ts";
import type { SimOptions } from "./options.ts";
import { SafetyChecker } from "./safety-checker.ts";
import { Server } from "./server.ts";
import { SqliteMachine } from "./sqlite-machine.ts";
import type { Surroundings } from "./surroundings.ts";
import { ToyMachine } from "./toy-machine.ts";
import { silent } from "./trace.ts";
import type { Trace } from "./trace.ts";

export interface RunOptions {
  seed: number;
  trace?: Trace;
  /** A mistake planted on purpose; see bugs.ts. */
  bug?: Bug<Instance>;
  /** The state machine that is replicated; the toy one unless told otherwise. */
  machine?: MachineName;
}

const machines: Record<MachineName, () => SimStateMachine> = {
  toy: () => new ToyMachine(),
  sqlite: () => new SqliteMachine(),
};

export class World implements Surroundings<Instance> {
  readonly random: Random;
  readonly options: SimOptions;
  readonly queue = new EventQueue();
  readonly network: Network;
  readonly safety = new SafetyChecker();
  readonly history = new History();
  readonly trace: Trace;
  readonly bug: Bug<Instance> | undefined;
  readonly newMachine: () => SimStateMachine;
  readonly servers: Server[] = [];
  messages = 0;

  constructor(options: RunOptions) {
    this.random = seededRandom(options.seed);
    const chosen = chooseOptions(this.random);
    this.options = options.bug?.adjust?.(chosen) ?? chosen;
    this.trace = options.trace ?? silent;
    this.bug = options.bug;
    this.newMachine = machines[options.machine ?? "toy"];
    this.network = new Network(this.queue, this.random, this.options.network);
    const total = this.options.servers + this.options.spares;
    for (let number = 1; number <= total; number += 1) this.addServer(`s${number}`);
  }

  /** Servers are processes that somebody starts again, not objects that sleep until called. */
  get supervised(): boolean {
    return this.options.preset !== "edge";
  }

  addServer(id: string): void {
    const { drift } = this.options;
    const rate = 1 + (this.random.next() * 2 - 1) * drift;
    const localMs = 100_000 + this.random.integer(0, 100_000);
    this.servers.push(new Server(this, id, new Clock({ rate, localMs })));
  }

  server(id: string): Server | undefined {
    return this.servers.find((server) => server.id === id);
  }

  member(id: string, voter: boolean): Member {
    return { id, name: id, address: id, voter };
  }

  /** Starts every server. */
  start(): void {
    for (const server of this.servers) server.start();
  }

  /** Only one server ever writes the first configuration, whenever it finds itself empty. */
  bootstrap(instance: Instance): void {
    if (instance.server !== this.servers[0]) return;
    const voters = this.servers.slice(0, this.options.servers);
    const members = voters.map((server) => this.member(server.id, true));
    instance.pass((raft, now) => raft.bootstrap({ members }, now));
  }

  carry(message: Message): void {
    this.messages += 1;
    this.network.send(message.from, message.to, () => this.server(message.to)?.deliver(message));
  }

  /** An instance that believes it leads, the one of the latest term; for operators and checks. */
  leader(): Instance | null {
    let best: Instance | null = null;
    for (const { current } of this.servers) {
      if (current === null || current.raft.role !== "leader") continue;
      if (best === null || current.raft.term > best.raft.term) best = current;
    }
    return best;
  }

  /** The run is over. */
  close(): void {
    for (const { current, twins, durable } of this.servers) {
      for (const instance of [...twins, ...(current === null ? [] : [current])]) instance.close();
      durable.machine.close();
    }
  }
}
