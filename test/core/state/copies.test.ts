// What a copy of the state keeps aside has a bound: the one who reads it too slowly begins anew, and the state goes on.

import { expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { StateCopies } from "../../../src/core/state/archive/copies.ts";
import { RowBudget } from "../../../src/core/state/row-cache.ts";
import { Table, type TableDefinition } from "../../../src/core/state/table.ts";

interface Thing {
  name: string;
  body: string;
  [column: string]: string;
}

const definition: TableDefinition<Thing> = {
  name: "thing",
  columns: { name: "TEXT NOT NULL", body: "TEXT NOT NULL" },
  key: ["name"],
};

test("a copy keeps aside what changes, up to its bound, and breaks off beyond it", () => {
  const sql = new NodeSql();
  sql.exec("CREATE TABLE thing (name TEXT PRIMARY KEY, body TEXT NOT NULL)");
  const copies = new StateCopies(sql, 1_000);
  const table = new Table(sql, definition, () => undefined, new RowBudget(10_000), copies);
  const kept = () =>
    sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM state_aside")[0]?.rows;
  const large = "x".repeat(400);
  for (const name of ["a", "b", "c"]) table.put({ name, body: large });
  const fixed = { datacenter: "dc1", index: 1, indexOf: () => 1 };
  const copy = copies.open(new Map([["thing", table as never]]), fixed);

  table.put({ name: "a", body: "new" });
  table.put({ name: "a", body: "newer" });
  table.remove("b");
  expect(kept()).toBe(2);
  expect([...copy.rows(definition)].map(({ name, body }) => `${name} ${body.length}`)).toEqual([
    "c 400",
    "a 400",
    "b 400",
  ]);

  table.put({ name: "c", body: "new" });
  table.put({ name: "d", body: "new" });
  expect(kept()).toBe(0);
  expect(() => [...copy.rows(definition)]).toThrow("too much of the state changed");
  expect(table.get("c")?.body).toBe("new");
  copies.close(copy);
});
