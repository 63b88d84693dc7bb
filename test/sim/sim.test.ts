// A cluster a seed: whatever the seed's faults do, every guarantee holds.

import { describe, expect, test } from "vitest";
import type { MachineName } from "./machine.ts";
import { failure, run } from "./run.ts";

const seedsPerTest = 50;
const seeds: Record<MachineName, number> = { toy: 450, sqlite: 50 };

function sweep(machine: MachineName, first: number): void {
  for (let seed = first; seed < first + seedsPerTest; seed += 1) {
    try {
      run({ seed, machine });
    } catch (error) {
      const reason = failure(error) ?? (error instanceof Error ? error.stack : String(error));
      const command = `npm run sim -- --seed ${seed} --machine ${machine}`;
      throw new Error(`${reason}\nreplay: ${command}`, { cause: error });
    }
  }
}

describe.each(["toy", "sqlite"] as const)(
  "simulated clusters keep every guarantee: %s",
  (machine) => {
    for (let first = 1; first < seeds[machine]; first += seedsPerTest) {
      test(`seeds ${first}–${first + seedsPerTest - 1}`, () => {
        expect(() => sweep(machine, first)).not.toThrow();
      });
    }

    test("one seed gives one history", () => {
      expect(run({ seed: 7, machine })).toEqual(run({ seed: 7, machine }));
    });
  },
);
