// Data directories of released formats go on opening: a copy of each is unpacked, migrated, read back and used.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { ReadName } from "../../../src/core/state/reads.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";

const fixture = "test/fixtures/data-09eb745";
const opened: { folder: string; sql: NodeSql }[] = [];

afterEach(() => {
  for (const { folder, sql } of opened.splice(0)) {
    sql.close();
    rmSync(folder, { recursive: true });
  }
});

/** The database of the server in a copy of the fixture. */
function openServer(): NodeSql {
  const folder = mkdtempSync(join(tmpdir(), "proconsul-format-"));
  const unpacked = spawnSync("tar", ["-xzf", join(fixture, "data.tar.gz"), "-C", folder]);
  expect(unpacked.status).toBe(0);
  const objects = join(folder, "servers/do/proconsul-Server");
  const file = readdirSync(objects).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  const sql = new NodeSql(join(objects, file ?? "none"));
  opened.push({ folder, sql });
  return sql;
}

const answers = JSON.parse(readFileSync(join(fixture, "answers.json"), "utf8")) as {
  op: ReadName;
  args: Record<string, never>;
  body: string;
}[];

function read(machine: StateMachine, op: ReadName, args: object): unknown {
  const { body } = machine.read(op, args as never, { nowMs: 0 });
  return body === null ? null : JSON.parse(body);
}

function apply(sql: NodeSql, machine: StateMachine, command: Command): unknown {
  const admitted = machine.admit(command, {});
  const entry = { index: machine.appliedIndex + 1, command: encodeCommand(admitted, 1) };
  return sql.transaction(() => machine.applyBatch([entry]))[0]?.outcome;
}

test("everything that 09eb745 wrote is read back, byte for byte", () => {
  const machine = new StateMachine(openServer(), { datacenter: "dc1" });
  expect(machine.appliedIndex).toBe(20);
  expect(answers).toHaveLength(6);
  for (const { op, args, body } of answers) {
    expect(machine.read(op, args, { nowMs: 0 }).body).toBe(body);
  }
});

test("columns that came later are filled in, once", () => {
  const sql = openServer();
  const machine = new StateMachine(sql, { datacenter: "dc1" });
  expect(read(machine, "catalog.reverse", { address: "10.0.0.9" })).toEqual({ node: "far" });
  expect(read(machine, "catalog.reverse", { address: "10.0.0.10" })).toEqual({ service: "Web" });
  const before = sql.rowsWritten;
  const again = new StateMachine(sql, { datacenter: "dc1" });
  expect(sql.rowsWritten).toBe(before);
  expect(read(again, "catalog.reverse", { address: "10.0.0.9" })).toEqual({ node: "far" });
});

test("further commands are applied: the lock is held, indexes go on, the catalog changes", () => {
  const sql = openServer();
  const machine = new StateMachine(sql, { datacenter: "dc1" });
  const [held] = read(machine, "kv.get", { key: "lock" }) as { Session: string }[];
  const write = { key: "lock", value: "bmV3", flags: "0" };
  expect(
    apply(sql, machine, { type: "kv.unlock", ...write, session: held?.Session ?? "" }),
  ).toEqual({ ok: true, value: true });
  expect(read(machine, "kv.get", { key: "lock" })).toMatchObject([
    { Value: "bmV3", LockIndex: 1, CreateIndex: 12, ModifyIndex: 21 },
  ]);
  const removal = { Datacenter: "", Node: "far", ServiceID: "", CheckID: "" };
  apply(sql, machine, { type: "catalog.deregister", deregistration: removal });
  expect(read(machine, "catalog.service", { service: "web" })).toEqual([]);
  expect(read(machine, "catalog.reverse", { address: "10.0.0.9" })).toBeNull();
  expect(read(machine, "catalog.nodes", {})).toHaveLength(1);
});

test("a database that newer code wrote is refused, not misread", () => {
  const sql = openServer();
  expect(() => new StateMachine(sql, { datacenter: "dc1" })).not.toThrow();
  sql.exec("UPDATE state_schema SET version = 99 WHERE area = 'catalog'");
  expect(() => new StateMachine(sql, { datacenter: "dc1" })).toThrow(
    "schema of catalog is version 99, newer than 2",
  );
});
