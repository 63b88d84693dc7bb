// Servers of several versions in one group: each knows its own areas and applies the same log.

import { describe, expect, test } from "vitest";
import { command, defineArea } from "../../../src/core/state/area.ts";
import type { Area } from "../../../src/core/state/area.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { decodeEnvelope } from "../../../src/core/state/envelope.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { TableDefinition } from "../../../src/core/state/table.ts";
import { areas } from "../../../src/core/state/tables/index.ts";
import { commonVersions, firstVersions } from "../../../src/core/state/versions.ts";
import { integer, text } from "../../../src/core/model/schema.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";

interface NoteRow {
  [column: string]: string | number;
  id: string;
  size: number;
}

const noteTable: TableDefinition<NoteRow> = {
  name: "note",
  columns: { id: "TEXT NOT NULL", size: "INTEGER NOT NULL" },
  key: ["id"],
};

/** Version 1 counts every note as 1; version 2 carries a size, and says 1 in the old way. */
const notes = (version: number): Area =>
  defineArea({
    name: "note",
    tables: [noteTable],
    commands: {
      "note.put": command<{ id: string; size: number }, number>({
        version,
        shape: { id: text, size: integer },
        admit: (given) => given,
        apply: (change, { id, size }, said) => {
          const row = { id, size: said === 1 ? 1 : size };
          change.table(noteTable).put(row);
          return row.size;
        },
        express: ({ id, size }) => (size === 1 ? { id } : null),
      }),
    },
    reads: {},
  });

function machineOf(version: number): { sql: NodeSql; machine: StateMachine } {
  const known = version === 0 ? areas : [...areas, notes(version)];
  const sql = new NodeSql();
  return { sql, machine: new StateMachine(sql, { datacenter: "dc1", areas: known }) };
}

type Server = ReturnType<typeof machineOf>;

function apply({ sql, machine }: Server, ...bodies: Uint8Array[]): unknown[] {
  const first = machine.appliedIndex + 1;
  const entries = bodies.map((body, at) => ({ index: first + at, command: body }));
  return sql.transaction(() => machine.applyBatch(entries)).map(({ outcome }) => outcome);
}

const note = (size: number): Command => ({ type: "note.put", id: "n", size }) as never;
const set: Command = { type: "kv.set", key: "k", value: "dg==", flags: "0" };
const upgrading = "an upgrade is in progress";

describe("what may be proposed", () => {
  test("is what every voter announced; one that announces nothing knows the first format", () => {
    const { machine } = machineOf(2);
    const old = machineOf(1).machine.knownCommands;
    expect(commonVersions([machine.knownCommands, old])["note.put"]).toBe(1);
    expect(commonVersions([machine.knownCommands, undefined])).toEqual(firstVersions);
    expect(commonVersions([undefined, machine.knownCommands])).toEqual(firstVersions);
    expect(commonVersions([])).toEqual(firstVersions);
  });

  test("every type of this code is announced, and all of the first format is among them", () => {
    const { machine } = machineOf(0);
    expect(machine.knownCommands).toMatchObject(firstVersions);
  });

  test("the newest version once all know it, the older one where it says the same, else nothing", () => {
    const { machine } = machineOf(2);
    expect(decodeEnvelope(machine.encode(note(5), 7, { "note.put": 2 }))).toEqual({
      stampMs: 7,
      version: 2,
      command: note(5),
    });
    expect(decodeEnvelope(machine.encode(note(1), 7, { "note.put": 1 }))).toEqual({
      stampMs: 7,
      version: 1,
      command: { type: "note.put", id: "n" },
    });
    expect(() => machine.encode(note(5), 7, { "note.put": 1 })).toThrow(upgrading);
    expect(() => machine.encode(note(1), 7, {})).toThrow(upgrading);
    expect(() => machine.encode(note(1), 7)).toThrow(upgrading);
  });

  test("what the log already holds, without asking again", () => {
    const leader = machineOf(2);
    expect(leader.machine.isCommonlyKnown(set)).toBe(true);
    expect(leader.machine.isCommonlyKnown(note(5))).toBe(false);
    apply(leader, leader.machine.encode(note(5), 1, { "note.put": 2 }));
    expect(leader.machine.isCommonlyKnown(note(5))).toBe(true);
    const again = new StateMachine(leader.sql, { datacenter: "dc1", areas: [...areas, notes(2)] });
    expect(decodeEnvelope(again.encode(note(6), 1)).version).toBe(2);
  });

  test("what a snapshot's log held, too", () => {
    const [leader, newcomer] = [machineOf(2), machineOf(2)];
    apply(leader, leader.machine.encode(note(5), 1, { "note.put": 2 }));
    const snapshot = leader.machine.openSnapshot();
    newcomer.sql.transaction(() => {
      newcomer.machine.clear();
      for (let isFinal = false; !isFinal;) {
        const { data, final } = snapshot.next(1e6);
        newcomer.machine.installRows(data);
        isFinal = final;
      }
      newcomer.machine.finishInstall(leader.machine.appliedIndex);
    });
    expect(newcomer.machine.isCommonlyKnown(note(5))).toBe(true);
  });

  test("commands of the first format keep its bytes, so that older code applies them", () => {
    const { machine } = machineOf(2);
    const bytes = new TextDecoder().decode(machine.encode(set, 3));
    expect(bytes).toBe('{"v":1,"t":3,"c":{"type":"kv.set","key":"k","value":"dg==","flags":"0"}}');
  });
});

describe("what is applied", () => {
  test("code that lacks the type or its version parks, and goes on once it is newer", () => {
    const leader = machineOf(2);
    const bodies = [
      leader.machine.encode(set, 1),
      leader.machine.encode(note(5), 1, { "note.put": 2 }),
    ];
    for (const version of [0, 1]) {
      const old = machineOf(version);
      expect(apply(old, ...bodies)).toHaveLength(1);
      expect(old.machine.parkedAt).toBe(2);
      const upgraded = {
        sql: old.sql,
        machine: new StateMachine(old.sql, { datacenter: "dc1", areas: [...areas, notes(2)] }),
      };
      expect(apply(upgraded, bodies[1] as Uint8Array)).toEqual([{ ok: true, value: 5 }]);
      expect(upgraded.machine.parkedAt).toBeNull();
    }
  });

  test("an older version has the effect it always had, on newer code too", () => {
    const [old, current] = [machineOf(1), machineOf(2)];
    const body = current.machine.encode(note(1), 1, { "note.put": 1 });
    expect(apply(old, body)).toEqual(apply(current, body));
    expect(old.machine.digest).toBe(current.machine.digest);
  });
});
