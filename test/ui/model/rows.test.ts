// Which rows of a long list are there, and what becomes of an order while somebody points at it.

import { expect, test } from "vitest";

import { frozenOrder, rowWindow } from "../../../src/ui/model/rows.ts";
import { fc } from "../support/check.ts";

const view = { scrollTop: 3_600, height: 720, rowHeight: 36 };

test("of ten thousand rows those in view and some around them are there", () => {
  const { places, gaps } = rowWindow(10_000, view, -1);
  expect([places[0], places.at(-1)]).toEqual([88, 131]);
  expect([gaps[0], gaps.at(-1)]).toEqual([88, 10_000 - 132]);
  expect(places.length).toBeLessThan(150);
});

test("the row that has the focus is there wherever it is", () => {
  expect(rowWindow(10_000, view, 2).places.slice(0, 2)).toEqual([2, 88]);
  expect(rowWindow(10_000, view, 9_999).places.at(-1)).toBe(9_999);
});

test("rows and gaps together are always the whole list", () => {
  const numbers = fc.tuple(
    fc.nat(500),
    fc.integer({ min: -1, max: 600 }),
    fc.nat(20_000),
    fc.nat(2_000),
  );
  fc.assert(
    fc.property(numbers, ([count, focused, scrollTop, height]) => {
      const { places, gaps } = rowWindow(count, { scrollTop, height, rowHeight: 36 }, focused);
      expect(places.length + gaps.reduce((sum, gap) => sum + gap, 0)).toBe(count);
      expect([...places].toSorted((a, b) => a - b)).toEqual(places);
      expect(gaps.every((gap) => gap >= 0)).toBe(true);
      if (focused >= 0 && focused < count) expect(places).toContain(focused);
    }),
  );
});

test.each([
  [["a", "b"], ["a", "b"], 0],
  [["a", "b"], ["b", "a"], 1],
  [["a", "b"], ["a", "b", "c"], 1],
  [["a", "b"], ["c"], 3],
])("%j stays while it is held; of %j %i changes wait", (held, now, pending) => {
  expect(frozenOrder(held, now)).toEqual({ keys: held, pending });
});
