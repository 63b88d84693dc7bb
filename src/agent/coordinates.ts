// Finds out where this node stands, and tells the catalog. What is measured is how long the servers of the datacenter
// take to accept a connection: every agent can reach them, their kernels answer, and none of them is woken. It is told
// once it has moved notably, so that a datacenter in which nothing moves is idle (decision 12). In a deployment nobody
// measures: there the sockets of servers end wherever the platform likes.

import {
  isNotableMove,
  probeIntervalMs,
  updateIntervalMs,
  Vivaldi,
} from "../core/gossip/vivaldi.ts";
import type { Random } from "../core/lib/random.ts";
import { type Coordinate, origin } from "../core/model/coordinate.ts";
import type { ServiceNode } from "../core/model/types.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { TimerHandle, Timers } from "../ports/timers.ts";
import type { AgentLog } from "./log.ts";

/** A node that was taken out of the catalog lost its coordinate with it: it is told again at the latest after this. */
const tellAgainMs = 3_600_000;
const serverService = "consul";

export interface CoordinatesParts {
  /** Nodes that stand here: this agent's, and those of further servers in this process. */
  nodeNames: readonly string[];
  cluster: Cluster;
  log: Pick<AgentLog, "debug">;
  /** Token of the agent itself; "" for none. */
  token: string;
  random: Random;
  timers: Timers;
  nowMs(): number;
  /** Ms that it takes to open a connection; null when it cannot be opened. */
  measure(host: string, port: number): Promise<number | null>;
}

export class Coordinates {
  readonly #parts: CoordinatesParts;
  readonly #vivaldi: Vivaldi;
  #probes = 0;
  #nodes = 1;
  #told: { coordinate: Coordinate; atMs: number } | null = null;
  #probeTimer: TimerHandle = null;
  #updateTimer: TimerHandle = null;
  #stopped = false;

  constructor(parts: CoordinatesParts) {
    this.#parts = parts;
    this.#vivaldi = new Vivaldi(parts.random);
  }

  /** Where this node stands now, told or not. */
  get coordinate(): Coordinate {
    return this.#vivaldi.coordinate;
  }

  start(): void {
    this.#probeLater();
    this.#updateLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.timers.clear(this.#probeTimer);
    this.#parts.timers.clear(this.#updateTimer);
  }

  #probeLater(): void {
    if (this.#stopped) return;
    const { timers, random } = this.#parts;
    const run = (): void => void this.#probe().then(() => this.#probeLater());
    this.#probeTimer = timers.set(run, probeIntervalMs(this.#probes, random));
  }

  #updateLater(): void {
    if (this.#stopped) return;
    const { timers, random } = this.#parts;
    const run = (): void => void this.#update().then(() => this.#updateLater());
    this.#updateTimer = timers.set(run, updateIntervalMs(this.#nodes, random));
  }

  /** Measures the way to one of the servers. Never rejects. */
  async #probe(): Promise<void> {
    const { measure, random, log } = this.#parts;
    // Who has nobody to measure asks no more often than who has measured enough.
    this.#probes += 1;
    try {
      const servers = await this.#servers();
      const server = servers[random.integer(0, servers.length)];
      if (!server) return;
      const tookMs = await measure(server.Address, server.ServicePort);
      if (tookMs === null) return;
      const there = await this.#coordinateOf(server.Node);
      this.#vivaldi.measured(server.Node, there, tookMs / 1_000);
    } catch (failure) {
      log.debug("agent.coordinate", "cannot measure", { error: (failure as Error).message });
    }
  }

  /** All that stand elsewhere. */
  async #servers(): Promise<ServiceNode[]> {
    const { cluster, token, nodeNames } = this.#parts;
    // Followed: that list changes rarely, and is asked for all the time.
    const options = { token, consistency: "stale", cached: true } as const;
    const { body } = await cluster.read("catalog.service", { service: serverService }, options);
    const servers = JSON.parse(body ?? "[]") as ServiceNode[];
    return servers.filter(({ Node: node }) => !nodeNames.includes(node));
  }

  async #coordinateOf(node: string): Promise<Coordinate> {
    const { cluster, token } = this.#parts;
    const options = { token, consistency: "stale" } as const;
    const { body } = await cluster.read("coordinate.node", { node, segment: "" }, options);
    const [known] = JSON.parse(body ?? "[]") as { Coord: Coordinate | null }[];
    return known?.Coord ?? origin;
  }

  /** Tells where this node stands, unless that is known. Never rejects. */
  async #update(): Promise<void> {
    const { cluster, token, nodeNames, nowMs, log } = this.#parts;
    const { coordinate } = this;
    const told = this.#told;
    const isKnown =
      told !== null &&
      nowMs() - told.atMs < tellAgainMs &&
      !isNotableMove(told.coordinate, coordinate);
    if (isKnown) return;
    const updates = nodeNames.map((Node) => ({ Node, Segment: "", Coord: coordinate }));
    try {
      await Promise.all(
        updates.map((update) => cluster.write({ type: "coordinate.update", update }, { token })),
      );
      this.#told = { coordinate, atMs: nowMs() };
      this.#nodes = (await cluster.status({})).nodes ?? 1;
    } catch (failure) {
      log.debug("agent.coordinate", "cannot update", { error: (failure as Error).message });
    }
  }
}
