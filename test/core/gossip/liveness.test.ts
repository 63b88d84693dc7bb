// When a pool may call a member failed: the promises of design §7, by the numbers that hosts and deployments run with.

import { describe, expect, test } from "vitest";

import {
  deployedLiveness,
  gossipPingIntervalMs,
  hostedLiveness,
  isOverdue,
  isStorm,
  nextSweepMs,
  overdueMs,
  reconnectWindowMs,
  silenceMs,
  suspicionOf,
  verdictAtMs,
} from "../../../src/core/gossip/liveness.ts";

describe.each([
  ["hosts", hostedLiveness],
  ["a deployment", deployedLiveness],
])("on %s", (_where, timing) => {
  test("a closed socket is a death within 20 s", () => {
    expect(suspicionOf(timing, 1_000)).toBeLessThanOrEqual(20_000);
  });

  test("a silent host is noticed within 60 s, whenever sweeps happen to be", () => {
    for (let sweepMs = 0; sweepMs < gossipPingIntervalMs; sweepMs += 500) {
      // It pings at 0, others go on; a sweep at `sweepMs` decides when the next ones are.
      let nowMs = sweepMs;
      while (!isOverdue(0, nowMs)) nowMs = nextSweepMs([0, nowMs - 1_000], timing, nowMs);
      expect(nowMs + suspicionOf(timing, 1_000)).toBeLessThanOrEqual(60_000);
    }
  });

  test("a host that misses one ping is not overdue", () => {
    expect(isOverdue(0, 2 * gossipPingIntervalMs + 5_000)).toBe(false);
    expect(isOverdue(0, overdueMs)).toBe(true);
  });

  test("nobody is judged before the window in which all come back is over, and 9 s more", () => {
    for (const members of [1, 500, 5_000]) {
      const windowMs = reconnectWindowMs(timing, members);
      expect(windowMs).toBeGreaterThanOrEqual(members * 10);
      expect(silenceMs(timing, members)).toBeGreaterThanOrEqual(windowMs + 9_000);
      expect(suspicionOf(timing, members)).toBeGreaterThan(windowMs);
    }
  });
});

test("a deployment waits 5 s and 15 s more after it lost its sockets", () => {
  expect(silenceMs(deployedLiveness, 3)).toBe(20_000);
});

test("three of ten within 10 s are a storm, two are not, nor three of three hundred", () => {
  expect(isStorm([0, 1, 2], 10, 5_000)).toBe(true);
  expect(isStorm([0, 1], 10, 5_000)).toBe(false);
  expect(isStorm([0, 1, 2], 10, 10_002)).toBe(false);
  expect(isStorm([0, 1, 2], 300, 5_000)).toBe(false);
});

test("a verdict waits for the end of the silence", () => {
  const at = { vanishedAtMs: 1_000, suspicionMs: 5_000 };
  expect(verdictAtMs({ ...at, silentUntilMs: 0 })).toBe(6_000);
  expect(verdictAtMs({ ...at, silentUntilMs: 9_000 })).toBe(9_000);
});
