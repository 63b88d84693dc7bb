// A datacenter's agents and their pool: the product's pool object, gossip clients and probes, on virtual time. What the
// pool says of members is held against what is true of them.

import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  jsonAnswer,
  noOperatorFiles,
  noOutside,
  textOf,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import type { Random } from "../../../src/core/lib/random.ts";
import { Mesh } from "../../support/swim-mesh.ts";
import { VirtualTime } from "../../support/virtual-time.ts";
import { EventQueue } from "../event-queue.ts";
import { Agent } from "./agent.ts";

const startMs = 1_700_000_000_000;
const pool = lanPoolObject("dc1");
const server = { id: "s", name: "s", address: "10.0.0.9:8300" };
const settings: Settings = {
  ...{ DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 1 } } },
  HOST: { servers: [server], bootstrapExpect: 1, timing: "lan", startId: "" },
};
/** Whoever was well for so long, and has a way to the pool or to the others, must not be called failed. */
const wellMs = 20_000;

export class GossipWorld {
  readonly seed: number;
  readonly mesh: Mesh;
  readonly time: VirtualTime;
  readonly agents: Agent[];
  readonly host: ObjectHost;
  /** What was told to the leader last, by member. */
  readonly told = new Map<string, string>();
  /** When each was called failed, in ms. */
  readonly failedMs = new Map<string, number>();
  /** Verdicts on members that were well, and errors. */
  readonly wrong: string[] = [];
  /** When agents last could not all reach each other. */
  meshCutMs = -Infinity;

  constructor(seed: number, agents: number) {
    this.seed = seed;
    const queue = new EventQueue();
    this.time = new VirtualTime(queue);
    this.mesh = new Mesh({ seed, agents, introduced: 0, queue, isStarted: false });
    this.host = this.#makeHost();
    this.agents = this.mesh.agents.map((mesh) => {
      return new Agent(
        {
          mesh: this.mesh,
          timers: this.time.timers,
          connect: (pathAndQuery) => this.host.connect(pool, pathAndQuery),
        },
        mesh,
      );
    });
  }

  get random(): Random {
    return this.mesh.random;
  }

  get nowMs(): number {
    return this.mesh.queue.now;
  }

  /** One of those who run and have no trouble; the first is the server's own, and has none ever. */
  some(): Agent | undefined {
    const well = this.agents.slice(1).filter((agent) => this.#isWell(agent));
    return well[this.random.integer(0, Math.max(1, well.length))];
  }

  /** All start within so many ms. */
  startAll(withinMs: number): void {
    for (const agent of this.agents) {
      this.mesh.queue.after(this.random.next() * withinMs, () => agent.start());
    }
  }

  #isWell(agent: Agent): boolean {
    const isHindered = agent.mesh.isPaused || agent.isCut || agent.troubledMs > this.nowMs;
    return agent.isRunning && !isHindered;
  }

  #heard(name: string, status: string): void {
    this.told.set(name, status);
    if (status !== "failed") return;
    this.failedMs.set(name, this.nowMs);
    const agent = this.agents.find((each) => each.name === name);
    if (!agent?.isRunning || agent.mesh.isPaused) return;
    const since = (ms: number): number => this.nowMs - ms;
    const isSettled = since(agent.startedMs) > wellMs && since(agent.troubledMs) > wellMs;
    const isReached = since(this.meshCutMs) > wellMs;
    const isConnected = !agent.isCut && since(agent.cutMs) > wellMs;
    if (isSettled && (isReached || isConnected)) {
      this.wrong.push(`${name} at ${Math.round(this.nowMs)} ms`);
    }
  }

  #makeHost(): ObjectHost {
    const listening: HostedObject = {
      woke: () => undefined,
      call: (path, body) => {
        // Who the servers are: this host's alone.
        if (path === "/rpc/status") {
          return Promise.resolve(jsonAnswer({ configuration: { members: [server] } }));
        }
        const facts = JSON.parse(textOf(body)) as { name: string; status: string }[];
        for (const { name, status } of facts) this.#heard(name, status);
        return Promise.resolve(jsonAnswer(true));
      },
      connect: () => ({ status: 404, body: "" }),
      ...{ opened: () => undefined, message: () => undefined, closed: () => undefined },
      alarm: () => Promise.resolve(),
    };
    return new ObjectHost({
      timers: this.time.timers,
      soon: (run) => void this.time.timers.set(run, 0),
      nowMs: () => startMs + Math.floor(this.nowMs),
      random: () => this.random.next(),
      openStore: () => new MemoryStores().open(),
      build: ({ kind }, platform) =>
        kind === "lanPool" ? new LanPoolObject(platform, settings) : listening,
      ...{ outside: noOutside, operatorFiles: noOperatorFiles },
      post: () => Promise.reject(new Error("there is no network")),
      dial: () => Promise.reject(new Error("there is no network")),
      idOf: (of) => objectId("proconsul", of),
      log: (level, line) => {
        if (level === "error") this.wrong.push(line);
      },
    });
  }
}
