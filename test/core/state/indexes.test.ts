// Semantics §2: which index an answer carries, and what wakes those who wait for another one.

import { describe, expect, test } from "vitest";
import { oldestTombstoneMs } from "../../../src/core/state/tables/kv/tombstone.ts";
import { StateHarness } from "../../support/state-harness.ts";

const web = (extra: object = {}): object => ({
  Node: "n1",
  Address: "1.1.1.1",
  Service: { Service: "web", ...extra },
});
const check = (status: string, output = ""): object => ({
  Node: "n1",
  SkipNodeUpdate: true,
  Check: { CheckID: "c", ServiceID: "web", Status: status, Output: output },
});

describe("§2.1 the key-value store", () => {
  test("a key answers with its own ModifyIndex, a missing one with the newest of the store", () => {
    const harness = new StateHarness();
    const a = harness.set("a").index;
    const b = harness.set("b").index;
    expect(harness.index("kv.get", { key: "a" })).toBe(a);
    expect(harness.index("kv.get", { key: "none" })).toBe(b);
    const deleted = harness.apply({ type: "kv.delete", key: "a" }).index;
    expect(harness.index("kv.get", { key: "a" })).toBe(deleted);
  });

  test("a write that changes nothing consumes an index and bumps none", () => {
    const harness = new StateHarness();
    const first = harness.set("a").index;
    harness.set("a");
    expect(harness.machine.appliedIndex).toBe(first + 1);
    expect(harness.index("kv.get", { key: "a" })).toBe(first);
    expect(harness.index("kv.list", { prefix: "" })).toBe(first);
  });

  test("a prefix answers with the newest entry or tombstone under it", () => {
    const harness = new StateHarness();
    const inside = harness.set("dir/a").index;
    const outside = harness.set("other").index;
    expect(harness.index("kv.list", { prefix: "dir/" })).toBe(inside);
    expect(harness.index("kv.keys", { prefix: "none/" })).toBe(outside);
    const deleted = harness.apply({ type: "kv.delete", key: "dir/a" }).index;
    harness.set("other", "bmV3");
    expect(harness.index("kv.list", { prefix: "dir/" })).toBe(deleted);
  });

  test("a tree that is deleted leaves one tombstone; reaping may let the index drop", () => {
    const harness = new StateHarness();
    const kept = harness.set("dir/sub/kept").index;
    harness.set("dir/a");
    harness.set("dir/a1");
    const deleted = harness.apply({ type: "kv.delete-tree", prefix: "dir/a" }).index;
    expect(harness.index("kv.list", { prefix: "dir/" })).toBe(deleted);
    expect(harness.machine.ask(oldestTombstoneMs)).toBe(harness.nowMs);
    expect(harness.run({ type: "tombstone.reap", untilMs: harness.nowMs - 1 })).toBe(0);
    expect(harness.run({ type: "tombstone.reap", untilMs: harness.nowMs })).toBe(1);
    expect(harness.index("kv.list", { prefix: "dir/" })).toBe(kept);
    expect(harness.machine.ask(oldestTombstoneMs)).toBeNull();
  });

  test("deleting what is not there leaves no tombstone", () => {
    const harness = new StateHarness();
    const { index } = harness.set("a");
    harness.apply({ type: "kv.delete", key: "none" });
    harness.apply({ type: "kv.delete-tree", prefix: "none" });
    expect(harness.index("kv.list", { prefix: "" })).toBe(index);
  });

  test("who is woken by a write to a key", () => {
    const harness = new StateHarness();
    harness.set("dir/a");
    const woken = harness.wakers(
      [
        ["kv.get", { key: "dir/a" }],
        ["kv.get", { key: "dir/missing" }],
        ["kv.list", { prefix: "dir/" }],
        ["kv.list", { prefix: "dir/a" }],
        ["kv.keys", { prefix: "" }],
        ["kv.list", { prefix: "dir/b" }],
        ["kv.list", { prefix: "dir/aa" }],
      ],
      () => harness.set("dir/a", "bmV3"),
    );
    expect(woken).toEqual([true, false, true, true, true, false, false]);
  });

  test("who is woken by the creation of a key, and by a tree that goes", () => {
    const harness = new StateHarness();
    const get = (key: string) => ["kv.get", { key }] as const;
    expect(harness.wakers([get("new"), get("new2")], () => harness.set("new"))).toEqual([
      true,
      false,
    ]);
    const woken = harness.wakers(
      [get("new"), get("old"), ["kv.list", { prefix: "ne" }], ["kv.list", { prefix: "new/x" }]],
      () => harness.apply({ type: "kv.delete-tree", prefix: "new" }),
    );
    expect(woken).toEqual([true, false, true, true]);
  });
});

describe("§2.1 catalog and health", () => {
  test("nothing was ever registered: index 1", () => {
    const harness = new StateHarness();
    for (const op of ["catalog.nodes", "catalog.services", "session.list"] as const) {
      expect(harness.index(op, {})).toBe(1);
    }
    expect(harness.index("catalog.node", { node: "none" })).toBe(1);
    expect(harness.index("health.service", { service: "none" })).toBe(1);
  });

  test("an unknown node answers with index 1, a known one with the newest of nodes and services", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n1", Address: "1.1.1.1" });
    const { index } = harness.register({ ...web(), Node: "n2" });
    expect(harness.index("catalog.node", { node: "n1" })).toBe(index);
    expect(harness.index("catalog.node-services", { node: "none" })).toBe(1);
  });

  test("a service's index moves with its instances, its node and its checks", () => {
    const harness = new StateHarness();
    const index = (): number => harness.index("health.service", { service: "web" });
    const moves = (body: object): void => {
      const written = harness.register(body).index;
      expect(index()).toBe(written);
    };
    moves(web());
    moves(web({ Port: 80 }));
    moves({ Node: "n1", Address: "2.2.2.2" });
    moves(check("passing"));
    moves(check("passing", "only the output"));
    moves({ Node: "n1", SkipNodeUpdate: true, Check: { Name: "alive" } });
    const before = index();
    harness.register({ ...web(), Node: "n2", Service: { Service: "other" } });
    expect(index()).toBe(before);
    expect(index()).toBe(harness.index("catalog.service", { service: "web" }));
  });

  test("registering an identical check bumps only the checks table", () => {
    const harness = new StateHarness();
    harness.register(web());
    const { index } = harness.register(check("passing"));
    const again = harness.register(check("passing")).index;
    expect(harness.index("health.service", { service: "web" })).toBe(index);
    expect(harness.index("health.checks", { service: "web" })).toBe(again);
    expect(harness.index("health.state", { state: "any" })).toBe(again);
    expect(harness.read("health.node", { node: "n1" }).value).toMatchObject([
      { ModifyIndex: index },
    ]);
  });

  test("when the last instance goes the index of the extinction stands in, for any service", () => {
    const harness = new StateHarness();
    harness.register(web());
    harness.register({ ...web(), Node: "n2" });
    harness.deregister({ Node: "n1", ServiceID: "web" });
    const extinct = harness.deregister({ Node: "n2", ServiceID: "web" }).index;
    harness.register(web({ Service: "later" }));
    expect(harness.index("health.service", { service: "web" })).toBe(extinct);
    expect(harness.index("catalog.service", { service: "never" })).toBe(extinct);
  });

  test("before any extinction a missing service answers with the newest of the tables", () => {
    const harness = new StateHarness();
    const { index } = harness.register(web());
    expect(harness.index("catalog.service", { service: "none" })).toBe(index);
    const checked = harness.register(check("passing")).index;
    expect(harness.index("health.service", { service: "none" })).toBe(checked);
    expect(harness.index("catalog.service", { service: "none" })).toBe(index);
  });

  test("deleting a check of a node bumps services too", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n1", Address: "1.1.1.1", Check: { Name: "c" } });
    const { index } = harness.deregister({ Node: "n1", CheckID: "c" });
    expect(harness.index("catalog.services", {})).toBe(index);
  });

  const everything = [
    ["catalog.nodes", {}],
    ["catalog.services", {}],
    ["catalog.node", { node: "n1" }],
    ["catalog.service", { service: "web" }],
    ["catalog.service", { service: "none" }],
    ["health.service", { service: "web" }],
    ["health.service", { service: "none" }],
    ["health.checks", { service: "web" }],
    ["health.node", { node: "n1" }],
    ["health.node", { node: "n2" }],
    ["health.state", { state: "any" }],
    ["health.state", { state: "critical" }],
    ["health.state", { state: "warning" }],
  ] as const;
  const wokenBy = (
    change: (harness: StateHarness) => ReturnType<StateHarness["register"]>,
  ): string[] => {
    const harness = new StateHarness();
    harness.register({ ...web(), Check: { CheckID: "c", ServiceID: "web", Status: "critical" } });
    const woken = harness.wakers(everything, () => change(harness));
    return everything
      .filter((_, at) => woken[at])
      .map(([op, args]) => [op, ...Object.values(args)].join(" "));
  };

  test("who is woken by the status of a check", () => {
    expect(wokenBy((harness) => harness.register(check("passing")))).toEqual([
      "health.service web",
      "health.checks web",
      "health.node n1",
      "health.state any",
      "health.state critical",
    ]);
  });

  test("who is woken by an identical check", () => {
    expect(wokenBy((harness) => harness.register(check("critical")))).toEqual([
      "health.checks web",
      "health.node n1",
      "health.state any",
      "health.state critical",
    ]);
  });

  test("who is woken by an instance that changes", () => {
    expect(wokenBy((harness) => harness.register(web({ Port: 80 })))).toEqual([
      "catalog.services",
      "catalog.node n1",
      "catalog.service web",
      "health.service web",
    ]);
  });

  test("who is woken by a node that changes", () => {
    expect(wokenBy((harness) => harness.register({ Node: "n1", Address: "9.9.9.9" }))).toEqual([
      "catalog.nodes",
      "catalog.node n1",
      "catalog.service web",
      "health.service web",
    ]);
  });

  test("who is woken when the last instance goes: also those who wait for services that are not there", () => {
    expect(wokenBy((harness) => harness.deregister({ Node: "n1", ServiceID: "web" }))).toEqual([
      "catalog.services",
      "catalog.node n1",
      "catalog.service web",
      "catalog.service none",
      "health.service web",
      "health.service none",
      "health.checks web",
      "health.node n1",
      "health.state any",
      "health.state critical",
    ]);
  });

  test("who is woken by an unrelated node and service", () => {
    const other = { Node: "n2", Address: "1.1.1.2", Service: { Service: "other" } };
    expect(wokenBy((harness) => harness.register(other))).toEqual([
      "catalog.nodes",
      "catalog.services",
    ]);
  });
});

describe("§2.1 sessions", () => {
  test("every answer carries the index of the table; who is woken by a new session", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n1", Address: "1.1.1.1" });
    harness.register({ Node: "n2", Address: "1.1.1.1" });
    const id = harness.createSession("n1", { NodeChecks: [] });
    harness.createSession("n2", { NodeChecks: [] });
    const newest = harness.machine.appliedIndex;
    expect(harness.index("session.info", { id })).toBe(newest);
    expect(harness.index("session.node", { node: "n1" })).toBe(newest);
    const woken = harness.wakers(
      [
        ["session.info", { id }],
        ["session.node", { node: "n1" }],
        ["session.node", { node: "n2" }],
        ["session.list", {}],
      ],
      () => harness.apply({ type: "session.destroy", id }),
    );
    expect(woken).toEqual([true, true, false, true]);
  });
});
