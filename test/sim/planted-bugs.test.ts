// Who tests the simulator? Each mistake planted here must be caught, and the same workload without
// it must pass.

import { describe, expect, test } from "vitest";
import { bugs } from "./bugs.ts";
import { hunt } from "./hunt.ts";

const seedsMax = 2000;
const soundSeeds = 12;

describe("a planted bug is caught", () => {
  test.for(bugs)("$name", (bug, { annotate }) => {
    const found = hunt(bug, seedsMax);
    expect(found, `not caught within ${seedsMax} seeds`).not.toBeNull();
    void annotate(`caught at seed ${found?.seed}: ${found?.reason.split("\n")[0]}`);
  });
});

describe("the same workload without the bug is sound", () => {
  const workloads = bugs.filter((bug) => bug.adjust !== undefined);
  test.for(workloads)("$name", ({ name, adjust }) => {
    const sound = adjust === undefined ? { name } : { name, adjust };
    expect(hunt(sound, soundSeeds)).toBeNull();
  });
});
