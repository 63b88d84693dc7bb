import { expect, test } from "vitest";
import type { Command } from "../../../src/core/state/commands.ts";
import { origin } from "../../../src/core/model/coordinate.ts";
import { StateHarness } from "../../support/state-harness.ts";

const coord = { ...origin, Error: 0.5, Vec: [1e-7, 0, 0, 0, 0, 0, 0, 0] };
const update = (node: string, segment = "", given: unknown = coord): Command =>
  ({
    type: "coordinate.update",
    update: { Node: node, Segment: segment, Coord: given },
  }) as Command;

function withNodes(...names: string[]): StateHarness {
  const harness = new StateHarness();
  for (const Node of names) harness.register({ Node, Address: "10.0.0.1" });
  return harness;
}

test("a node has one coordinate for each segment, the newest one", () => {
  const harness = withNodes("a", "b");
  harness.run(update("b"));
  harness.run(update("a", "alpha"));
  harness.run(update("a"));
  harness.run(update("A", "", { ...coord, Error: 0.25 }));
  const entry = (Node: string, Segment: string, Coord: object) => ({ Node, Segment, Coord });
  const ofA = [entry("A", "", { ...coord, Error: 0.25 }), entry("a", "alpha", coord)];
  expect(harness.read("coordinate.nodes", {})).toMatchObject({
    index: 6,
    value: [...ofA, entry("b", "", coord)],
  });
  expect(harness.read("coordinate.node", { node: "a" }).value).toEqual(ofA);
  expect(harness.read("coordinate.nodes", { segment: "alpha" }).value).toEqual([ofA[1]]);
  expect(harness.read("coordinate.node", { node: "a", segment: "x" }).value).toBeNull();
});

test("one of an unknown node is dropped, but moves the index", () => {
  const harness = withNodes("a");
  harness.run(update("none"));
  expect(harness.read("coordinate.nodes", {})).toMatchObject({ index: 2, value: [] });
});

test("it goes with its node", () => {
  const harness = withNodes("a", "b");
  harness.run(update("a"));
  harness.run(update("a", "alpha"));
  harness.deregister({ Node: "a" });
  expect(harness.read("coordinate.nodes", {})).toMatchObject({ index: 5, value: [] });
  harness.deregister({ Node: "b" });
  expect(harness.index("coordinate.nodes", {})).toBe(5);
});

test("whoever waits for a node, or for all of them, is woken by an update and by the end of the node", () => {
  const harness = withNodes("a", "b");
  harness.run(update("a"));
  const reads = [
    ["coordinate.node", { node: "A" }],
    ["coordinate.node", { node: "b" }],
    ["coordinate.nodes", {}],
  ] as const;
  expect(harness.wakers(reads, () => harness.apply(update("a")))).toEqual([true, false, true]);
  expect(harness.wakers(reads, () => harness.deregister({ Node: "a" }))).toEqual([
    true,
    false,
    true,
  ]);
  expect(harness.wakers(reads, () => harness.set("k"))).toEqual([false, false, false]);
});

test("what is no coordinate here is refused", () => {
  const harness = withNodes("a");
  const admit = (given: unknown) => () => harness.machine.admit(update("a", "", given), {});
  expect(admit({ ...coord, Vec: [0] })).toThrow("incompatible coordinate");
  expect(admit({ ...coord, Vec: null })).toThrow("incompatible coordinate");
  expect(admit(null)).toThrow("invalid coordinate");
  expect(admit({ ...coord, Height: Number.NaN })).toThrow("is not a number");
});

test("the servers of the datacenter stand where they said, or at the origin", () => {
  const harness = withNodes("client");
  for (const Node of ["s1", "s2"]) {
    harness.register({ Node, Address: "10.0.0.1", Service: { Service: "consul" } });
  }
  harness.run(update("s2"));
  harness.run(update("s2", "alpha"));
  harness.run(update("client"));
  expect(harness.read("coordinate.datacenters", {}).value).toEqual([
    {
      Datacenter: "dc1",
      AreaID: "wan",
      Coordinates: [
        { Node: "s1", Segment: "", Coord: origin },
        { Node: "s2", Segment: "", Coord: coord },
      ],
    },
  ]);
});

test("an update writes its row and the one of the state", () => {
  const harness = withNodes("a");
  const before = harness.sql.rowsWritten;
  harness.apply(update("a"));
  expect(harness.sql.rowsWritten - before).toBe(2);
});

test("a peer to measure is drawn among those who live, every second one a server", () => {
  const harness = new StateHarness();
  const check = (Status: string) => ({ CheckID: "serfHealth", Name: "serf", Status });
  for (const Node of ["a", "b", "c", "d"]) {
    harness.register({ Node, Address: `10.0.0.${Node}`, Check: check("passing") });
  }
  const Service = { Service: "consul", Port: 8_300 };
  harness.register({ Node: "s", Address: "10.0.0.9", Service, Check: check("passing") });
  harness.register({ Node: "dead", Address: "10.0.0.8", Check: check("critical") });
  harness.register({ Node: "external", Address: "10.0.0.7" });
  harness.run(update("s"));
  harness.run(update("s", "alpha", { ...coord, Error: 1 }));
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    const { value, topics } = harness.read("coordinate.peer", { seed, except: ["a"] });
    expect(topics).toEqual([]);
    const name = (value as { Node: string } | null)?.Node ?? "";
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (name === "s")
      expect(value).toEqual({ Node: "s", Address: "10.0.0.9", Port: 8_300, Coord: coord });
    if (name === "b")
      expect(value).toEqual({ Node: "b", Address: "10.0.0.b", Port: null, Coord: null });
  }
  const drawn = [...counts.keys()].filter((name) => name !== "").toSorted();
  expect(drawn).toEqual(["b", "c", "d", "s"]);
  expect(counts.get("s")).toBeGreaterThan(200);
  const alone = harness.read("coordinate.peer", { seed: 1, except: ["a", "b", "c", "d", "s"] });
  expect(alone.value).toBeNull();
  expect(new StateHarness().read("coordinate.peer", { seed: 1, except: [] }).value).toBeNull();
});
