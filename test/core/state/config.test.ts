// Rows, indexes, who is woken and who may, for configuration entries and discovery chains.

import { expect, test } from "vitest";
import { decodeEntry } from "../../../src/core/model/config-entry/decode.ts";
import type { Authorizer, AuthorizerSource } from "../../../src/core/state/authorizer.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import { StateHarness } from "../../support/state-harness.ts";

const set = (entry: object): Command => ({
  type: "config.set",
  ...decodeEntry(JSON.stringify(entry)),
});
const remove = (kind: string, name: string): Command =>
  ({ type: "config.delete", kind, name }) as Command;
const http = (Name: string) => ({ Kind: "service-defaults", Name, Protocol: "http" });
const id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

function withIdentity(): StateHarness {
  const harness = new StateHarness();
  harness.run({ type: "cluster.identify", id });
  return harness;
}

test("an entry keeps its CreateIndex, and every write moves its ModifyIndex and the table", () => {
  const harness = new StateHarness();
  harness.run(set(http("web")));
  harness.run(set(http("WEB")));
  expect(harness.read("config.get", { kind: "service-defaults", name: "web" })).toMatchObject({
    index: 2,
    value: { Name: "WEB", CreateIndex: 1, ModifyIndex: 2 },
  });
  harness.run(remove("service-defaults", "none"));
  expect(harness.index("config.list", { kind: "" })).toBe(2);
  harness.run(remove("service-defaults", "wEb"));
  expect(harness.read("config.list", { kind: "" })).toMatchObject({ index: 4, value: [] });
});

test("a change wakes who waits for the entry, its kind, all kinds, or a chain that looks at it", () => {
  const harness = withIdentity();
  for (const name of ["a", "b", "c"]) harness.run(set(http(name)));
  harness.run(
    set({ Kind: "service-splitter", Name: "a", Splits: [{ Weight: 100, Service: "b" }] }),
  );
  const reads = [
    ["config.get", { kind: "service-resolver", name: "B" }],
    ["config.get", { kind: "service-resolver", name: "c" }],
    ["config.list", { kind: "service-resolver" }],
    ["config.list", { kind: "service-defaults" }],
    ["config.list", { kind: "" }],
    ["discovery-chain.get", { service: "a" }],
    ["discovery-chain.get", { service: "b" }],
    ["discovery-chain.get", { service: "c" }],
  ] as const;
  const resolver = set({ Kind: "service-resolver", Name: "b", ConnectTimeout: "3s" });
  const woken = [true, false, true, false, true, true, true, false];
  expect(harness.wakers(reads, () => harness.apply(resolver))).toEqual(woken);
  expect(harness.wakers(reads, () => harness.apply(remove("service-resolver", "b")))).toEqual(
    woken,
  );
  const defaults = set({ Kind: "proxy-defaults", Config: { protocol: "http" } });
  const all = [false, false, false, false, true, true, true, true];
  expect(harness.wakers(reads, () => harness.apply(defaults))).toEqual(all);
});

test("a refused change leaves nothing behind, not even an index", () => {
  const harness = new StateHarness();
  harness.run(set(http("a")));
  const before = harness.sql.rowsWritten;
  const splitter = { Kind: "service-splitter", Name: "b", Splits: [{ Weight: 100 }] };
  expect(() => harness.run(set(splitter))).toThrow("does not permit advanced routing");
  expect(harness.sql.rowsWritten - before).toBe(1);
  expect(harness.index("config.list", { kind: "" })).toBe(1);
});

test("links follow what an entry says", () => {
  const harness = new StateHarness();
  const redirect = (Service: string) =>
    set({ Kind: "service-resolver", Name: "a", Redirect: { Service, ServiceSubset: "v1" } });
  const subset = (Name: string, name: string) =>
    set({ Kind: "service-resolver", Name, Subsets: { [name]: {} } });
  harness.run(subset("b", "v1"));
  harness.run(subset("c", "v1"));
  harness.run(redirect("b"));
  expect(() => harness.run(subset("B", "v2"))).toThrow('does not have a subset named "v1"');
  harness.run(redirect("c"));
  harness.run(subset("b", "v2"));
  expect(() => harness.run(remove("service-resolver", "c"))).toThrow("does not have a subset");
  harness.run(remove("service-resolver", "a"));
  harness.run(remove("service-resolver", "c"));
});

test("the first identity that is offered stays", () => {
  const harness = withIdentity();
  const other = "00000000-0000-4000-8000-000000000000";
  expect(harness.run({ type: "cluster.identify", id: other })).toBe(id);
  expect(() => harness.run({ type: "cluster.identify", id: "x" })).toThrow("Bad cluster ID");
  const { value } = harness.read("discovery-chain.get", { service: "web" });
  expect(JSON.stringify(value)).toContain(`web.default.dc1.internal.${id}.consul`);
});

test("splitters that lead to splitters cannot ask for endless work", () => {
  const harness = withIdentity();
  const depth = 40;
  for (let n = 0; n <= depth; n++) for (const side of "ab") harness.run(set(http(`${side}${n}`)));
  const split = (Name: string, n: number) =>
    set({
      Kind: "service-splitter",
      Name,
      Splits: [
        { Weight: 50, Service: `a${n + 1}` },
        { Weight: 50, Service: `b${n + 1}` },
      ],
    });
  const refusals: string[] = [];
  for (let n = depth - 1; n >= 0; n--) {
    for (const side of "ab") {
      const { outcome } = harness.apply(split(`${side}${n}`, n));
      if (!outcome.ok) refusals.push(outcome.error.message);
    }
  }
  expect(refusals[0]).toMatch(/^discovery chain "a\d+" has more than 10000 splits$/);
});

function authorizer(allowed: readonly string[]): Authorizer {
  return {
    unrestricted: false,
    allows: (resource, segment, access) =>
      allowed.includes(`${resource} ${segment} ${access}`.replace("  ", " ")),
    readsAll: () => false,
    allowsKeyTree: () => false,
  };
}

function machineFor(allowed: readonly string[]): { machine: StateMachine; sql: NodeSql } {
  const sql = new NodeSql();
  const resolve: AuthorizerSource["resolve"] = (_state, token = "") => {
    const isAll = token === "all";
    const all = { ...authorizer([]), unrestricted: true, allows: () => true };
    return { authorizer: isAll ? all : authorizer(allowed), id: token, bearer: token, topics: [] };
  };
  return { machine: new StateMachine(sql, { datacenter: "dc1", authorizers: { resolve } }), sql };
}

const writes: [entry: object, needs: string[]][] = [
  [http("a"), ["service a write"]],
  [{ Kind: "proxy-defaults", Name: "x" }, ["operator write"]],
  [{ Kind: "service-resolver", Name: "a" }, ["service a write"]],
  [
    { Kind: "service-resolver", Name: "a", Redirect: { Service: "b" } },
    ["service a write", "service b read"],
  ],
  [
    { Kind: "service-router", Name: "a", Routes: [{ Destination: { Service: "b" } }] },
    ["service a write", "service b read"],
  ],
  [
    { Kind: "service-splitter", Name: "a", Splits: [{ Weight: 100, Service: "b" }] },
    ["service a write", "service b read"],
  ],
  [{ Kind: "ingress-gateway", Name: "a", Listeners: [] }, ["operator write"]],
  [{ Kind: "terminating-gateway", Name: "a", Services: [] }, ["operator write"]],
];

test.each(writes)("writing %j takes %j", (entry, needs) => {
  expect(() => machineFor(needs).machine.admit(set(entry), {})).not.toThrow();
  for (const missing of needs) {
    const rest = needs.filter((need) => need !== missing);
    expect(() => machineFor(rest).machine.admit(set(entry), {})).toThrow("Permission denied");
  }
});

test("deleting takes what writing the bare entry takes", () => {
  const { machine } = machineFor(["service a write"]);
  expect(() => machine.admit(remove("service-router", "a"), {})).not.toThrow();
  expect(() => machine.admit(remove("service-router", "b"), {})).toThrow("Permission denied");
  expect(() => machine.admit(remove("proxy-defaults", "global"), {})).toThrow("Permission denied");
});

test("one sees entries of services that one may read, and the defaults of all proxies", () => {
  const { machine, sql } = machineFor(["service a read"]);
  const entries = [http("a"), http("b"), { Kind: "proxy-defaults" }];
  for (const [at, entry] of entries.entries()) {
    const command = encodeCommand(machine.admit(set(entry), { token: "all" }), 1);
    sql.transaction(() => machine.applyBatch([{ index: at + 1, command }]));
  }
  const names = (
    JSON.parse(machine.read("config.list", { kind: "" }, { nowMs: 0 }).body ?? "") as {
      Name: string;
    }[]
  ).map(({ Name }) => Name);
  expect(names).toEqual(["global", "a"]);
  const get = (name: string) => () =>
    machine.read("config.get", { kind: "service-defaults", name }, { nowMs: 0 });
  expect(get("a")).not.toThrow();
  expect(get("b")).toThrow("Permission denied");
  expect(() => machine.read("discovery-chain.get", { service: "b" }, { nowMs: 0 })).toThrow(
    "Permission denied",
  );
});
