// The heap of deadlines against a sorted list.

import { expect, test } from "vitest";

import { Deadlines } from "../../../src/core/lib/deadlines.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";

function sorted(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].toSorted(([, one], [, other]) => one - other);
}

test.each([1, 2, 3, 4, 5])("does what a sorted list does (seed %i)", (seed) => {
  const random = seededRandom(seed);
  const deadlines = new Deadlines();
  const model = new Map<string, number>();
  for (let step = 0; step < 2_000; step++) {
    const name = `n${random.integer(0, 60)}`;
    if (random.next() < 0.7) {
      // Distinct, so that the order is.
      const atMs = random.integer(0, 1_000) * 10_000 + step;
      deadlines.set(name, atMs);
      model.set(name, atMs);
    } else {
      expect(deadlines.delete(name)).toBe(model.delete(name));
    }
    expect(deadlines.get(name)).toBe(model.get(name));
    expect(deadlines.size).toBe(model.size);
    const order = sorted(model);
    expect(deadlines.earliestMs).toBe(order[0]?.[1] ?? null);
    const nowMs = random.integer(0, 1_000) * 10_000;
    const due = order.filter(([, atMs]) => atMs <= nowMs).map(([one]) => one);
    expect(deadlines.due(nowMs, 10)).toEqual(due.slice(0, 10));
  }
});
