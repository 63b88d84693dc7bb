import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { SqlRow } from "../../../src/core/lib/sql.ts";
import { RowBudget, RowCache } from "../../../src/core/state/row-cache.ts";
import { Table } from "../../../src/core/state/table.ts";
import type { TableDefinition } from "../../../src/core/state/table.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { StateHarness } from "../../support/state-harness.ts";

interface PairRow extends SqlRow {
  left: string;
  right: string;
  value: string;
}

const pairs: TableDefinition<PairRow> = {
  name: "pairs",
  columns: { left: "TEXT NOT NULL", right: "TEXT NOT NULL", value: "TEXT NOT NULL" },
  key: ["left", "right"],
};

// SQLite turns a lone surrogate into U+FFFD, so the first two texts are one key to it.
const text = fc.constantFrom("\ud800", "\ufffd", "a", "b");
const step = fc.oneof(
  fc.record({ op: fc.constant("put" as const), left: text, right: text, value: text }),
  fc.record({ op: fc.constant("remove" as const), left: text, right: text }),
  fc.record({ op: fc.constant("removeWhere" as const), left: text }),
  fc.record({ op: fc.constantFrom("clear" as const, "rollback" as const) }),
);

test("whatever happens to a table, a row is what the database says", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const sql = new NodeSql();
      const table = new Table(sql, pairs, () => undefined, new RowBudget(100_000));
      table.create();
      for (const each of steps) {
        if (each.op === "put") table.put({ left: each.left, right: each.right, value: each.value });
        else if (each.op === "remove") table.remove(each.left, each.right);
        else if (each.op === "removeWhere") table.removeWhere("left = ?", each.left);
        else if (each.op === "clear") table.clear();
        else rollBack(sql, table);
        expectTrue(sql, table);
      }
    }),
  );
});

function rollBack(sql: NodeSql, table: Table<PairRow>): void {
  const failure = new Error("on purpose");
  expect(() =>
    sql.transaction(() => {
      table.put({ left: "a", right: "b", value: "never written" });
      throw failure;
    }),
  ).toThrow(failure);
  table.forgetRows();
}

function expectTrue(sql: NodeSql, table: Table<PairRow>): void {
  for (const left of ["\ud800", "\ufffd", "a", "b"]) {
    for (const right of ["\ufffd", "a"]) {
      const [row] = sql.exec<PairRow>(
        "SELECT * FROM pairs WHERE left = ? AND right = ?",
        left,
        right,
      );
      expect(table.get(left, right)).toEqual(row);
    }
  }
}

test("a long row is not kept, and not mistaken for the one that it replaces", () => {
  const harness = new StateHarness();
  harness.set("a", "short");
  harness.set("a", "long".repeat(1_000));
  expect(harness.read("kv.get", { key: "a" }).value).toMatchObject([
    { Value: "long".repeat(1_000) },
  ]);
});

const operation = { kind: "kv", value: "", flags: "0", index: "0", session: "" } as const;

test("a transaction that fails leaves no row behind in memory either", () => {
  const harness = new StateHarness();
  harness.set("a", "b2xk");
  const outcome = harness.run({
    type: "txn",
    operations: [
      { ...operation, verb: "set", key: "a", value: "bmV3" },
      { ...operation, verb: "get", key: "missing" },
    ],
  });
  expect(outcome).toMatchObject({ results: null });
  expect(harness.read("kv.get", { key: "a" }).value).toMatchObject([{ Value: "b2xk" }]);
  harness.set("a", "bmV3");
  expect(harness.read("kv.get", { key: "a" }).value).toMatchObject([{ Value: "bmV3" }]);
});

test("all tables of a state share one budget, and the largest makes room", () => {
  const budget = new RowBudget(100_000);
  const [large, small] = [new RowCache<PairRow>(budget), new RowCache<PairRow>(budget)];
  const row = (left: string): PairRow => ({ left, right: "r", value: "v".repeat(1_000) });
  small.keep(["a", "r"], row("a"));
  for (let at = 0; at < 1_000; at += 1) large.keep([`k${at}`, "r"], row(`k${at}`));
  expect(budget.bytes).toBeLessThanOrEqual(100_000);
  expect(budget.bytes).toBeGreaterThan(90_000);
  expect(large.get(["k999", "r"])).toEqual(row("k999"));
  expect(large.get(["k0", "r"])).toBeUndefined();
  expect(small.get(["a", "r"])).toEqual(row("a"));
  for (let at = 0; at < 1_000; at += 1) large.keep(["k", "r"], row("k"));
  large.clear();
  expect(budget.bytes).toBe(small.bytes);
  small.forget(["a", "r"]);
  expect(budget.bytes).toBe(0);
});
