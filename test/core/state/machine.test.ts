import { describe, expect, test } from "vitest";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { StateHarness } from "../../support/state-harness.ts";

const set = (key: string, value = "dg=="): Command => ({ type: "kv.set", key, value, flags: "0" });

describe("applying", () => {
  test("entries that were applied before are skipped", () => {
    const { sql, machine } = new StateHarness();
    const entries = [1, 2, 3].map((index) => ({ index, command: encodeCommand(set("k"), 1) }));
    expect(sql.transaction(() => machine.applyBatch(entries.slice(0, 2)))).toHaveLength(2);
    expect(sql.transaction(() => machine.applyBatch(entries)).map(({ index }) => index)).toEqual([
      3,
    ]);
    expect(machine.appliedIndex).toBe(3);
  });

  test("an entry of Raft's own only moves the applied index", () => {
    const harness = new StateHarness();
    const [applied] = harness.applyEntries([null]);
    expect(applied).toMatchObject({ command: null, touched: [] });
    expect(harness.machine.appliedIndex).toBe(1);
    expect(harness.index("kv.get", { key: "k" })).toBe(1);
  });

  test("a rollback by the caller leaves memory as the tables are", () => {
    const harness = new StateHarness();
    harness.set("a");
    const failing = (): void =>
      harness.sql.transaction(() => {
        harness.machine.applyBatch([{ index: 2, command: encodeCommand(set("b"), 1) }]);
        throw new Error("undo");
      });
    expect(failing).toThrow("undo");
    harness.machine.reload();
    expect(harness.machine.appliedIndex).toBe(1);
    expect(harness.read("kv.keys", { prefix: "" }).value).toEqual(["a"]);
  });

  test("another machine over the same database goes on where the first stopped", () => {
    const harness = new StateHarness();
    harness.set("a");
    const again = new StateMachine(harness.sql, { datacenter: "dc1" });
    expect(again.appliedIndex).toBe(1);
    expect(again.digest).toBe(harness.machine.digest);
  });

  test("a refused command changes nothing, not even what it did before it was refused", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1.1.1.1" });
    const before = harness.index("catalog.nodes", {});
    const { outcome, touched } = harness.register({
      Node: "n",
      Address: "2.2.2.2",
      Check: { Name: "c", ServiceID: "none" },
    });
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: 'failed inserting check: Missing service registration on node "n"' },
    });
    expect(touched).toEqual([]);
    expect(harness.index("catalog.nodes", {})).toBe(before);
    expect(harness.read("catalog.node", { node: "n" }).value).toMatchObject({
      Node: { Address: "1.1.1.1" },
    });
  });

  test("time in the log never goes back", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1.1.1.1" });
    const id = harness.createSession("n", { NodeChecks: [], LockDelay: "10s" });
    const lock = { type: "kv.lock", key: "l", value: "", flags: "0", session: id } as const;
    expect(harness.run(lock)).toBe(true);
    harness.run({ type: "session.destroy", id });
    harness.nowMs -= 60_000;
    const other = harness.createSession("n", { NodeChecks: [] });
    expect(harness.run({ ...lock, session: other })).toBe(false);
    harness.nowMs += 60_000 + 10_000;
    expect(harness.run({ ...lock, session: other })).toBe(true);
  });
});

describe("poison", () => {
  test("a command that cannot be applied is recorded alone; its neighbours are applied", () => {
    const harness = new StateHarness();
    const poison = new TextEncoder().encode('{"v":1,"t":1,"c":{"type":"kv.set","key":{}}}');
    const typeless = new TextEncoder().encode('{"v":1,"t":1,"c":{"key":"k"}}');
    const garbage = new TextEncoder().encode("garbage");
    const applied = harness.applyEntries([
      encodeCommand(set("a"), 1),
      poison,
      typeless,
      garbage,
      encodeCommand(set("b"), 1),
    ]);
    const failed = { ok: false, error: { code: "internal", message: "internal error" } };
    expect(applied.map(({ outcome }) => outcome)).toEqual([
      { ok: true, value: true },
      failed,
      failed,
      failed,
      { ok: true, value: true },
    ]);
    expect(harness.machine.appliedIndex).toBe(5);
    expect(harness.read("kv.keys", { prefix: "" }).value).toEqual(["a", "b"]);
  });

  test("two servers that apply the same entries have the same digest, poison or not", () => {
    const left = new StateHarness();
    const right = new StateHarness();
    const bodies = [encodeCommand(set("a"), 1), new Uint8Array([1]), encodeCommand(set("b"), 1)];
    left.applyEntries(bodies);
    for (const body of bodies) right.applyEntries([body]);
    expect(left.machine.digest).toBe(right.machine.digest);
    right.set("c");
    expect(left.machine.digest).not.toBe(right.machine.digest);
  });

  test("an entry of a newer version parks the machine before it", () => {
    const harness = new StateHarness();
    const newer = new TextEncoder().encode('{"v":99,"t":1,"c":{"type":"kv.set"}}');
    const applied = harness.applyEntries([
      encodeCommand(set("a"), 1),
      newer,
      encodeCommand(set("b"), 1),
    ]);
    expect(applied.map(({ index }) => index)).toEqual([1]);
    expect(harness.machine.parkedAt).toBe(2);
    expect(harness.machine.appliedIndex).toBe(1);
  });

  test("so does one of a type that is not known, whatever format it has", () => {
    for (const text of [
      '{"v":1,"t":1,"c":{"type":"no.such"}}',
      '{"v":2,"t":1,"n":1,"c":{"type":"no.such"}}',
    ]) {
      const harness = new StateHarness();
      const unknown = new TextEncoder().encode(text);
      expect(harness.applyEntries([encodeCommand(set("a"), 1), unknown])).toHaveLength(1);
      expect(harness.machine.parkedAt).toBe(2);
    }
  });

  test("a failing disk is not poison", () => {
    const { sql, machine } = new StateHarness();
    const failing = new StateMachine(
      {
        exec: (statement, ...parameters) => {
          if (statement.startsWith("INSERT INTO kv ")) throw new Error("database or disk is full");
          return sql.exec(statement, ...parameters);
        },
        transaction: (body) => sql.transaction(body),
      },
      { datacenter: "dc1" },
    );
    const batch = [{ index: 1, command: encodeCommand(set("a"), 1) }];
    expect(() => sql.transaction(() => failing.applyBatch(batch))).toThrow("disk is full");
    machine.reload();
    expect(machine.appliedIndex).toBe(0);
  });
});

describe("admission", () => {
  test("a command without its shape is refused before it enters the log", () => {
    const { machine } = new StateHarness();
    const admit = (command: object) => () => machine.admit(command as Command, {});
    expect(admit({ type: "no.such" })).toThrow("unknown command");
    expect(admit({ type: "toString" })).toThrow("unknown command");
    expect(admit({ type: "kv.set", key: 5, value: "", flags: "0" })).toThrow(
      "kv.set.key is not a string",
    );
    expect(admit({ type: "kv.set", key: "k", value: "?", flags: "0" })).toThrow("not well-formed");
    expect(admit({ type: "kv.set", key: "", value: "", flags: "0" })).toThrow("Must provide key");
    expect(admit({ type: "txn", operations: [{ kind: "zap" }] })).toThrow("has no kind");
    expect(admit({ type: "catalog.register", registration: { Node: "" } })).toThrow(
      "Must provide node",
    );
  });

  test("what a registration leaves out is filled in", () => {
    const { machine } = new StateHarness();
    const admitted = machine.admit(
      {
        type: "catalog.register",
        registration: { Node: "n", Address: "a", Service: { Service: "web" } } as never,
      },
      {},
    );
    expect(admitted).toMatchObject({
      registration: { Service: { ID: "web", Weights: { Passing: 1, Warning: 1 }, Tags: null } },
    });
  });

  test("another datacenter is somebody else's", () => {
    const { machine } = new StateHarness();
    const registration = { Node: "n", Address: "a", Datacenter: "dc2" } as never;
    expect(() => machine.admit({ type: "catalog.register", registration }, {})).toThrow(
      "No path to datacenter",
    );
  });
});

/** Rows that one command writes, its share of the batch's one row of meta included. */
describe("rows written", () => {
  const prepared = (): StateHarness => {
    const harness = new StateHarness();
    harness.register({
      Node: "n",
      Address: "1.1.1.1",
      Service: { Service: "web" },
      Checks: [{ CheckID: "c", ServiceID: "web", Status: "passing" }],
    });
    harness.createSession("n", { NodeChecks: [] });
    harness.set("old");
    harness.set("dir/a");
    harness.set("dir/b");
    return harness;
  };
  const id = "00000000-0000-0000-0000-000000000001";
  const write = { value: "bmV3", flags: "0" };
  const check = (status: string): object => ({
    Node: "n",
    SkipNodeUpdate: true,
    Check: { CheckID: "c", ServiceID: "web", Status: status },
  });
  const costs: [string, (harness: StateHarness) => unknown, number][] = [
    ["kv.set of an existing key", (h) => h.apply({ type: "kv.set", key: "old", ...write }), 2],
    ["kv.set of a new key", (h) => h.apply({ type: "kv.set", key: "new", ...write }), 2],
    ["kv.set that changes nothing", (h) => h.set("old"), 1],
    ["kv.cas", (h) => h.apply({ type: "kv.cas", key: "new", index: "0", ...write }), 2],
    ["kv.delete", (h) => h.apply({ type: "kv.delete", key: "old" }), 3],
    [
      "kv.delete-cas that loses",
      (h) => h.apply({ type: "kv.delete-cas", key: "old", index: "1" }),
      1,
    ],
    ["kv.delete-tree of two keys", (h) => h.apply({ type: "kv.delete-tree", prefix: "dir/" }), 4],
    ["kv.lock", (h) => h.apply({ type: "kv.lock", key: "old", session: id, ...write }), 2],
    [
      "kv.unlock that loses",
      (h) => h.apply({ type: "kv.unlock", key: "old", session: id, ...write }),
      1,
    ],
    ["session.create", (h) => h.createSession("n", { NodeChecks: [] }), 2],
    ["session.destroy", (h) => h.apply({ type: "session.destroy", id }), 2],
    ["session.expire", (h) => h.apply({ type: "session.expire", id }), 2],
    ["catalog.register of what is known", (h) => h.register({ Node: "n", Address: "1.1.1.1" }), 1],
    ["catalog.register of a check's new status", (h) => h.register(check("critical")), 3],
    ["catalog.register of a check as it is", (h) => h.register(check("passing")), 1],
    ["catalog.deregister of an instance", (h) => h.deregister({ Node: "n", ServiceID: "web" }), 5],
    ["txn of two keys", (h) => h.apply(twoKeys), 3],
    ["tombstone.reap of nothing", (h) => h.apply({ type: "tombstone.reap", untilMs: 0 }), 1],
  ];
  const setOperation = (key: string) =>
    ({ kind: "kv", verb: "set", key, ...write, index: "0", session: "" }) as const;
  const twoKeys: Command = { type: "txn", operations: [setOperation("x"), setOperation("y")] };

  test.each(costs)("%s", (_name, action, rows) => {
    const harness = prepared();
    const before = harness.sql.rowsWritten;
    action(harness);
    expect(harness.sql.rowsWritten - before).toBe(rows);
  });

  test("a batch writes its meta row once", () => {
    const harness = prepared();
    const before = harness.sql.rowsWritten;
    harness.applyAll(Array.from({ length: 50 }, (_, at) => set(`batch/${at}`)));
    expect(harness.sql.rowsWritten - before).toBe(51);
  });
});
