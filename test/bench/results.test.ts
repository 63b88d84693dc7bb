import { describe, expect, test } from "vitest";

import { parseOptions } from "./options.ts";
import { Results } from "./results.ts";
import { advantage, isNoise, summarize } from "./statistics.ts";
import { quickEffort, type Row, toConsul } from "./trials.ts";

const row: Row = { name: "kv-put", title: "KV PUT", unit: "/s", reach: toConsul(3) };

describe("repetitions", () => {
  test("are told by their extremes and the middle", () => {
    expect(summarize([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 });
    expect(summarize([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 });
    expect(summarize([])).toBeUndefined();
  });

  test("differ from others only when by more than from each other", () => {
    const calm = { min: 99, median: 100, max: 101 };
    expect(isNoise(calm, { min: 103, median: 104, max: 105 })).toBe(false);
    expect(isNoise(calm, { min: 90, median: 104, max: 105 })).toBe(true);
    expect(isNoise({ min: 90, median: 104, max: 105 }, calm)).toBe(true);
  });

  test("a ratio above 1 is better, whether more or less is", () => {
    const [low, high] = [summarize([1]), summarize([2])];
    expect(advantage(high!, low!, "more")).toBe(2);
    expect(advantage(low!, high!, "less")).toBe(2);
  });
});

describe("the table", () => {
  test("has a line for the rate, the processor and the memory, and says what is noise", () => {
    const results = new Results();
    for (const [value, cpuMicros] of [
      [300, 10],
      [310, 12],
      [320, 14],
    ] as const) {
      results.add("working tree", row.name, { value, cpuMicros, privateMegabytes: 50 });
      results.add("09eb745", row.name, { value: value - 15, cpuMicros: cpuMicros * 2 });
      results.add("consul", row.name, { value: 100 });
    }
    const cells = results
      .table([row], ["working tree", "09eb745", "consul"])
      .split("\n")
      .slice(2)
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(cells).toEqual([
      [
        ...["KV PUT", "/s", "300 / 310 / 320"],
        ...["285 / 295 / 305", "1.05 ~", "100 / 100 / 100", "3.10", "3 × consul", "reached"],
      ],
      ["", "µs CPU each", "10.0 / 12.0 / 14.0", "20.0 / 24.0 / 28.0", "2.00", "–", "–", "", ""],
      ["", "MB private", "50.0 / 50.0 / 50.0", "–", "–", "–", "–", "", ""],
    ]);
  });

  test("judges by its own unit where no other subject is the measure", () => {
    const failover: Row = { name: "f", title: "F", unit: "ms", reach: { atMost: 500 } };
    const results = new Results();
    results.add("working tree", "f", { value: 501 });
    expect(results.table([failover], ["working tree"])).toContain("MISSED");
  });
});

describe("arguments", () => {
  const names = ["kv-put", "kv-get"];

  test("choose commit, ACLs, rows and effort", () => {
    expect(parseOptions(["--against", "09eb745", "--rows=kv-get", "--quick"], names)).toEqual({
      against: "09eb745",
      acl: false,
      rows: new Set(["kv-get"]),
      effort: quickEffort,
    });
    expect(parseOptions(["--acl"], names)).toMatchObject({ acl: true, against: null });
    expect(parseOptions([], names)).toMatchObject({
      against: null,
      acl: false,
      rows: new Set(names),
    });
  });

  test("that mean nothing are refused", () => {
    expect(() => parseOptions(["--row", "kv-get"], names)).toThrow("unknown argument --row");
    expect(() => parseOptions(["--rows", "kv-got"], names)).toThrow(/kv-got: there are kv-put/);
    expect(() => parseOptions(["--against"], names)).toThrow("needs a value");
    expect(() => parseOptions(["--acl", "--against", "09eb745"], names)).toThrow("by itself");
  });
});
