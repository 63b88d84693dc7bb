// What an EdgeAgent keeps of certificates outlives its memory, within a bound.

import { expect, test } from "vitest";
import { LeafRows } from "../../../durable/edge/edge-leaf-rows.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import type { HeldLeaf } from "../../../src/connect/leaf-certificates.ts";

function heldOf(service: string, madeMs: number): HeldLeaf {
  const leaf = {
    serialNumber: "01",
    certPem: "c",
    privateKeyPem: "k",
    service,
    serviceUri: "u",
    validAfter: "a",
    validBefore: "b",
    index: madeMs,
  };
  return { leaf, signer: "r", madeMs, renewMs: madeMs + 1 };
}

test("what was put is there for the next instance, and the newest counts", () => {
  const sql = new NodeSql();
  const rows = new LeafRows(sql);
  rows.put("web", heldOf("web", 1));
  rows.put("db", heldOf("db", 2));
  rows.put("web", heldOf("web", 3));
  const next = new LeafRows(sql);
  expect(next.get("web")).toEqual(heldOf("web", 3));
  expect(next.get("db")).toEqual(heldOf("db", 2));
  expect(next.get("none")).toBeUndefined();
});

test("the oldest go when there are more than a thousand", () => {
  const sql = new NodeSql();
  const rows = new LeafRows(sql);
  sql.transaction(() => {
    for (let n = 0; n <= 1_001; n++) rows.put(`s${n}`, heldOf(`s${n}`, n));
  });
  expect([rows.get("s0"), rows.get("s1")]).toEqual([undefined, undefined]);
  expect(rows.get("s2")).toBeDefined();
  expect(rows.get("s1001")).toBeDefined();
});
