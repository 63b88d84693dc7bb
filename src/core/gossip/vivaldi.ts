// Where this node stands: Vivaldi, as Serf has it. Each measured round trip to a node with a known coordinate pulls or
// pushes like a spring whose length at rest is that time; the more uncertain of the two moves more. Three refinements:
// a height for what all paths of a node have in common, an adjustment for what the model keeps getting wrong, and
// gravity, which keeps everybody near the origin. Dabek et al., "Vivaldi", 2004; Ledlie et al., "Network Coordinates in
// the Wild", 2007; Lee et al., "On Suitability of Euclidean Embedding", 2006.

import type { Random } from "../lib/random.ts";
import {
  type Coordinate,
  difference,
  dimensions,
  origin,
  rawDistance,
} from "../model/coordinate.ts";

/** Error of a node that knows nothing, and at most. */
const errorMax = 1.5;
/** How fast the error, and the position, follow a single measurement. */
const errorGain = 0.25;
const positionGain = 0.25;
/** Measurements that the adjustment is the mean of. */
const adjustmentWindow = 20;
const heightMin = 1e-5;
/** Of so many round trips to one node the middle one counts: a single slow one is no news. */
const filterSize = 3;
/** Peers whose round trips are remembered. */
const peersMax = 64;
/** Distance from the origin, in s, at which gravity pulls by a second each time. */
const gravityRho = 150;
const secondsMax = 10;
/** Less than this is no time, and no distance. */
const zero = 1e-6;

type Point = Coordinate & { Vec: number[] };

export class Vivaldi {
  readonly #random: Random;
  readonly #samples = new Map<string, number[]>();
  readonly #errors: number[] = Array.from({ length: adjustmentWindow }, () => 0);
  #errorAt = 0;
  #here = origin as Point;

  constructor(random: Random) {
    this.#random = random;
  }

  get coordinate(): Coordinate {
    return this.#here;
  }

  /** A round trip to `peer`, which stands at `there`, took `seconds`. What cannot be is ignored. */
  measured(peer: string, there: Coordinate, seconds: number): void {
    if (!isPoint(there) || !(seconds >= 0 && seconds <= secondsMax)) return;
    const filtered = this.#filtered(peer, seconds);
    const moved = this.#pulled(this.#sprung(there, filtered, this.#here));
    const Adjustment = this.#adjustment(rawDistance(moved, there), filtered);
    const next = { ...moved, Adjustment };
    // Numbers that got out of hand end here, as in Serf.
    this.#here = isPoint(next) ? next : (origin as Point);
  }

  #filtered(peer: string, seconds: number): number {
    const samples = [...(this.#samples.get(peer) ?? []), seconds].slice(-filterSize);
    this.#samples.delete(peer);
    this.#samples.set(peer, samples);
    const [oldest] = this.#samples.keys();
    if (this.#samples.size > peersMax && oldest !== undefined) this.#samples.delete(oldest);
    return samples.toSorted((left, right) => left - right)[samples.length >> 1] ?? seconds;
  }

  /** The spring between here and there. */
  #sprung(there: Point, seconds: number, here: Point): Point {
    const time = Math.max(seconds, zero);
    const distance = estimate(here, there);
    const wrongness = Math.abs(distance - time) / time;
    const weight = here.Error / Math.max(here.Error + there.Error, zero);
    const gain = errorGain * weight;
    const Error = Math.min(errorMax, wrongness * gain + here.Error * (1 - gain));
    return this.#forced({ ...here, Error }, there, positionGain * weight * (time - distance));
  }

  #pulled(here: Point): Point {
    const distance = estimate(origin, here);
    return this.#forced(here, origin as Point, -((distance / gravityRho) ** 2));
  }

  /** Moves away from `there` by `force` seconds, or towards it when that is negative. */
  #forced(here: Point, there: Point, force: number): Point {
    const { unit, length } = this.#direction(there, here);
    const Vec = here.Vec.map((each, at) => each + (unit[at] ?? 0) * force);
    if (length <= zero) return { ...here, Vec };
    const height = ((here.Height + there.Height) * force) / length + here.Height;
    return { ...here, Vec, Height: Math.max(height, heightMin) };
  }

  /** From `there` to `here`; any direction when they are at one place. */
  #direction(there: Point, here: Point): { unit: number[]; length: number } {
    const between = difference(here, there);
    const length = Math.hypot(...between);
    if (length > zero) return { unit: between.map((each) => each / length), length };
    const any = Array.from({ length: dimensions }, () => this.#random.next() - 0.5);
    const size = Math.hypot(...any);
    const first = any.map((_, at) => (at === 0 ? 1 : 0));
    return { unit: size > zero ? any.map((each) => each / size) : first, length: 0 };
  }

  #adjustment(distance: number, seconds: number): number {
    this.#errors[this.#errorAt] = seconds - distance;
    this.#errorAt = (this.#errorAt + 1) % adjustmentWindow;
    const sum = this.#errors.reduce((total, each) => total + each, 0);
    // Half of it is the other node's to correct.
    return sum / (2 * adjustmentWindow);
  }
}

/** Seconds, adjusted unless that makes them negative. */
function estimate(here: Coordinate, there: Coordinate): number {
  const distance = rawDistance(here, there);
  const adjusted = distance + here.Adjustment + there.Adjustment;
  return adjusted > 0 ? adjusted : distance;
}

function isPoint(coordinate: Coordinate): coordinate is Point {
  const { Vec: position, Error: error, Adjustment: adjustment, Height: height } = coordinate;
  return (
    position?.length === dimensions &&
    [...position, error, adjustment, height].every(Number.isFinite)
  );
}

/** Moves below this, in s, and below this part of where a node stands, are not worth telling. */
const notableSeconds = 0.000_5;
const notablePart = 0.1;

/** Whether a node that told that it stands at `told` should tell that it stands at `now`. */
export function isNotableMove(told: Coordinate, now: Coordinate): boolean {
  const moved =
    Math.hypot(...difference(now, told)) +
    Math.abs(now.Height - told.Height) +
    Math.abs(now.Adjustment - told.Adjustment);
  const extent = Math.hypot(...(told.Vec ?? [])) + told.Height;
  return moved > Math.max(notableSeconds, notablePart * extent);
}

const updateMsMin = 15_000;
/** Updates of a whole datacenter, in one second. */
const updatesPerSecond = 64;

/** Time until a node tells again where it stands, if it has moved. Consul's formula. */
export function updateIntervalMs(nodes: number, random: Random): number {
  const interval = Math.max(updateMsMin, (nodes / updatesPerSecond) * 1_000);
  return interval * (1 + random.next());
}

/** A node that does not know yet where it stands measures often, then as often as keeps it up to date. */
const quickProbes = 20;
const quickProbeMs = 1_000;
const probeMs = 60_000;

/** Time until the next round trip is measured, after so many. */
export function probeIntervalMs(probes: number, random: Random): number {
  return (probes < quickProbes ? quickProbeMs : probeMs) * (0.5 + random.next());
}
