// A cluster a seed: whatever the seed's faults do, every guarantee holds.

import { describe, expect, test } from "vitest";
import { failure, run } from "./run.ts";

const seedsPerTest = 50;
const tests = 10;

function sweep(first: number): void {
  for (let seed = first; seed < first + seedsPerTest; seed += 1) {
    try {
      run({ seed });
    } catch (error) {
      const reason = failure(error) ?? (error instanceof Error ? error.stack : String(error));
      throw new Error(`${reason}\nreplay: npm run sim -- --seed ${seed}`, { cause: error });
    }
  }
}

describe("simulated clusters keep every guarantee", () => {
  for (let number = 0; number < tests; number += 1) {
    const first = number * seedsPerTest + 1;
    test(`seeds ${first}–${first + seedsPerTest - 1}`, () => {
      expect(() => sweep(first)).not.toThrow();
    });
  }

  test("one seed gives one history", () => {
    expect(run({ seed: 7 })).toEqual(run({ seed: 7 }));
  });
});
