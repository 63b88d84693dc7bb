// What an execution of a prepared query chooses, and in which order. Answers are Consul 1.8.7's.

import { expect, test } from "vitest";
import type { ServiceQuery } from "../../../src/core/model/prepared-query.ts";
import type { ExecuteArguments } from "../../../src/core/state/tables/query/execute.ts";
import { create, execute, idOf, locate, register } from "../../support/queries.ts";
import { StateHarness } from "../../support/state-harness.ts";

test("an execution chooses by health, tags and metadata", () => {
  const harness = new StateHarness();
  register(harness, "a", { tags: ["V1", "x"], meta: { m: "1" }, nodeMeta: { n: "1" } });
  register(harness, "b", { tags: ["v2"], status: "warning" });
  register(harness, "c", { tags: ["v1"], status: "critical", meta: { m: "1" } });
  const chosen = (Service: Partial<ServiceQuery>): string[] => {
    harness.run(create(1, { Name: "q", Service }));
    const nodes = execute(harness, "q").toSorted();
    harness.run({ type: "query.delete", id: idOf(1) });
    return nodes;
  };
  expect(chosen({})).toEqual(["a", "b"]);
  expect(chosen({ OnlyPassing: true })).toEqual(["a"]);
  expect(chosen({ IgnoreCheckIDs: ["c"], OnlyPassing: true })).toEqual(["a", "b", "c"]);
  expect(chosen({ IgnoreCheckIDs: ["C"] })).toEqual(["a", "b"]);
  expect(chosen({ Tags: ["v1"] })).toEqual(["a"]);
  expect(chosen({ Tags: ["!X"] })).toEqual(["b"]);
  expect(chosen({ Tags: ["!v2", "X"] })).toEqual(["a"]);
  expect(chosen({ Tags: [""] })).toEqual([]);
  expect(chosen({ NodeMeta: { n: "1" } })).toEqual(["a"]);
  expect(chosen({ ServiceMeta: { m: "1" } })).toEqual(["a"]);
  expect(chosen({ ServiceMeta: { m: "2" } })).toEqual([]);
  expect(chosen({ Connect: true })).toEqual([]);
});

test("an execution answers in Consul's form, without failing over to what does not exist", () => {
  const harness = new StateHarness();
  const Failover = { NearestN: 2, Datacenters: ["dc9"] };
  harness.run(create(1, { Name: "q", Service: { Service: "none", Failover } }));
  const { value } = harness.read("query.execute", { query: "q", seed: 0, agent: "", ip: "" });
  expect(value).toEqual({
    Service: "none",
    Nodes: [],
    DNS: { TTL: "" },
    Datacenter: "dc1",
    Failovers: 0,
  });
});

test("an execution shows null for what was not given, which health does not", () => {
  const harness = new StateHarness();
  const Check = { CheckID: "n", Name: "n", Status: "passing" };
  harness.register({ Node: "a", Address: "10.0.0.1", Service: { Service: "web" } });
  harness.register({
    Node: "b",
    Address: "10.0.0.2",
    Service: { Service: "web", Tags: [] },
    Check,
  });
  harness.run(create(1, { Name: "q" }));
  const { value } = harness.read("query.execute", { query: "q", seed: 0, agent: "", ip: "" });
  const nodes = (value as { Nodes: { Node: { Node: string } }[] }).Nodes.toSorted((left, right) =>
    left.Node.Node.localeCompare(right.Node.Node),
  );
  expect(nodes).toMatchObject([
    { Service: { Tags: null }, Checks: null },
    { Service: { Tags: [] }, Checks: [{ ServiceTags: null }] },
  ]);
  const healthy = harness.read("health.service", { service: "web" }).value;
  expect(healthy).toMatchObject([
    { Service: { Tags: [] }, Checks: [] },
    { Service: { Tags: [] }, Checks: [{ ServiceTags: [] }] },
  ]);
});

test("the seed decides the order, and every order comes up", () => {
  const harness = new StateHarness();
  for (const node of ["a", "b", "c"]) register(harness, node);
  harness.run(create(1, { Name: "q" }));
  const orders = new Set<string>();
  for (let seed = 0; seed < 100; seed++) orders.add(execute(harness, "q", { seed }).join(""));
  expect(orders.size).toBe(6);
  expect(execute(harness, "q", { seed: 7 })).toEqual(execute(harness, "q", { seed: 7 }));
  expect(execute(harness, "q", { limit: 2 })).toHaveLength(2);
  expect(execute(harness, "q", { limit: -1 })).toHaveLength(3);
});

test("near sorts by distance: the asker's word before the query's", () => {
  const harness = new StateHarness();
  for (const node of ["a", "b", "c", "d"]) register(harness, node);
  harness.register({ Node: "z", Address: "10.9.9.9" });
  locate(harness, { a: 0.5, b: 0.1, c: 0.9, z: 0 });
  const near = (Near: string, args: Partial<ExecuteArguments> = {}): string => {
    harness.run(create(1, { Name: "q", Service: { Near } }));
    const nodes = execute(harness, "q", args);
    harness.run({ type: "query.delete", id: idOf(1) });
    return nodes.join("");
  };
  expect(near("c")).toBe("cabd");
  expect(near("C")).toBe("cabd");
  expect(near("_agent")).toBe("bacd");
  expect(near("_agent", { near: "c" })).toBe("cabd");
  expect(near("", { near: "a", limit: 1 })).toBe("a");
  expect(near("_ip", { ip: "10.0.0.99" })).toBe("cabd");
  expect(near("", { near: "_ip", ip: "::ffff:10.0.0.97" })).toBe("abcd");
  const unsorted = near("");
  expect(near("none")).toBe(unsorted);
  expect(near("_ip", { ip: "10.8.8.8" })).toBe(unsorted);
  expect(near("_ip", { ip: "what" })).toBe(unsorted);
  // The node itself comes first even where nobody knows how far it is from anything.
  expect(near("d")[0]).toBe("d");
});

test("an execution that is sorted is woken by coordinates", () => {
  const harness = new StateHarness();
  register(harness, "a");
  harness.run(create(1, { Name: "q" }));
  const plain = { query: "q", seed: 0, agent: "z", ip: "" };
  const reads = [
    ["query.execute", plain],
    ["query.execute", { ...plain, near: "a" }],
  ] as const;
  const before = harness.index("query.execute", { ...plain, near: "a" });
  const moved = () => {
    const Coord = { Vec: [1, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
    return harness.apply({ type: "coordinate.update", update: { Node: "a", Segment: "", Coord } });
  };
  expect(harness.wakers(reads, moved)).toEqual([false, true]);
  expect(harness.index("query.execute", { ...plain, near: "a" })).toBeGreaterThan(before);
});
