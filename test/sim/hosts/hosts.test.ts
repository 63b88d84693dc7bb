// A datacenter of real hosts a seed: whatever the seed's faults do, every guarantee holds.

import { expect, test } from "vitest";
import { runHosts } from "./run.ts";
import type { HostPreset } from "./world.ts";

const seedsPerTest = 10;
const edgeSeedsPerTest = 5;

const promises = [
  "session created",
  "session renewed",
  "lock acquired",
  "watch answered",
  "service registered",
  "service deregistered",
  "check updated",
];

const edgePromises = [
  "edge service registered",
  "edge service deregistered",
  "edge check updated",
  "object slept",
];

function add(sum: Map<string, number>, counts: Record<string, number>): void {
  for (const [name, count] of Object.entries(counts)) sum.set(name, (sum.get(name) ?? 0) + count);
}

async function checkSeeds(
  first: number,
  count: number,
  preset: HostPreset,
): Promise<Map<string, number>> {
  const done = new Map<string, number>();
  for (let seed = first; seed < first + count; seed++) {
    const result = await runHosts(seed, { preset }).catch((failure: unknown) => {
      const replay = `npm run sim -- --hosts --preset ${preset} --seed ${seed}`;
      throw new Error(`${String(failure)}\nreplay: ${replay}`);
    });
    expect(result.simulatedMs).toBeGreaterThanOrEqual(120_000);
    expect(result.operations).toBeGreaterThanOrEqual(300);
    const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
    expect(faults).toBeGreaterThanOrEqual(10);
    add(done, result.done);
  }
  return done;
}

/** A workload that never gets to do anything proves nothing. */
function expectDone(done: Map<string, number>, names: readonly string[]): void {
  for (const name of names) expect([name, done.get(name) ?? 0]).not.toEqual([name, 0]);
}

test.each([1, 11, 21, 31])("seeds %i and the nine after it", async (first) => {
  expectDone(await checkSeeds(first, seedsPerTest, "lan"), promises);
});

test.each([1, 6])("a deployment, seeds %i and the four after it", async (first) => {
  expectDone(await checkSeeds(first, edgeSeedsPerTest, "edge"), [...promises, ...edgePromises]);
});

test.each(["lan", "edge"] as const)("one seed gives one history (%s)", async (preset) => {
  expect(await runHosts(7, { preset })).toEqual(await runHosts(7, { preset }));
});
