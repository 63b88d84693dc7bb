// A datacenter of real hosts a seed: whatever the seed's faults do, every guarantee holds.

import { expect, test } from "vitest";
import { runHosts } from "./run.ts";

const seedsPerTest = 10;

const promises = [
  "session created",
  "session renewed",
  "lock acquired",
  "watch answered",
  "service registered",
  "service deregistered",
  "check updated",
];

function add(sum: Map<string, number>, counts: Record<string, number>): void {
  for (const [name, count] of Object.entries(counts)) sum.set(name, (sum.get(name) ?? 0) + count);
}

test.each([1, 11, 21, 31])("seeds %i and the nine after it", async (first) => {
  const done = new Map<string, number>();
  for (let seed = first; seed < first + seedsPerTest; seed++) {
    const result = await runHosts(seed).catch((failure: unknown) => {
      throw new Error(`${String(failure)}\nreplay: npm run sim -- --hosts --seed ${seed}`);
    });
    expect(result.simulatedMs).toBeGreaterThanOrEqual(120_000);
    expect(result.operations).toBeGreaterThanOrEqual(300);
    const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
    expect(faults).toBeGreaterThanOrEqual(10);
    add(done, result.done);
  }
  // A workload that never gets to do anything proves nothing.
  for (const promise of promises)
    expect([promise, done.get(promise) ?? 0]).not.toEqual([promise, 0]);
});

test("one seed gives one history", async () => {
  expect(await runHosts(7)).toEqual(await runHosts(7));
});
