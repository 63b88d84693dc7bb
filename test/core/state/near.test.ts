// Lists sorted by distance from a node: the same order as Consul 1.8.7's for the same coordinates.

import { expect, test } from "vitest";
import { roundTripNs } from "../../../src/core/model/coordinate.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateHarness } from "../../support/state-harness.ts";

const at = (x: number, Adjustment = 0) => ({
  Vec: [x, 0, 0, 0, 0, 0, 0, 0],
  Error: 1.5,
  Adjustment,
  Height: 1e-5,
});
const update = (Node: string, Coord: object, Segment = ""): Command =>
  ({ type: "coordinate.update", update: { Node, Segment, Coord } }) as Command;

/** `a` at 0.5 s, `b` at 0.1 s, `c` at 0.9 s, and `d` nowhere. */
function withNodes(): StateHarness {
  const harness = new StateHarness();
  for (const Node of ["a", "b", "c", "d"]) {
    const proxy = {
      Kind: "connect-proxy",
      Service: "proxy",
      Port: 1,
      Proxy: { DestinationServiceName: "web" },
    };
    harness.register({
      Node,
      Address: "10.0.0.1",
      Service: { Service: "web" },
      Check: { CheckID: "c", Name: "c", ServiceID: "web", Status: "passing" },
    });
    harness.register({ Node, Address: "10.0.0.1", Service: proxy });
  }
  harness.run(update("a", at(0.5)));
  harness.run(update("b", at(0.1)));
  harness.run(update("c", at(0.9)));
  return harness;
}

const lists = [
  ["catalog.nodes", {}],
  ["catalog.service", { service: "web" }],
  ["catalog.connect", { service: "web" }],
  ["health.service", { service: "web" }],
  ["health.connect", { service: "web" }],
  ["health.checks", { service: "web" }],
  ["health.state", { state: "any" }],
  ["health.state", { state: "passing" }],
] as const;

function order(harness: StateHarness, op: (typeof lists)[number][0], args: object): string {
  const { value } = harness.read(op, args);
  return (value as { Node: string | { Node: string } }[])
    .map(({ Node }) => (typeof Node === "string" ? Node : Node.Node))
    .join("");
}

test.each(lists)("%s %j is sorted, stably, and who is nowhere comes last", (op, args) => {
  const harness = withNodes();
  const near = (node: string) => order(harness, op, { ...args, near: node });
  expect([near("a"), near("b"), near("c"), near("C")]).toEqual(["abcd", "bacd", "cabd", "cabd"]);
  expect([near("d"), near("none"), near("_ip"), near("")]).toEqual(Array(4).fill("abcd"));
  expect(order(harness, op, { ...args, near: "c", filter: "" })).toBe("cabd");
});

test.each(lists)("%s %j: a kept answer follows the coordinates, its index does not", (op, args) => {
  const harness = withNodes();
  const sorted = { ...args, near: "b" };
  expect(order(harness, op, sorted)).toBe("bacd");
  const index = harness.index(op, sorted);
  const plain = [op, args] as const;
  const woken = harness.wakers([[op, sorted], plain], () => harness.apply(update("c", at(0.2))));
  expect(woken).toEqual([true, false]);
  // Bodies are kept until a topic is touched: the machine forgets them when it applies.
  expect(order(harness, op, sorted)).toBe("bcad");
  expect(harness.index(op, sorted)).toBe(index);
});

test("?passing moves the last one into the gap of the sorted list, as Consul does", () => {
  const harness = withNodes();
  const Check = { CheckID: "c", Name: "c", ServiceID: "web", Status: "critical" };
  harness.register({ Node: "c", Address: "10.0.0.1", Check });
  const { value } = harness.read("health.service", { service: "web", near: "c", passing: true });
  const nodes = (value as { Node: { Node: string } }[]).map(({ Node }) => Node.Node);
  expect(nodes.join("")).toBe("dab");
});

test("nodes of one segment are compared in that segment, servers in all of them in the client's", () => {
  const harness = withNodes();
  for (const Node of ["client", "server", "other"]) harness.register({ Node, Address: "10.0.0.2" });
  harness.run(update("client", at(0), "alpha"));
  harness.run(update("other", at(0.1), "beta"));
  harness.run(update("server", at(9)));
  harness.run(update("server", at(0.2), "alpha"));
  const near = (node: string) => order(harness, "catalog.nodes", { near: node });
  expect(near("client")).toBe("clientserverabcdother");
  // Seen from a server each node's only segment decides.
  expect(near("server")).toBe("serverclientcabdother");
});

test("large lists are sorted from one look at all coordinates", () => {
  const harness = new StateHarness();
  const names = Array.from({ length: 300 }, (_, n) => `n${String(n).padStart(3, "0")}`);
  for (const Node of names) harness.register({ Node, Address: "10.0.0.1" });
  for (const [n, node] of names.entries()) harness.run(update(node, at(n / 1_000)));
  const { value } = harness.read("catalog.nodes", { near: "n299" });
  const order = (value as { Node: string }[]).map(({ Node }) => Node);
  expect(order).toEqual(names.toReversed());
});

test("distances are whole nanoseconds, adjusted unless that makes them negative", () => {
  expect(roundTripNs(at(0), at(0.1))).toBe(100_020_000);
  expect(roundTripNs(at(0, 0.01), at(0.1, 0.02))).toBe(130_020_000);
  expect(roundTripNs(at(0, -1), at(0.1))).toBe(100_020_000);
  expect(roundTripNs(at(0), at(1e-10))).toBe(20_000);
  expect(roundTripNs(undefined, at(0))).toBe(Number.POSITIVE_INFINITY);
});
