// A datacenter of real hosts a seed: whatever the seed's faults do, every guarantee holds.

import { expect, test } from "vitest";
import { runHosts } from "./run.ts";

const seedsPerTest = 10;

test.each([1, 11, 21, 31])("seeds %i and the nine after it", async (first) => {
  for (let seed = first; seed < first + seedsPerTest; seed++) {
    const result = await runHosts(seed).catch((failure: unknown) => {
      throw new Error(`${String(failure)}\nreplay: npm run sim -- --hosts --seed ${seed}`);
    });
    expect(result.simulatedMs).toBeGreaterThan(100_000);
    expect(result.operations).toBeGreaterThan(300);
  }
});

test("one seed gives one history", async () => {
  expect(await runHosts(7)).toEqual(await runHosts(7));
});
