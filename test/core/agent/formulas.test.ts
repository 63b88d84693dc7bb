import { describe, expect, test } from "vitest";
import { keepEnd, keepStart, outputLimit } from "../../../src/core/agent/checks/output.ts";
import {
  firstRunDelayMs,
  outputSyncDelayMs,
  reapAtMs,
} from "../../../src/core/agent/checks/schedule.ts";
import { ThresholdCounter } from "../../../src/core/agent/checks/thresholds.ts";
import { hashText } from "../../../src/core/agent/content-hash.ts";
import type { CheckStatus } from "../../../src/core/agent/definitions.ts";
import { isIpv4, isIpv6 } from "../../../src/core/agent/ip-address.ts";
import {
  deployedPace,
  intervalMs,
  retryIntervalMs,
  scaleFactor,
} from "../../../src/core/agent/sync-interval.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";

const fixed = (value: number): ReturnType<typeof seededRandom> => ({
  next: () => value,
  integer: (minInclusive) => minInclusive,
});

const run = (
  thresholds: { successBeforePassing: number; failuresBeforeCritical: number },
  results: string,
): string => {
  const counter = new ThresholdCounter(thresholds);
  const statuses: Record<string, CheckStatus> = { p: "passing", w: "warning", c: "critical" };
  return Array.from(results, (letter) =>
    counter.publishes(statuses[letter] as CheckStatus) ? letter : "-",
  ).join("");
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("thresholds", () => {
  test("without thresholds everything is published", () => {
    expect(run({ successBeforePassing: 0, failuresBeforeCritical: 0 }, "pcwcp")).toBe("pcwcp");
  });

  test("the first result is published at once, then only runs that are long enough", () => {
    const thresholds = { successBeforePassing: 2, failuresBeforeCritical: 3 };
    expect(run(thresholds, "pcccc")).toBe("p--cc");
    expect(run(thresholds, "cpp")).toBe("c-p");
    expect(run(thresholds, "pccpccc")).toBe("p-----c");
  });

  test("a warning counts as a success", () => {
    expect(run({ successBeforePassing: 2, failuresBeforeCritical: 0 }, "cwp")).toBe("c-p");
  });
});

describe("sync intervals", () => {
  test("are stretched by one for each doubling beyond 128 nodes", () => {
    const factors = [1, 128, 129, 256, 257, 512, 1025, 2048].map(scaleFactor);
    expect(factors).toEqual([1, 1, 2, 2, 3, 3, 5, 5]);
  });

  test("a full sync every minute and a random part, a retry every quarter", () => {
    expect(intervalMs(1, fixed(0))).toBe(60_000);
    expect(intervalMs(1, fixed(0.5))).toBe(90_000);
    expect(intervalMs(300, fixed(0.5))).toBe(150_000);
    expect(intervalMs(1, fixed(0), deployedPace)).toBe(6 * 3_600_000);
    expect(retryIntervalMs(1, fixed(0.5))).toBe(22_500);
  });
});

describe("schedule", () => {
  test("the first run lies anywhere in the interval", () => {
    expect(firstRunDelayMs(10_000, fixed(0))).toBe(0);
    expect(firstRunDelayMs(10_000, fixed(0.999))).toBe(9_990);
  });

  test("an output alone is synced between half and one and a half intervals later", () => {
    expect(outputSyncDelayMs(300_000, fixed(0))).toBe(150_000);
    expect(outputSyncDelayMs(300_000, fixed(0.5))).toBe(300_000);
  });

  test("the reaper looks every 30 s", () => {
    expect(reapAtMs(0, 60_000, 0)).toBe(60_000);
    expect(reapAtMs(1, 60_000, 0)).toBe(90_000);
    expect(reapAtMs(1, 1, 0)).toBe(90_000);
    expect(reapAtMs(0, 3_600_000, 0)).toBe(3_600_000);
  });
});

describe("output", () => {
  test("of scripts keeps its end, notes keep their start", () => {
    expect(keepEnd(bytes("abc"), 3, 3)).toBe("abc");
    expect(keepEnd(bytes("abcdef"), 6, 2)).toBe("Captured 2 of 6 bytes\n...\nef");
    expect(keepStart("abc", 3)).toBe("abc");
    expect(keepStart("abcd", 3)).toBe("abc ... (captured 3 of 4 bytes)");
    expect(keepStart("äää", 4)).toBe("ää ... (captured 4 of 6 bytes)");
  });

  test("the smaller limit counts, 0 means the agent's", () => {
    expect([outputLimit(0, 9), outputLimit(5, 9), outputLimit(50, 9)]).toEqual([9, 5, 9]);
  });
});

describe("small parts", () => {
  test("addresses", () => {
    expect(["1.2.3.4", "255.255.255.255", "0.0.0.0"].every(isIpv4)).toBe(true);
    expect(["1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.", "a.b.c.d", ""].some(isIpv4)).toBe(false);
    const good = ["::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::8"];
    expect(good.filter((text) => !isIpv6(text))).toEqual([]);
    const bad = ["", ":", "1:2:3", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1.2.3.4", "::g"];
    expect(bad.filter(isIpv6)).toEqual([]);
  });

  test("hashes have 16 hex digits and differ", () => {
    expect(hashText("a")).toMatch(/^[0-9a-f]{16}$/);
    const texts = Array.from({ length: 1000 }, (_, index) => `{"Port":${index}}`);
    expect(new Set(texts.map(hashText)).size).toBe(1000);
  });
});
