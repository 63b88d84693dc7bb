// Network coordinates: what is measured becomes what is estimated.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isNotableMove,
  probeIntervalMs,
  updateIntervalMs,
  Vivaldi,
} from "../../../src/core/gossip/vivaldi.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import {
  type Coordinate,
  origin,
  rawDistance,
  roundTripNs,
} from "../../../src/core/model/coordinate.ts";

const at = (x: number, changed: Partial<Coordinate> = {}): Coordinate => ({
  ...origin,
  Vec: [x, 0, 0, 0, 0, 0, 0, 0],
  ...changed,
});

const seconds = (from: Vivaldi, to: Vivaldi): number =>
  roundTripNs(from.coordinate, to.coordinate) / 1e9;

interface World {
  nodes: Vivaldi[];
  truth(from: number, to: number): number;
}

/** Lets everybody measure everybody, each in turn, `rounds` times; `noise` in parts of the truth. */
function settle({ nodes, truth }: World, rounds: number, noise = 0, seed = 1): void {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    for (const [from, node] of nodes.entries()) {
      const to = (from + 1 + random.integer(0, nodes.length - 1)) % nodes.length;
      const peer = nodes[to];
      if (!peer) continue;
      const measured = truth(from, to) * (1 + noise * random.next());
      node.measured(`n${to}`, peer.coordinate, measured);
    }
  }
}

/** Mean of how far estimates are from the truth, in parts of it. */
function meanError({ nodes, truth }: World): number {
  const errors = nodes.flatMap((from, a) =>
    nodes.slice(a + 1).map((to, b) => {
      const real = truth(a, a + 1 + b);
      return Math.abs(seconds(from, to) - real) / real;
    }),
  );
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

function world(count: number, truth: World["truth"]): World {
  return { nodes: Array.from({ length: count }, (_, n) => new Vivaldi(seededRandom(n))), truth };
}

test("who has measured nothing stands at the origin", () => {
  expect(new Vivaldi(seededRandom(1)).coordinate).toEqual({
    Vec: [0, 0, 0, 0, 0, 0, 0, 0],
    Error: 1.5,
    Adjustment: 0,
    Height: 1e-5,
  });
});

describe("estimates come near the truth", () => {
  const line = (a: number, b: number): number => 0.01 * Math.abs(a - b);
  const grid = (a: number, b: number): number =>
    0.005 + 0.01 * Math.hypot((a % 4) - (b % 4), Math.floor(a / 4) - Math.floor(b / 4));
  const sides = (a: number, b: number): number => (a < 5 === b < 5 ? 0.001 : 0.05);
  /** Every node behind a slow line of its own: what the height is for. */
  const spokes = (a: number, b: number): number => 0.004 * (a + 1) + 0.004 * (b + 1);

  test.each([
    ["a line", 10, line, 0.06],
    ["a grid", 16, grid, 0.05],
    ["two sites", 10, sides, 0.1],
    ["spokes", 8, spokes, 0.12],
  ] as const)("%s", (_name, count, truth, errorMax) => {
    const exact = world(count, truth);
    settle(exact, 2_000);
    expect(meanError(exact)).toBeLessThan(errorMax);
    for (const { coordinate } of exact.nodes) expect(coordinate.Error).toBeLessThan(0.3);
  });

  test("although one measurement in ten is three times too slow", () => {
    const nodes = world(10, line).nodes;
    const random = seededRandom(9);
    const slow = (a: number, b: number) => line(a, b) * (random.next() < 0.1 ? 3 : 1);
    const noisy = { nodes, truth: slow };
    settle(noisy, 4_000);
    expect(meanError({ nodes, truth: line })).toBeLessThan(0.25);
  });

  test("sorted by distance, nodes are in the right order", () => {
    const { nodes, truth } = world(10, line);
    settle({ nodes, truth }, 2_000, 0.05);
    const first = nodes[0];
    if (!first) throw new Error("there are ten");
    const order = nodes
      .map((node, n) => [first === node ? 0 : seconds(first, node), n] as const)
      .toSorted(([left], [right]) => left - right)
      .map(([, n]) => n);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

test("gravity keeps a moving crowd at the origin", () => {
  const { nodes, truth } = world(5, () => 0.02);
  settle({ nodes, truth }, 20_000, 0.5);
  const middle = origin.Vec?.map((_, axis) =>
    nodes.reduce((sum, { coordinate }) => sum + (coordinate.Vec?.[axis] ?? 0) / nodes.length, 0),
  );
  expect(Math.hypot(...(middle ?? []))).toBeLessThan(0.5);
});

test("a single slow round trip is not believed", () => {
  const node = new Vivaldi(seededRandom(1));
  for (let n = 0; n < 100; n++) node.measured("a", at(0.01), 0.01);
  const before = rawDistance(node.coordinate, at(0.01));
  node.measured("a", at(0.01), 9);
  expect(rawDistance(node.coordinate, at(0.01))).toBeCloseTo(before, 3);
});

test("what cannot be is ignored, whatever it is", () => {
  const odd = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -1, 0, 1e300, 11));
  const coordinate = fc.record({
    Vec: fc.oneof(
      fc.constant(null),
      fc.array(odd, { maxLength: 9 }),
      fc.array(odd, { minLength: 8, maxLength: 8 }),
    ),
    Error: odd,
    Adjustment: odd,
    Height: odd,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(coordinate, odd), { maxLength: 40 }), (given) => {
      const node = new Vivaldi(seededRandom(1));
      for (const [there, time] of given) node.measured("x", there, time);
      const { Vec, Error, Adjustment, Height } = node.coordinate;
      expect(Vec).toHaveLength(8);
      expect([...(Vec ?? []), Error, Adjustment, Height].every(Number.isFinite)).toBe(true);
    }),
  );
});

test("round trips of many peers take no more memory than of a few", () => {
  const node = new Vivaldi(seededRandom(1));
  for (let n = 0; n < 10_000; n++) node.measured(`peer ${n}`, at(0.01), 0.01);
  expect(node.coordinate.Error).toBeLessThan(1.5);
});

test("small moves are not told, those that matter are", () => {
  expect(isNotableMove(at(0), at(0.000_4))).toBe(false);
  expect(isNotableMove(at(0), at(0.000_6))).toBe(true);
  expect(isNotableMove(at(0.1), at(0.109))).toBe(false);
  expect(isNotableMove(at(0.1), at(0.112))).toBe(true);
  expect(isNotableMove(at(0), at(0, { Height: 0.001 }))).toBe(true);
  expect(isNotableMove(at(0), at(0, { Adjustment: -0.001 }))).toBe(true);
  expect(isNotableMove(at(0), at(0, { Error: 0.1 }))).toBe(false);
});

test("intervals are Consul's: at most 64 updates of a datacenter in a second", () => {
  const always = (value: number) => ({ next: () => value, integer: () => 0 });
  expect(updateIntervalMs(3, always(0))).toBe(15_000);
  expect(updateIntervalMs(3, always(0.5))).toBe(22_500);
  expect(updateIntervalMs(6_400, always(0))).toBe(100_000);
  expect(probeIntervalMs(0, always(0.5))).toBe(1_000);
  expect(probeIntervalMs(20, always(0))).toBe(30_000);
});
