import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../../src/core/model/duration.ts";

test.each([
  ["0", 0],
  ["10s", 10e9],
  ["1m30s", 90e9],
  ["1.5h", 5_400e9],
  ["-1.5ms", -1.5e6],
  ["+3us", 3_000],
  ["3µs", 3_000],
  ["1h0m0.000000001s", 3_600e9 + 1],
  [".5s", 5e8],
])("parses %s", (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each([
  ["", 'time: invalid duration ""'],
  ["abc", 'time: invalid duration "abc"'],
  ["10", 'time: missing unit in duration "10"'],
  ["10x", 'time: unknown unit "x" in duration "10x"'],
  [".s", 'time: invalid duration ".s"'],
  ["9999999h", 'time: invalid duration "9999999h"'],
])("refuses %s", (text, message) => {
  expect(() => parseDuration(text)).toThrow(message);
});

test.each([
  [0, "0s"],
  [1, "1ns"],
  [1_500, "1.5µs"],
  [1_500_000, "1.5ms"],
  [15e9, "15s"],
  [90e9, "1m30s"],
  [86_400e9, "24h0m0s"],
  [-1_200e6, "-1.2s"],
  [3_600e9 + 1, "1h0m0.000000001s"],
])("prints %d", (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
  expect(parseDuration(text)).toBe(ns);
});
