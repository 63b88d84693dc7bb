import { beforeEach, expect, test } from "vitest";

import { AlarmClock } from "../../../durable/platform/alarm-clock.ts";
import { SnapshotSweeper } from "../../../durable/leader/snapshot-sweeper.ts";
import type { ServerRequests } from "../../../durable/server/requests.ts";
import { encodeBase64 } from "../../../src/core/lib/base64.ts";
import { abandonedMs } from "../../../src/core/state/tables/snapshot/restore.ts";
import { recordPlaces, savedBytes } from "../../support/archives.ts";
import { StateHarness } from "../../support/state-harness.ts";

let state: StateHarness;
let clock: AlarmClock;
let leads: boolean;
let reachable: boolean;
let reconciled: number;
let warnings: string[];
let sweeper: SnapshotSweeper;

function makeSweeper(): SnapshotSweeper {
  clock = new AlarmClock({ setAlarm: () => undefined });
  clock.loaded(null);
  const writeHere: ServerRequests["writeHere"] = ({ write }) => {
    return Promise.resolve(state.run(write) as never);
  };
  return new SnapshotSweeper({
    ...{ machine: state.machine, clock, nowMs: () => state.nowMs, leads: () => leads },
    requests: { writeHere } as ServerRequests,
    reconcile: async () => {
      await Promise.resolve();
      if (!reachable) throw new Error("a pool is gone");
      reconciled++;
    },
    warn: (line) => warnings.push(line),
  });
}

beforeEach(() => {
  state = new StateHarness();
  [leads, reachable, reconciled, warnings] = [true, true, 0, []];
  sweeper = makeSweeper();
});

function load(restore: string): void {
  const empty = savedBytes(new StateHarness().machine.openArchive());
  state.run({ type: "snapshot.begin", restore });
  const data = encodeBase64(empty.subarray(0, recordPlaces(empty).at(-1)));
  state.run({ type: "snapshot.load", restore, chunk: 0, data });
}

function restored(): void {
  load("r");
  sweeper.applied([state.apply({ type: "snapshot.switch", restore: "r" })]);
}

const isSwept = (): boolean => state.sql.exec("SELECT key FROM next_kv").length === 0;

test("after a restore the catalog is brought in line once, and what was before is swept away", async () => {
  state.set("before");
  restored();
  expect([isSwept(), clock.deadline("snapshots")]).toEqual([false, state.nowMs]);
  await clock.fire(state.nowMs);
  expect([isSwept(), reconciled, clock.deadline("snapshots")]).toEqual([true, 1, undefined]);
});

test("while a pool does not answer it is asked again, by the next leader, too", async () => {
  state.set("before");
  reachable = false;
  restored();
  await clock.fire(state.nowMs);
  expect([isSwept(), reconciled, warnings.length]).toEqual([false, 0, 1]);
  const again = clock.deadline("snapshots") ?? 0;
  expect(again).toBeGreaterThan(state.nowMs);
  // Another server leads, and knows only what is in rows.
  sweeper = makeSweeper();
  sweeper.arm();
  reachable = true;
  state.nowMs = again;
  await clock.fire(again);
  expect([isSwept(), reconciled]).toEqual([true, 1]);
});

test("a pool that stays away does not keep what was before for ever", async () => {
  state.set("before");
  reachable = false;
  restored();
  state.nowMs += 5 * 60_000;
  await clock.fire(state.nowMs);
  expect([isSwept(), reconciled, warnings.length]).toEqual([true, 0, 1]);
});

test("a restore that nobody goes on with is swept away, and reconciles nothing", async () => {
  load("r");
  sweeper.arm();
  expect(clock.deadline("snapshots")).toBe(state.nowMs + abandonedMs);
  state.nowMs += abandonedMs;
  await clock.fire(state.nowMs);
  expect([reconciled, clock.deadline("snapshots")]).toEqual([0, undefined]);
});

test("whoever does not lead leaves it alone", async () => {
  state.set("before");
  leads = false;
  restored();
  expect(clock.deadline("snapshots")).toBeUndefined();
  sweeper.arm();
  await clock.fire(state.nowMs);
  expect([isSwept(), reconciled]).toEqual([false, 0]);
});
