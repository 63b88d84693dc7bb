// Finds out where this node stands, and tells the catalog. What is measured is the way to live nodes of the datacenter,
// one at a time, every second one a server. It is told once it has moved notably, so that a datacenter in which nothing
// moves is idle (decision 12). In a deployment nobody measures: there sockets end wherever the platform likes.

import {
  isNotableMove,
  probeIntervalMs,
  updateIntervalMs,
  Vivaldi,
} from "../core/gossip/vivaldi.ts";
import type { Random } from "../core/lib/random.ts";
import { type Coordinate, origin, type Peer } from "../core/model/coordinate.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { TimerHandle, Timers } from "../ports/timers.ts";
import type { AgentLog } from "./log.ts";

/** A node that was taken out of the catalog lost its coordinate with it: it is told again at the latest after this. */
const tellAgainMs = 3_600_000;

export interface CoordinatesParts {
  /** Nodes that stand here: this agent's, and those of further servers in this process. */
  nodeNames: readonly string[];
  /** Shows the agent's own token. */
  cluster: Cluster;
  log: Pick<AgentLog, "debug">;
  random: Random;
  timers: Timers;
  nowMs(): number;
  /** How long a message takes to a node and back, in ms; null when it does not answer. */
  measure(peer: Peer): Promise<number | null>;
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

  /** Measures the way to one of the others. Never rejects. */
  async #probe(): Promise<void> {
    const { measure, random, log } = this.#parts;
    // Who has nobody to measure asks no more often than who has measured enough.
    this.#probes += 1;
    try {
      const peer = await this.#peer(random.integer(0, 2 ** 32));
      if (!peer) return;
      const tookMs = await measure(peer);
      if (tookMs === null) return;
      this.#vivaldi.measured(peer.Node, peer.Coord ?? origin, tookMs / 1_000);
    } catch (failure) {
      log.debug("agent.coordinate", "cannot measure", { error: (failure as Error).message });
    }
  }

  /** Any that stands elsewhere; null when nobody was found. */
  async #peer(seed: number): Promise<Peer | null> {
    const { cluster, nodeNames } = this.#parts;
    const options = { consistency: "stale" } as const;
    const { body } = await cluster.read("coordinate.peer", { seed, except: nodeNames }, options);
    return body === null ? null : (JSON.parse(body) as Peer);
  }

  /** Tells where this node stands, unless that is known. Never rejects. */
  async #update(): Promise<void> {
    const { cluster, nodeNames, nowMs, log } = this.#parts;
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
        updates.map((update) => cluster.write({ type: "coordinate.update", update }, {})),
      );
      this.#told = { coordinate, atMs: nowMs() };
      this.#nodes = (await cluster.status({})).nodes ?? 1;
    } catch (failure) {
      log.debug("agent.coordinate", "cannot update", { error: (failure as Error).message });
    }
  }
}
