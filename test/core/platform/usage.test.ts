// Counting by sampling: right on average, whatever sleeps in between, for next to nothing.

import { expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { type ObjectUsage, UsageMeter } from "../../../durable/platform/usage.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";

const sql = (): NodeSql => new NodeSql();

function meterOf(store: NodeSql, random: () => number, clock = { nowMs: Date.UTC(2026, 10, 26) }) {
  return new UsageMeter({ sql: store, random, nowMs: () => clock.nowMs });
}

/** What is true of the store after so many awakenings of one request and one write each. */
function afterSleeping(
  awakenings: number,
  random: () => number,
): { used: ObjectUsage; written: number } {
  const store = sql();
  let written = 0;
  const clock = { nowMs: Date.UTC(2026, 10, 1) };
  const counting: Pick<NodeSql, "exec" | "transaction"> = {
    exec: (statement, ...parameters) => {
      if (/^\s*INSERT/.test(statement)) written += 1;
      return store.exec(statement, ...parameters);
    },
    transaction: (body) => store.transaction(body),
  };
  for (let n = 0; n < awakenings; n++) {
    // Memory is lost each time.
    const meter = new UsageMeter({ sql: counting, random, nowMs: () => clock.nowMs });
    const ended = meter.event("requests", n % 2 === 0);
    meter.wrote(3);
    meter.turnEnded();
    clock.nowMs += 5;
    ended();
  }
  const [used] = meterOf(store, random, clock).months();
  if (!used) throw new Error("nothing was counted");
  return { used, written };
}

test("an object that sleeps after each request is counted right to a few per cent", () => {
  const awakenings = 200_000;
  const random = seededRandom(7);
  const { used, written } = afterSleeping(awakenings, () => random.next());
  const near = (value: number, expected: number): void => {
    expect(Math.abs(value / expected - 1)).toBeLessThan(0.1);
  };
  near(used.requests, awakenings);
  near(used.workerRequests, awakenings / 2);
  near(used.busyMs, 5 * awakenings);
  near(used.rowsWritten, 3 * awakenings);
  // A row for 256 requests and one for 16 turns that write three each: some 2 % more.
  expect(written / (3 * awakenings)).toBeLessThan(0.025);
});

test("what was not chosen writes nothing, not even a table", () => {
  const store = sql();
  const meter = meterOf(store, () => 0.999);
  meter.event("requests")();
  meter.wrote(1);
  meter.turnEnded();
  expect(store.exec("SELECT name FROM sqlite_schema ORDER BY name")).toEqual([]);
});

test("a turn that wrote nothing is none, and rows of one turn are not counted in the next", () => {
  const store = sql();
  const chosen = [0.5, 0];
  const meter = meterOf(store, () => chosen.shift() ?? 1);
  meter.turnEnded();
  meter.wrote(100);
  meter.turnEnded();
  meter.wrote(2);
  meter.turnEnded();
  expect(meter.months()).toMatchObject([{ rowsWritten: 16 * 2 + 1 }]);
});

test("months are apart, and three of them are kept", () => {
  const store = sql();
  const clock = { nowMs: 0 };
  const meter = meterOf(store, () => 0, clock);
  for (let month = 0; month < 5; month++) {
    clock.nowMs = Date.UTC(2026, month, 3);
    meter.event("messages")();
  }
  expect(meter.months().map(({ month, messages }) => [month, messages])).toEqual([
    ["2026-05", 256],
    ["2026-04", 256],
    ["2026-03", 256],
  ]);
});
