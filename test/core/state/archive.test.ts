// Archives of a state: what Consul saved is restored and saved again, a state is saved while it changes, and a restore
// is begun, gone on with, switched to, and swept away.

import { describe, expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { encodeBase64 } from "../../../src/core/lib/base64.ts";
import { Packer } from "../../../src/core/lib/msgpack.ts";
import { autopilotDefaults } from "../../../src/core/model/autopilot.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { abandonedMs, sweepDueMs } from "../../../src/core/state/tables/snapshot/restore.ts";
import {
  type ArchiveRecord,
  foreignArchive,
  recordPlaces,
  recordsOf,
  savedBytes,
  stateOf,
} from "../../support/archives.ts";
import { StateHarness } from "../../support/state-harness.ts";

const foreign = stateOf(foreignArchive());

/** Loads `state` in chunks of so many records, without switching to it. */
function load(harness: StateHarness, restore: string, state: Uint8Array, records = 7): void {
  while (harness.run({ type: "snapshot.begin", restore }) !== true);
  const places = recordPlaces(state).filter((_place, at, all) => {
    return at % records === 0 || at === all.length - 1;
  });
  let from = 0;
  for (const [chunk, end] of [...places.slice(1).entries()]) {
    const data = encodeBase64(state.subarray(from, end));
    harness.run({ type: "snapshot.load", restore, chunk, data });
    from = end;
  }
}

function restore(harness: StateHarness, state: Uint8Array, records = 7): void {
  load(harness, "r", state, records);
  harness.run({ type: "snapshot.switch", restore: "r" });
}

function save({ machine }: StateHarness): Uint8Array {
  const archive = machine.openArchive();
  const bytes = savedBytes(archive);
  machine.closeArchive(archive);
  return bytes;
}

/** What Consul writes and nobody keeps here: transactions under way, federation, and indexes that follow from rows. */
const notKept: ReadonlySet<string> = new Set(["connect-ca-builtin", "federation-states"]);

function comparable(state: Uint8Array): string[] {
  return recordsOf(state)
    .filter(({ type, body }) => {
      const { Key: key = "" } = (body ?? {}) as { Key?: string };
      return ![29, 30].includes(type) && !(type === 16 && notKept.has(key));
    })
    .map(comparableRecord)
    .toSorted();
}

/** Members that only Go's structs have: nobody is ever shown them. */
const goOwn = { IngressHosts: 0, SidecarService: 0, LocallyRegisteredAsSidecar: 0, Syntax: 0 };

/** Both ways to write UTC are one, and so is what is empty; the order of an entry's members says nothing. */
function comparableRecord({ type, body }: ArchiveRecord): string {
  const text = JSON.stringify(body, (name, value: unknown) => {
    if (typeof value === "string") return value.replace(/^(hex:01[\da-f]{24})ffff$/, "$10000");
    if (Array.isArray(value) && value.length === 0) return null;
    if (Object.hasOwn(goOwn, name)) return undefined;
    if (typeof value !== "object" || value === null) return value;
    const members = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(members)
        .toSorted()
        .map((key) => [key, members[key]]),
    );
  });
  return `${type} ${text}`;
}

describe("an archive of Consul", () => {
  const types = new Set(recordsOf(foreign).map(({ type }) => type));

  test("has every type of record there is", () => {
    const all = [0, 2, 3, 5, 6, 7, 9, 12, 13, 14, 15, 16, 17, 19, 22, 23, 25, 27, 29, 30];
    expect([...types].toSorted((one, other) => one - other)).toEqual(all);
  });

  test("is the same when it is saved again", () => {
    const harness = new StateHarness();
    restore(harness, foreign);
    const again = save(harness);
    const [before, after] = [comparable(foreign), comparable(again)].map((records) => {
      // A provider's state has the indexes of its root here, and old tokens get an accessor.
      return records.filter((record) => !/^(14 |17 .*"leg")/.test(record));
    });
    expect(after).toEqual(before);
    const other = new StateHarness();
    restore(other, again, 1);
    expect(comparable(save(other))).toEqual(comparable(again));
  });

  test("tells the same to clients", () => {
    const harness = new StateHarness();
    restore(harness, foreign);
    const { index, value } = harness.read("kv.list", { prefix: "" });
    const keys = (value as { Key: string; Value: string | null; Flags: number }[]).map((entry) => {
      return [entry.Key, entry.Value, entry.Flags];
    });
    expect(keys).toContainEqual(["a/one", btoa("hello"), 0]);
    expect(keys).toContainEqual(["bin ary", btoa("\xff\x01bin"), 0]);
    expect(index).toBe(32);
    const records = recordsOf(foreign).filter(({ type }) => type === 2);
    expect(keys).toHaveLength(records.length);
    expect(harness.index("catalog.services", {})).toBe(29);
    expect(harness.read("autopilot.config", {})).toMatchObject({
      index: 54,
      value: { CleanupDeadServers: false, MaxTrailingLogs: 100, ModifyIndex: 54, CreateIndex: 7 },
    });
    expect(harness.read("intention.list", {}).value).toHaveLength(2);
    expect(harness.read("config.list", { kind: "ingress-gateway" }).value).toMatchObject([
      { Name: "igw", Listeners: [{ Port: 8080, Services: [{ Name: "web" }, { Name: "db" }] }] },
    ]);
    // What follows from entries and services has the indexes of those.
    expect(harness.read("catalog.gateway-services", { gateway: "igw" }).value).toMatchObject([
      { CreateIndex: 45, ModifyIndex: 45 },
      { CreateIndex: 45, ModifyIndex: 45 },
    ]);
  });

  test("that a token of before 1.4 is in gives it an accessor", () => {
    const tokens = ["r1", "r2"].map((restoreName) => {
      const harness = new StateHarness();
      load(harness, restoreName, foreign);
      harness.run({ type: "snapshot.switch", restore: restoreName });
      const record = recordsOf(save(harness)).find(({ type, body }) => {
        return type === 17 && (body as { Description: string }).Description === "leg";
      });
      return (record?.body as { AccessorID: string } | undefined)?.AccessorID;
    });
    expect(tokens[0]).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(tokens[1]).not.toBe(tokens[0]);
  });
});

/** Of any record of Consul's archive. */
const newest = 54;

test("indexes go on beyond those of the archive, and never back", () => {
  const harness = new StateHarness();
  restore(harness, foreign);
  const after = harness.set("later");
  const { index } = harness.read("kv.get", { key: "later" });
  expect(index).toBeGreaterThan(newest);
  expect(harness.machine.visibleIndex).toBe(index);
  expect(harness.machine.logIndexOf(index)).toBe(after.index);
  // A second restore of the same does not lead back to indexes that were given.
  load(harness, "again", foreign);
  harness.run({ type: "snapshot.switch", restore: "again" });
  harness.set("later");
  expect(harness.index("kv.get", { key: "later" })).toBeGreaterThan(index);
});

test("nothing is seen of a restore before it is switched to, and all of it afterwards", () => {
  const harness = new StateHarness();
  harness.set("own");
  const before = harness.read("kv.list", { prefix: "" });
  load(harness, "r", foreign);
  expect(harness.read("kv.list", { prefix: "" })).toEqual(before);
  expect(harness.read("catalog.nodes", {}).value).toEqual([]);
  const { replaced } = harness.apply({ type: "snapshot.switch", restore: "r" });
  expect(replaced).toBe(true);
  expect(harness.read("kv.get", { key: "own" }).value).toBeNull();
  expect(harness.read("catalog.nodes", {}).value).not.toEqual([]);
  // A switch whose answer was lost is asked for once more.
  harness.set("new");
  expect(harness.apply({ type: "snapshot.switch", restore: "r" }).replaced).toBeUndefined();
  expect(harness.read("kv.get", { key: "new" }).value).not.toBeNull();
});

test("a server that starts again before the switch has the old state, and after it the new one", () => {
  const harness = new StateHarness();
  harness.set("own");
  load(harness, "r", foreign);
  const reopen = (): StateMachine => new StateMachine(harness.sql, { datacenter: "dc1" });
  const keys = (machine: StateMachine): string[] => {
    const { body } = machine.read("kv.list", { prefix: "" }, { nowMs: 0 });
    return (JSON.parse(body ?? "[]") as { Key: string }[]).map(({ Key }) => Key);
  };
  const restarted = reopen();
  expect(keys(restarted)).toEqual(["own"]);
  const body = encodeCommand({ type: "snapshot.switch", restore: "r" }, harness.nowMs);
  const entry = { index: restarted.appliedIndex + 1, command: body };
  harness.sql.transaction(() => restarted.applyBatch([entry]));
  expect(keys(restarted)).toContain("a/one");
  expect(keys(reopen())).toEqual(keys(restarted));
  expect(reopen().digest).toBe(restarted.digest);
});

test("another server that restores the same comes to the same digest, and rows", () => {
  const [one, other] = [new StateHarness(), new StateHarness()];
  for (const harness of [one, other]) {
    restore(harness, foreign);
    while (harness.run({ type: "snapshot.sweep", beforeMs: harness.nowMs }) === true);
    harness.set("x");
  }
  expect(one.machine.digest).toBe(other.machine.digest);
  expect(save(one)).toEqual(save(other));
});

test("chunks come once and in order", () => {
  const harness = new StateHarness();
  harness.run({ type: "snapshot.begin", restore: "r" });
  const [first = 0, second = 0] = recordPlaces(foreign);
  const header = encodeBase64(foreign.subarray(0, first));
  const record = encodeBase64(foreign.subarray(first, second));
  const chunk = (number: number, data: string) => {
    return harness.apply({ type: "snapshot.load", restore: "r", chunk: number, data }).outcome;
  };
  expect(chunk(1, record)).toMatchObject({ ok: false });
  expect(chunk(0, header)).toMatchObject({ ok: true });
  expect(chunk(0, header)).toMatchObject({ ok: true });
  expect(chunk(1, record)).toMatchObject({ ok: true });
  // Half a record, and one of a type that nobody knows.
  expect(chunk(2, record.slice(0, 40))).toMatchObject({ ok: false });
  const unknown = new Packer();
  unknown.byte(99);
  unknown.nil();
  expect(chunk(2, encodeBase64(unknown.take()))).toMatchObject({
    error: { message: "failed to restore snapshot: unrecognized msg type 99" },
  });
});

test("a restore that another one takes the place of cannot go on", () => {
  const harness = new StateHarness();
  load(harness, "first", foreign);
  while (harness.run({ type: "snapshot.begin", restore: "second" }) !== true);
  const data = encodeBase64(foreign.subarray(0, recordPlaces(foreign)[0]));
  for (const command of [
    { type: "snapshot.load", restore: "first", chunk: 0, data },
    { type: "snapshot.switch", restore: "first" },
    { type: "snapshot.switch", restore: "" },
  ] as const) {
    expect(harness.apply(command).outcome).toMatchObject({
      ok: false,
      error: { code: "invalid" },
    });
  }
  expect(harness.read("catalog.nodes", {}).value).toEqual([]);
});

describe("what is swept away", () => {
  const due = ({ machine }: StateHarness): number | null => machine.ask(sweepDueMs);
  const sweep = (harness: StateHarness, beforeMs: number): unknown =>
    harness.run({ type: "snapshot.sweep", beforeMs });
  const rows = ({ sql }: StateHarness): number =>
    sql.exec<{ count: number }>("SELECT count(*) AS count FROM next_kv")[0]?.count ?? 0;

  test("is the state before, at once", () => {
    const harness = new StateHarness();
    harness.set("own");
    restore(harness, foreign);
    expect(rows(harness)).toBe(1);
    expect(due(harness)).toBe(harness.nowMs);
    while (sweep(harness, harness.nowMs) === true);
    expect([rows(harness), due(harness)]).toEqual([0, null]);
  });

  test("is a restore that was abandoned, after a while", () => {
    const harness = new StateHarness();
    load(harness, "r", foreign);
    expect(due(harness)).toBe(harness.nowMs + abandonedMs);
    sweep(harness, harness.nowMs - 1);
    expect(rows(harness)).toBeGreaterThan(0);
    const begunMs = harness.nowMs;
    harness.nowMs += abandonedMs;
    while (sweep(harness, begunMs) === true);
    expect([rows(harness), due(harness)]).toEqual([0, null]);
    expect(harness.apply({ type: "snapshot.switch", restore: "r" }).outcome.ok).toBe(false);
  });

  test("is many rows in slices", () => {
    const harness = new StateHarness();
    const value = btoa("x".repeat(500_000));
    for (let each = 0; each < 12; each++) harness.set(`big/${each}`, value);
    restore(harness, foreign);
    let slices = 0;
    while (sweep(harness, harness.nowMs) === true) slices++;
    expect(slices).toBeGreaterThan(1);
    expect(rows(harness)).toBe(0);
  });
});

describe("a state that is saved while it changes", () => {
  function filled(count: number): StateHarness {
    const harness = new StateHarness();
    harness.run({ type: "autopilot.initialize", config: autopilotDefaults });
    for (let each = 0; each < count; each++) {
      const key = `key/${String(each).padStart(4, "0")}`;
      harness.set(key, btoa(`${each}`.padEnd(20_000, ".")));
      if (each % 10 === 0) harness.register({ Node: `n${each}`, Address: "10.0.0.1" });
    }
    return harness;
  }

  test("is what it was when it was asked for", () => {
    const harness = filled(150);
    const still = comparable(save(harness));
    const archive = harness.machine.openArchive();
    const packer = new Packer();
    let step = 0;
    for (const write of archive.records()) {
      write(packer);
      // Before where it reads, there, behind it, and what is new.
      const at = (step * 37) % 150;
      harness.set(`key/${String(at).padStart(4, "0")}`, btoa(`changed ${step}`));
      if (step % 3 === 0) harness.run({ type: "kv.delete", key: `key/0${step % 150}` });
      harness.set(`new/${step}`);
      if (step % 20 === 0) harness.deregister({ Node: `n${step % 150}` });
      if (step === 30) harness.run({ type: "kv.delete-tree", prefix: "key/01" });
      step++;
    }
    expect(comparable(packer.take())).toEqual(still);
    // And is so again, however much has changed.
    expect(comparable(savedBytes(archive))).toEqual(still);
    harness.machine.closeArchive(archive);
    expect(harness.sql.exec("SELECT * FROM state_aside")).toEqual([]);
  });

  test("breaks off when another state takes its place", () => {
    const harness = filled(20);
    const archive = harness.machine.openArchive();
    const records = archive.records()[Symbol.iterator]();
    records.next();
    restore(harness, foreign);
    expect(() => [...{ [Symbol.iterator]: () => records }]).toThrow("replaced while it was saved");
  });

  test("leaves nothing behind of a server that ends", () => {
    const harness = filled(5);
    harness.machine.openArchive();
    harness.set("key/0001");
    expect(harness.sql.exec("SELECT * FROM state_aside")).not.toEqual([]);
    const restarted = new StateMachine(harness.sql, { datacenter: "dc1" });
    expect(restarted.appliedIndex).toBe(harness.machine.appliedIndex);
    expect(harness.sql.exec("SELECT * FROM state_aside")).toEqual([]);
  });
});

test("sessions, the locks they hold and their times come back", () => {
  const harness = new StateHarness();
  restore(harness, foreign);
  const sessions = harness.read("session.list", {}).value as { ID: string; Name: string }[];
  const holder = sessions.find(({ Name }) => Name === "s1")?.ID ?? "";
  expect(sessions.find(({ ID }) => ID === holder)).toMatchObject({
    ...{ TTL: "3600s", LockDelay: 7e9, Behavior: "delete", Node: "N1" },
    ...{ NodeChecks: ["serfHealth", "free"], ServiceChecks: [{ ID: "c1" }] },
  });
  expect(harness.read("kv.get", { key: "locked" }).value).toMatchObject([{ Session: holder }]);
  const other = harness.createSession("n2", { NodeChecks: [] });
  const acquire = { type: "kv.lock", key: "locked", value: "", flags: "0" } as const;
  expect(harness.run({ ...acquire, session: other })).toBe(false);
  harness.run({ type: "session.destroy", id: holder });
  // Its behaviour is to delete what it held.
  expect(harness.read("kv.get", { key: "locked" }).value).toBeNull();
});

test("a snapshot that follows a server through a restore ends with the new state", () => {
  const harness = new StateHarness();
  for (let each = 0; each < 50; each++) harness.set(`key/${each}`, btoa("x".repeat(5_000)));
  const stream = harness.machine.openSnapshot();
  const sql = new NodeSql();
  const receiver = new StateMachine(sql, { datacenter: "dc1" });
  receiver.clear();
  let chunk = stream.next(20_000);
  receiver.installRows(chunk.data);
  restore(harness, foreign);
  while (!chunk.final) {
    chunk = stream.next(20_000);
    sql.transaction(() => receiver.installRows(chunk.data));
  }
  harness.machine.closeSnapshot(stream);
  receiver.finishInstall(harness.machine.appliedIndex);
  const list = ["kv.list", { prefix: "" }, { nowMs: 0 }] as const;
  expect(receiver.read(...list)).toEqual(harness.machine.read(...list));
});
