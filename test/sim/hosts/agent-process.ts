// A host agent without its listeners: the real link client, gossip socket, local state and anti-entropy, over the
// machine's timers and network.

import { AntiEntropy } from "../../../src/agent/anti-entropy.ts";
import { GossipClient } from "../../../src/agent/link/gossip.ts";
import { ServerList } from "../../../src/agent/link/server-list.ts";
import { LocalClock } from "../../../src/agent/local-clock.ts";
import type { AgentLog } from "../../../src/agent/log.ts";
import { UserEvents } from "../../../src/core/gossip/user-events.ts";
import { LocalAgentState } from "../../../src/core/agent/local-state.ts";
import { LocalServices } from "../../../src/core/agent/local-services.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import { LinkClient, type LinkSocket } from "../../../src/link/client.ts";
import { LinkCluster } from "../../../src/link/cluster.ts";
import type { Machine } from "./machine.ts";
import { datacenter, type Scene } from "./server-process.ts";

const dialTimeoutMs = 5_000;
const holdMs = 7_000;
const requestMs = 10_000;

/** What one run of the process has. */
interface Running {
  link: LinkClient;
  cluster: LinkCluster;
  gossip: GossipClient;
  sync: AntiEntropy;
  services: LocalServices;
  clock: LocalClock;
  events: UserEvents;
}

export class AgentProcess {
  readonly machine: Machine;
  readonly #world: Scene;
  readonly #id: string;
  #running: Running | null = null;
  /** Services that a definition file would hold: registered at each start. */
  readonly definitions = new Map<string, string>();

  constructor(world: Scene, machine: Machine, number: number) {
    this.#world = world;
    this.machine = machine;
    this.#id = `00000000-0000-4000-9000-${String(number).padStart(12, "0")}`;
  }

  get id(): string {
    return this.#id;
  }

  get cluster(): LinkCluster | null {
    return this.machine.isUp ? (this.#running?.cluster ?? null) : null;
  }

  /** Throws while the process does not run: nobody can ask it anything. */
  get asked(): LinkCluster {
    const { cluster } = this;
    if (!cluster) throw new Error("the agent does not run");
    return cluster;
  }

  get services(): LocalServices | null {
    return this.machine.isUp ? (this.#running?.services ?? null) : null;
  }

  /** Names of the user events that reached it, in their order. */
  get heard(): string[] {
    return (this.#running?.events.list ?? []).map(({ Name }) => Name);
  }

  /** Name of the server that it is linked to. */
  get server(): string | null {
    return this.#running?.link.connected ? this.#server : null;
  }

  start(): void {
    this.machine.boot();
    const { nowMs, timers } = this.machine;
    const list = new ServerList([this.#world.joinUrl]);
    const link = this.#makeLink(list);
    const pace = this.#world.syncPace;
    const cluster = new LinkCluster(link, datacenter, pace.waitMs);
    const state = this.#makeState();
    const sync = new AntiEntropy({
      state,
      cluster,
      log: this.#log(),
      random: seededRandom(nowMs()),
      timers,
      pace,
    });
    const { name, address } = this.machine;
    const services = new LocalServices(state, nowMs);
    const events = new UserEvents({ nodeName: name, services: () => services.services() });
    const gossip = new GossipClient({
      events,
      member: { name, id: this.#id, address },
      timers,
      nowMs,
      random: () => this.#world.random.next(),
      dial: (pathAndQuery) => this.#dial(list, pathAndQuery),
    });
    const clock = new LocalClock(state, this.#log(), this.machine);
    this.#running = { link, cluster, gossip, sync, services, clock, events };
    this.#onHello = () => sync.want("full");
    for (const body of this.definitions.values()) {
      services.registerService(body, { replaceExistingChecks: false });
    }
    sync.start();
    void link.start();
    void gossip.start();
  }

  #server: string | null = null;
  #onHello = (): void => undefined;

  crash(): void {
    if (this.machine.isDown) return;
    this.#world.note(this.machine.name, "crash");
    this.machine.end();
    this.#running = null;
    this.#world.wire.sever(this.machine);
  }

  #makeLink(list: ServerList): LinkClient {
    const { timers, nowMs, name } = this.machine;
    return new LinkClient({
      timers,
      nowMs,
      requestMs,
      holdMs,
      frameGapMs: 1,
      liveness: this.#world.linkLiveness,
      hasOthers: () => list.size > 1,
      connect: () =>
        this.#dial(list, "/link").catch((failure: unknown) => {
          list.next();
          throw failure;
        }),
      schedule: (flush) => timers.set(flush, 0),
      random: () => this.#world.random.next(),
      onHello: ({ serverName, servers }) => {
        list.add(servers.map((address) => `ws://${address}`));
        this.#server = serverName;
        this.#world.note(name, `linked to ${serverName}`);
        this.#onHello();
      },
      onClose: (reason) => {
        this.#world.note(name, `left ${list.current()}: ${reason}`);
        list.next();
        this.#running?.gossip.doubt();
      },
    });
  }

  async #dial(list: ServerList, pathAndQuery: string): Promise<LinkSocket> {
    const url = list.current() ?? "";
    return await this.#world.dial(this.machine, url, pathAndQuery, dialTimeoutMs);
  }

  #makeState(): LocalAgentState {
    const { name, address, nowMs } = this.machine;
    return new LocalAgentState(
      { id: this.#id, name, datacenter, address, taggedAddresses: {}, meta: {} },
      {
        checkUpdateIntervalMs: 300_000,
        outputBytesMax: 4_096,
        discardCheckOutput: false,
        scripts: { fromFile: false, fromApi: false },
        sidecarPorts: { min: 21_000, max: 21_255 },
        random: seededRandom(nowMs()),
      },
      nowMs(),
    );
  }

  #log(): AgentLog {
    const write = (_from: string, line: string, facts?: object): void =>
      this.#world.note(this.machine.name, `${line} ${facts ? JSON.stringify(facts) : ""}`);
    const log = { debug: write, info: write, warn: write, error: write };
    return log as unknown as AgentLog;
  }
}
