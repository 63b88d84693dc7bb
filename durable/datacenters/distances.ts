// Which other datacenters are near, as Consul orders them: by the median of what a message takes from this server to
// theirs and back, as far as coordinates are known; those that are as far, by name.

import { type Coordinate, roundTripNs } from "../../src/core/model/coordinate.ts";
import type { ReadAnswer } from "../../src/link/protocol.ts";
import type { ServerCalls } from "./server-calls.ts";

/** How long an order is kept: each datacenter is asked for it, which costs a read there. */
const keptMs = 60_000;

interface Place {
  node: string;
  coordinate: Coordinate;
}

export interface DistancesParts {
  calls: Pick<ServerCalls, "ask">;
  /** Own one first. */
  datacenters(): readonly string[];
  /** Body of `coordinate.datacenters` here. */
  own(): string;
  /** Node name of this server. */
  self: string;
  nowMs(): number;
}

export class Distances {
  readonly #parts: DistancesParts;
  #kept: { names: string[]; untilMs: number } | null = null;

  constructor(parts: DistancesParts) {
    this.#parts = parts;
  }

  /** All datacenters: the own one, then the others, the nearest first. Never rejects. */
  async order(): Promise<string[]> {
    const { nowMs } = this.#parts;
    const datacenters = this.#parts.datacenters();
    const [own = "", ...others] = datacenters;
    const here = placesIn(this.#parts.own()).find(({ node }) => node === this.#parts.self);
    // Nothing is far from a place that nobody knows.
    if (!here || others.length < 2) return [...datacenters];
    const kept = this.#kept;
    if (kept && kept.untilMs > nowMs() && kept.names.length === datacenters.length) {
      return kept.names;
    }
    const found = await Promise.all(others.map(async (dc) => await this.#place(here, dc)));
    const names = [own, ...found.toSorted(byDistance).map(({ dc }) => dc)];
    this.#kept = { names, untilMs: nowMs() + keptMs };
    return names;
  }

  async #place(here: Place, dc: string): Promise<{ dc: string; distance: number }> {
    const question = { id: 1, read: "coordinate.datacenters", args: {} };
    const asked = this.#parts.calls.ask(dc, { ...question, consistency: "stale" });
    const answer = (await asked.catch(() => null)) as ReadAnswer | null;
    const there = placesIn(answer?.body ?? "[]");
    const times = there.map(({ coordinate }) => roundTripNs(here.coordinate, coordinate));
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
    return { dc, distance: median ?? Number.POSITIVE_INFINITY };
  }
}

function byDistance(
  a: { dc: string; distance: number },
  b: { dc: string; distance: number },
): number {
  if (a.distance !== b.distance) return a.distance < b.distance ? -1 : 1;
  return a.dc < b.dc ? -1 : 1;
}

/** Servers whose place is known; one that has measured nothing is said to be at the origin. */
function placesIn(body: string): Place[] {
  const [datacenter] = JSON.parse(body) as {
    Coordinates: { Node: string; Coord: Coordinate }[];
  }[];
  return (datacenter?.Coordinates ?? [])
    .filter(({ Coord }) => Coord.Vec?.some((each) => each !== 0) ?? false)
    .map(({ Node: node, Coord: coordinate }) => ({ node, coordinate }));
}
