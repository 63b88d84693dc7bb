// Formulas of SWIM and Lifeguard.

import { expect, test } from "vitest";

import {
  confirmationsWanted,
  lanTiming,
  scaled,
  suspicionMs,
  transmitLimit,
} from "../../../../src/core/gossip/swim/timing.ts";

test.each([
  // One who cannot be confirmed is not given more time than SWIM's.
  [2, 0, 4_000],
  [10, 0, 24_000],
  [10, 1, 14_000],
  [10, 3, 4_000],
  [100, 0, 48_000],
  [100, 3, 8_000],
  [10_000, 9, 16_000],
])(
  "among %i members with %i confirmations a suspicion takes %i ms",
  (members, confirmations, ms) => {
    expect(suspicionMs(lanTiming, members, confirmations)).toBeCloseTo(ms, 6);
  },
);

test("news is told as often as the logarithm of the members says", () => {
  expect([1, 9, 10, 99, 9_999].map((members) => transmitLimit(4, members))).toEqual([
    4, 4, 8, 8, 16,
  ]);
});

test("fewer members can confirm less, and doubt in oneself slows everything", () => {
  expect([1, 2, 3, 4, 5, 50].map(confirmationsWanted)).toEqual([0, 0, 1, 2, 3, 3]);
  expect([0, 1, 8].map((health) => scaled(500, health))).toEqual([500, 1_000, 4_500]);
});
