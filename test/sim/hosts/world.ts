// A datacenter of simulated machines that run the real hosts: three servers, two agents, one queue of events, one seed.
// The servers are processes of one's own, or objects of a deployment, each on a machine of its own.

import { type Random, seededRandom } from "../../../src/core/lib/random.ts";
import { type AutopilotConfig, autopilotDefaults } from "../../../src/core/model/autopilot.ts";
import { EventQueue } from "../event-queue.ts";
import { AgentProcess } from "./agent-process.ts";
import { Machine } from "./machine.ts";
import type { ObjectAddress } from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import {
  edgeAgentObject,
  lanPoolObject,
  serverObject,
} from "../../../durable/platform/topology.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { deployedPace, hostedPace, type SyncPace } from "../../../src/core/agent/sync-interval.ts";
import {
  deployedLinkLiveness,
  hostedLinkLiveness,
  type LivenessTiming,
} from "../../../src/link/liveness.ts";
import { DeployedObject, type DeploymentScene, WorkerProcess } from "./deployment.ts";
import type { HostProcess } from "./host-process.ts";
import { datacenter, type Scene, ServerProcess, serverPort } from "./server-process.ts";
import { Wire } from "./wire.ts";

export type HostPreset = "lan" | "edge";

export interface HostOptions {
  seed: number;
  servers: number;
  agents: number;
  delayMaxMs: number;
  diskMaxMs: number;
  /** How many faults strike while they last. */
  faults: number;
  turmoilMs: number;
  /** Absent: servers of one's own. `edge`: a deployment. */
  preset?: HostPreset;
  /** Workers of a deployment that clients ask. */
  workers?: number;
  /** What each server is told to expect; absent: the number of servers. 0: nothing. */
  expects?: readonly number[];
  /** How long a new server is healthy before it gets a vote; absent: a second. */
  stabilizationMs?: number;
}

export type Trace = (atMs: number, who: string, what: string) => void;

const notesMax = 400;
const registryUrl = "wss://registry";
/** An idle object sleeps after 10 s (measured); sooner is allowed, and so put to the test. */
const idleMinMs = 1_000;
const idleMaxMs = 10_000;

export class World implements Scene, DeploymentScene {
  readonly options: HostOptions;
  readonly queue = new EventQueue();
  readonly random: Random;
  readonly wire: Wire;
  readonly servers: HostProcess[] = [];
  readonly agents: AgentProcess[] = [];
  /** All objects of a deployment, its servers too; none where servers are processes. */
  readonly deployed: DeployedObject[] = [];
  readonly workers: WorkerProcess[] = [];
  readonly settings: Settings;
  readonly idleMs: number;
  /** Until then nobody asks for anything. */
  quietUntilMs = 0;
  /** The last things that happened, for whoever reads a failure. */
  readonly notes: string[] = [];
  readonly #trace: Trace | null;
  lastWipeMs = Number.NEGATIVE_INFINITY;
  /** Faults that repeat themselves end with this. */
  isHealed = false;
  readonly slowDisks = new Set<HostProcess>();

  constructor(options: HostOptions, trace: Trace | null) {
    this.options = options;
    this.#trace = trace;
    this.random = seededRandom(options.seed);
    this.wire = new Wire(this.queue, this.random, {
      delayMinMs: 0.2,
      delayMaxMs: options.delayMaxMs,
    });
    this.settings = {
      DEFAULT_DC: datacenter,
      DATACENTERS: { [datacenter]: { servers: options.servers } },
      // A deployment would deny what nobody shows a token for.
      ACL: { defaultPolicy: "allow", keyListPolicy: false, masterToken: "" },
    };
    this.idleMs = idleMinMs + (options.seed % 10) * ((idleMaxMs - idleMinMs) / 9);
    if (options.preset === "edge") this.#deploy();
    else this.#install();
    for (let n = 0; n < options.agents; n++) {
      const machine = this.#machine(`agent-${n}`, `10.0.1.${n + 1}`);
      this.agents.push(new AgentProcess(this, machine, n));
    }
  }

  #install(): void {
    for (let n = 0; n < this.options.servers; n++) {
      const machine = this.#machine(`server-${n}`, `10.0.0.${n + 1}`);
      this.servers.push(new ServerProcess(this, machine, n));
    }
  }

  #deploy(): void {
    const { servers, workers = 0 } = this.options;
    const place = (name: string, object: ObjectAddress): DeployedObject => {
      const placed = new DeployedObject(this, this.#machine(name, "240.0.0.1"), object);
      this.deployed.push(placed);
      return placed;
    };
    for (let n = 0; n < servers; n++) {
      this.servers.push(place(`server-${n}`, serverObject(datacenter, n)));
    }
    place("pool", lanPoolObject(datacenter));
    place("edge-agent", edgeAgentObject(datacenter));
    for (let n = 0; n < workers; n++) {
      this.workers.push(new WorkerProcess(this, this.#machine(`worker-${n}`, `10.0.2.${n + 1}`)));
    }
  }

  #machine(name: string, address: string): Machine {
    return new Machine(this.queue, name, address, Math.floor(this.random.next() * 1_000));
  }

  expectationOf(server: ServerProcess): number {
    const { expects, servers } = this.options;
    return expects?.[this.servers.indexOf(server)] ?? servers;
  }

  get autopilot(): AutopilotConfig {
    const { stabilizationMs = 1_000 } = this.options;
    return { ...autopilotDefaults, ServerStabilizationTime: stabilizationMs * 1e6 };
  }

  get isEdge(): boolean {
    return this.options.preset === "edge";
  }

  objectAt({ kind, name }: ObjectAddress): DeployedObject | undefined {
    return this.deployed.find(({ object }) => object.kind === kind && object.name === name);
  }

  get joinUrl(): string {
    // As one machine is named to -retry-join; the others are learned.
    return this.isEdge ? registryUrl : `ws://${this.servers[0]?.machine.address}:${serverPort}`;
  }

  get syncPace(): SyncPace {
    return this.isEdge ? deployedPace : hostedPace;
  }

  get linkLiveness(): LivenessTiming {
    return this.isEdge ? deployedLinkLiveness : hostedLinkLiveness;
  }

  async dial(from: Machine, url: string, path: string, timeoutMs: number): Promise<LinkSocket> {
    const target = this.#listening(url, path);
    if (!target) throw new Error(`no route to ${url}`);
    return await target.dial(from, path, timeoutMs);
  }

  /** Who has that address; a deployment's Worker passes a link on to server 0. */
  #listening(url: string, path: string): HostProcess | undefined {
    if (this.isEdge) {
      const object = path.startsWith("/gossip") ? lanPoolObject : serverZero;
      return this.objectAt(object(datacenter));
    }
    const { hostname } = new URL(url);
    return this.servers.find(({ machine }) => machine.address === hostname);
  }

  /** Everything that runs the datacenter. */
  get hosts(): HostProcess[] {
    return this.isEdge ? this.deployed : this.servers;
  }

  /** Machines that are nodes of the datacenter. */
  get members(): Machine[] {
    return [...this.servers, ...this.agents].map(({ machine }) => machine);
  }

  get machines(): Machine[] {
    return [...this.hosts, ...this.agents, ...this.workers].map(({ machine }) => machine);
  }

  diskLatencyMs(server: HostProcess): number {
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
    for (const worker of this.workers) worker.machine.end();
    for (const host of this.hosts) host.close();
  }
}

function serverZero(dc: string): ObjectAddress {
  return serverObject(dc, 0);
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
