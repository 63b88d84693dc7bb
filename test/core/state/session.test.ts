import { describe, expect, test } from "vitest";
import {
  findSessionTtlMs,
  listSessionTtls,
} from "../../../src/core/state/tables/session/session.ts";
import { StateHarness } from "../../support/state-harness.ts";

function withNode(): StateHarness {
  const harness = new StateHarness();
  harness.register({
    Node: "n",
    Address: "1.1.1.1",
    Service: { Service: "web" },
    Checks: [
      { CheckID: "serfHealth", Status: "passing" },
      { CheckID: "c", ServiceID: "web", Status: "passing" },
    ],
  });
  return harness;
}

const lock = (key: string, session: string) =>
  ({ type: "kv.lock", key, value: "", flags: "0", session }) as const;
const holder = (harness: StateHarness, key: string): unknown =>
  (harness.read("kv.get", { key }).value as { Session?: string }[] | null)?.[0]?.Session;

describe("creating", () => {
  test("needs a registered node and checks that exist and are not critical", () => {
    const harness = withNode();
    harness.register({ Node: "n", SkipNodeUpdate: true, Check: { CheckID: "bad" } });
    expect(() => harness.createSession("none")).toThrow("Missing node registration");
    expect(() => harness.createSession("n", { NodeChecks: ["none"] })).toThrow(
      "Missing check 'none' registration",
    );
    expect(() => harness.createSession("n", { NodeChecks: ["bad"] })).toThrow(
      "Check 'bad' is in critical state",
    );
    expect(harness.createSession("n", { ServiceChecks: [{ ID: "c" }] })).toBeTypeOf("string");
  });

  test.each([
    [{ TTL: "500ms" }, "Invalid Session TTL '500000000', must be between [1s=24h0m0s]"],
    [{ TTL: "x" }, "Session TTL 'x' invalid: time: invalid duration \"x\""],
    [{ Behavior: "zap" }, "Invalid Behavior setting 'zap'"],
    [{ Node: "" }, "Must provide Node"],
  ])("refuses %j", (body, message) => {
    expect(() => withNode().createSession("n", body)).toThrow(message);
  });

  test.each([
    [{}, { NodeChecks: ["serfHealth"], LockDelay: 15e9, Behavior: "release" }],
    [{ Checks: [] }, { NodeChecks: [] }],
    [{ Checks: null }, { NodeChecks: [] }],
    [{ NodeChecks: [] }, { NodeChecks: [] }],
    [{ NodeChecks: null }, { NodeChecks: null }],
    [{ Checks: ["c"] }, { NodeChecks: ["serfHealth"], Checks: ["c"] }],
    [{ Checks: ["c"], NodeChecks: [] }, { NodeChecks: [] }],
    [{ NodeChecks: ["c"], Checks: ["serfHealth"] }, { NodeChecks: ["c"] }],
    [{ LockDelay: 20 }, { LockDelay: 20e9 }],
    [{ LockDelay: "500ns" }, { LockDelay: 500e9 }],
    [{ LockDelay: 4_000_000_000 }, { LockDelay: 4e9 }],
    [
      { TTL: "0s", Name: "x", Bogus: 1 },
      { TTL: "0s", Name: "x" },
    ],
  ])("reads %j as Consul does", (body, expected) => {
    const harness = withNode();
    const id = harness.createSession("n", body);
    const [found] = harness.read("session.info", { id }).value as object[];
    expect(found).toMatchObject(expected);
    // The legacy list is shown only when it says something of its own.
    expect(found && "Checks" in found).toBe("Checks" in expected);
  });
});

describe("invalidation", () => {
  const causes: [string, (harness: StateHarness, id: string) => unknown][] = [
    ["destroyed", (h, id) => h.apply({ type: "session.destroy", id: id.toUpperCase() })],
    ["expired", (h, id) => h.apply({ type: "session.expire", id })],
    ["its node is deregistered", (h) => h.deregister({ Node: "N" })],
    ["its check is deregistered", (h) => h.deregister({ Node: "n", CheckID: "C" })],
    ["its check's service is deregistered", (h) => h.deregister({ Node: "n", ServiceID: "web" })],
    [
      "its check turns critical",
      (h) =>
        h.register({
          Node: "n",
          SkipNodeUpdate: true,
          Check: { CheckID: "c", ServiceID: "web", Status: "critical" },
        }),
    ],
  ];

  test.each(causes)("when %s: locks are released", (_name, cause) => {
    const harness = withNode();
    const id = harness.createSession("n", { NodeChecks: ["c"] });
    harness.run(lock("l", id));
    cause(harness, id);
    expect(harness.read("session.info", { id }).value).toEqual([]);
    expect(harness.read("kv.get", { key: "l" }).value).toMatchObject([
      { LockIndex: 1, ModifyIndex: harness.machine.appliedIndex },
    ]);
    expect(holder(harness, "l")).toBeUndefined();
  });

  test("a check that only warns leaves the session alone", () => {
    const harness = withNode();
    const id = harness.createSession("n", { NodeChecks: ["c"] });
    const warning = { CheckID: "c", ServiceID: "web", Status: "warning" };
    harness.register({ Node: "n", SkipNodeUpdate: true, Check: warning });
    expect(harness.read("session.info", { id }).value).toHaveLength(1);
  });

  test("with Behavior delete the keys go, and leave tombstones", () => {
    const harness = withNode();
    const id = harness.createSession("n", { Behavior: "delete" });
    harness.run(lock("l", id));
    const { index } = harness.apply({ type: "session.destroy", id });
    expect(harness.read("kv.get", { key: "l" }).value).toBeNull();
    expect(harness.index("kv.list", { prefix: "l" })).toBe(index);
  });
});

describe("lock delay", () => {
  test("counts from the invalidation, in leader time, and ends", () => {
    const harness = withNode();
    const first = harness.createSession("n", { LockDelay: "15s" });
    const second = harness.createSession("n");
    harness.run(lock("l", first));
    harness.run({ type: "session.destroy", id: first });
    harness.nowMs += 14_999;
    expect(harness.run(lock("l", second))).toBe(false);
    expect(harness.run(lock("other", second))).toBe(true);
    harness.nowMs += 1;
    expect(harness.run(lock("l", second))).toBe(true);
  });

  test("is at most a minute; zero means none; releasing oneself starts none", () => {
    const harness = withNode();
    const long = harness.createSession("n", { LockDelay: "10m" });
    const none = harness.createSession("n", { LockDelay: "0s" });
    const other = harness.createSession("n");
    harness.run(lock("long", long));
    harness.run(lock("none", none));
    harness.run(lock("own", other));
    harness.run({ type: "kv.unlock", key: "own", value: "", flags: "0", session: other });
    harness.run({ type: "session.destroy", id: long });
    harness.run({ type: "session.destroy", id: none });
    expect(harness.run(lock("none", other))).toBe(true);
    expect(harness.run(lock("own", other))).toBe(true);
    harness.nowMs += 60_000;
    expect(harness.run(lock("long", other))).toBe(true);
  });

  test("fails a transaction, with its own words", () => {
    const harness = withNode();
    const first = harness.createSession("n");
    const second = harness.createSession("n");
    harness.run(lock("l", first));
    harness.run({ type: "session.destroy", id: first });
    const operation = {
      kind: "kv",
      verb: "lock",
      key: "l",
      value: "",
      flags: "0",
      index: "0",
    } as const;
    expect(harness.run({ type: "txn", operations: [{ ...operation, session: second }] })).toEqual({
      results: null,
      errors: [{ OpIndex: 0, What: 'failed to lock key "l" due to lock delay' }],
    });
  });
});

test("what a new leader needs to arm its timers", () => {
  const harness = withNode();
  const id = harness.createSession("n", { TTL: "10s" });
  const forever = harness.createSession("n");
  harness.createSession("n", { TTL: "0s" });
  expect(harness.machine.ask(listSessionTtls)).toEqual([{ id, ttlMs: 10_000 }]);
  expect(harness.machine.ask((state) => findSessionTtlMs(state, forever))).toBe(0);
  expect(harness.machine.ask((state) => findSessionTtlMs(state, "none"))).toBeUndefined();
});

test("an id that is no UUID is refused in Consul's words", () => {
  const harness = withNode();
  const words: [string, string][] = [
    ["abc", "UUID must be 36 characters"],
    ["-----0000-0000-0000-0000-00000000000", 'UUID should have maximum of 4 "-"; got 9'],
    ["000000000000-0000-0000-0000000000000", "Input (without hyphens) must be even length"],
    [
      "zz000000-0000-0000-0000-000000000000",
      "Invalid UUID: encoding/hex: invalid byte: U+007A 'z'",
    ],
  ];
  for (const [id, message] of words) {
    expect(() => harness.read("session.info", { id })).toThrow(
      `failed session lookup: index error: ${message}`,
    );
  }
});

test("a session that no check holds ends with its node, and so do its locks", () => {
  const harness = new StateHarness();
  harness.register({ Node: "n", Address: "1.1.1.1" });
  harness.register({ Node: "other", Address: "1.1.1.2" });
  const id = harness.createSession("n", { NodeChecks: [], LockDelay: "0s" });
  const kept = harness.createSession("other", { NodeChecks: [] });
  harness.run({ type: "kv.lock", key: "l", value: "", flags: "0", session: id });
  harness.deregister({ Node: "N" });
  expect(harness.read("session.list", {}).value).toMatchObject([{ ID: kept }]);
  expect(harness.read("kv.get", { key: "l" }).value).not.toHaveProperty("0.Session");
});
