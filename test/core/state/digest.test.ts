// The digest by which servers notice that their states differ.

import { expect, test } from "vitest";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { digestVersion, digestWindow } from "../../../src/core/state/digest.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { StateHarness } from "../../support/state-harness.ts";

const set = (key: string, value = "dg=="): Command => ({ type: "kv.set", key, value, flags: "0" });

/** Applies noops up to `index`. */
function passTo(harness: StateHarness, index: number): void {
  const missing = index - harness.machine.appliedIndex;
  harness.applyEntries(Array.from({ length: missing }, () => null));
}

/** The mark at the end of the window in which `change` happens. */
function markAfter(...changes: ((harness: StateHarness) => unknown)[]) {
  const harness = new StateHarness();
  for (const change of changes) change(harness);
  passTo(harness, digestWindow);
  return harness.machine.digestMark;
}

test("servers that applied the same have the same mark, however the entries came in batches", () => {
  const bodies = Array.from({ length: 2 * digestWindow + 5 }, (_, at) =>
    encodeCommand(set(`k${at % 50}`, btoa(String(at))), at),
  );
  const [left, right] = [new StateHarness(), new StateHarness()];
  left.applyEntries(bodies);
  for (const body of bodies) right.applyEntries([body]);
  expect(left.machine.digestMark).toEqual(right.machine.digestMark);
  expect(left.machine.digestMark).toMatchObject({
    index: 2 * digestWindow,
    version: digestVersion,
  });
  expect(left.machine.digest).toBe(right.machine.digest);
});

test("it covers the index, the result and every row", () => {
  const base = markAfter((h) => h.applyAll([set("a")]));
  expect(base).not.toBeNull();
  expect(markAfter((h) => h.applyAll([set("a")]))).toEqual(base);
  const others = [
    // Another value of the same key, seen neither in the result nor in what was touched.
    markAfter((h) => h.applyAll([set("a", "eA==")])),
    markAfter((h) => h.applyAll([set("b")])),
    markAfter(
      (h) => passTo(h, 1),
      (h) => h.applyAll([set("a")]),
    ),
    markAfter((h) => h.applyAll([set("a"), { type: "kv.delete-cas", key: "a", index: "9" }])),
    markAfter((h) => h.applyAll([set("a"), { type: "kv.delete", key: "a" }])),
  ];
  const digests = [base, ...others].map((mark) => mark?.digest);
  expect(new Set(digests).size).toBe(digests.length);
});

test("long values are sampled, so their ends and their length count", () => {
  const long = (middle: string, end = "A"): string => "A".repeat(300) + middle + end.repeat(300);
  const digestOf = (value: string) => markAfter((h) => h.applyAll([set("a", value)]))?.digest;
  expect(digestOf(long("AAAA", "B"))).not.toBe(digestOf(long("AAAA")));
  expect(digestOf(long("AAAAAAAA"))).not.toBe(digestOf(long("AAAA")));
});

test("what is undone leaves nothing but its result", () => {
  const failing = (key: string): Command => {
    const operation = { kind: "kv", value: "", flags: "0", session: "", index: "0" } as const;
    const operations = [
      { ...operation, verb: "set", key },
      { ...operation, verb: "get", key: "none" },
    ];
    return { type: "txn", operations };
  };
  const one = markAfter((h) => h.applyAll([failing("a")]));
  expect(markAfter((h) => h.applyAll([failing("b")]))).toEqual(one);
});

test("a window that older code began is not compared; the next one is", () => {
  const [old, fresh] = [new StateHarness(), new StateHarness()];
  for (const harness of [old, fresh]) passTo(harness, 10);
  // What 09eb745 left: a hash of 32 bits.
  old.sql.exec("UPDATE state_meta SET digest = 242391864 WHERE id = 1");
  old.machine.reload();
  for (const harness of [old, fresh]) passTo(harness, digestWindow);
  expect(fresh.machine.digestMark?.index).toBe(digestWindow);
  expect(old.machine.digestMark).toBeNull();
  for (const harness of [old, fresh]) passTo(harness, 2 * digestWindow);
  expect(old.machine.digestMark).toEqual(fresh.machine.digestMark);
  expect(old.machine.digest).toBe(fresh.machine.digest);
});

test("a restart in the middle of a window changes nothing; one after it forgets the mark", () => {
  const harness = new StateHarness();
  harness.set("a");
  const again = new StateMachine(harness.sql, { datacenter: "dc1" });
  const rest = Array.from({ length: digestWindow - 1 }, (_, at) => ({
    index: at + 2,
    command: null,
  }));
  again.applyBatch(rest);
  expect(again.digestMark).toEqual(markAfter((h) => h.set("a")));
  expect(new StateMachine(harness.sql, { datacenter: "dc1" }).digestMark).toBeNull();
});

test("a mark whose transaction was rolled back is none", () => {
  const harness = new StateHarness();
  passTo(harness, digestWindow - 1);
  const undone = (): void =>
    harness.sql.transaction(() => {
      harness.machine.applyBatch([{ index: digestWindow, command: null }]);
      throw new Error("undo");
    });
  expect(undone).toThrow("undo");
  harness.machine.reload();
  expect(harness.machine.digestMark).toBeNull();
});
