// No answer is longer than its host can carry, and a list of long values is refused before it is built.

import { expect, test, vi } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { encodeCommand, type Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { ReadName } from "../../../src/core/state/reads.ts";

const answerLengthMax = 1_000;

function filled(): { read: (op: ReadName, args: object) => string | null; sql: NodeSql } {
  const sql = new NodeSql();
  const machine = new StateMachine(sql, { datacenter: "dc1", answerLengthMax });
  const commands = [
    ...["long/a", "long/b"].map((key) => ({
      type: "kv.set",
      key,
      value: "eHh4".repeat(150),
      flags: "0",
    })),
    ...Array.from({ length: 9 }, (_, n) => ({
      type: "catalog.register",
      registration: { Node: `node-${n}`, Address: "10.0.0.1" },
    })),
  ] as Command[];
  for (const [at, command] of commands.entries()) {
    const entry = { index: at + 1, command: encodeCommand(machine.admit(command, {}), 1) };
    sql.transaction(() => machine.applyBatch([entry]));
  }
  const read = (op: ReadName, args: object): string | null =>
    machine.read(op, args as never, { nowMs: 1 }).body;
  return { read, sql };
}

test.each<[ReadName, object]>([
  ["kv.list", { prefix: "long/" }],
  ["catalog.nodes", {}],
])("%s that is too long is refused", (op, args) => {
  expect(() => filled().read(op, args)).toThrow(
    /^The answer is too large \(\d+ > 1000 bytes\): ask for a part of it$/,
  );
});

test("a list of values is refused before any of them is read", () => {
  const { read, sql } = filled();
  const exec = vi.spyOn(sql, "exec");
  expect(() => read("kv.list", { prefix: "long/" })).toThrow(/too large/);
  expect(exec.mock.calls.filter(([statement]) => /SELECT \*/.test(statement))).toEqual([]);
  expect(read("kv.list", { prefix: "long/b" })).toContain("long/b");
});
