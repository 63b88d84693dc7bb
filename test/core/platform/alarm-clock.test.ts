// The single alarm of an object, shared by its parts.

import { expect, test } from "vitest";

import { AlarmClock } from "../../../durable/platform/alarm-clock.ts";

function clock(): { alarms: number[]; clock: AlarmClock } {
  const alarms: number[] = [];
  const made = new AlarmClock({ setAlarm: (atMs) => void alarms.push(atMs) });
  made.loaded(null);
  return { alarms, clock: made };
}

test("the earliest deadline is armed, and the next one when that has been served", async () => {
  const { alarms, clock: shared } = clock();
  const called: string[] = [];
  shared.handle("one", () => void called.push("one"));
  shared.handle("two", () => void called.push("two"));
  shared.set("two", 2_000);
  shared.set("one", 1_000);
  expect(alarms).toEqual([2_000, 1_000]);
  await shared.fire(1_000);
  expect(called).toEqual(["one"]);
  expect(alarms.at(-1)).toBe(2_000);
});

test("a handler that throws keeps nobody from running, and is called again", async () => {
  const { alarms, clock: shared } = clock();
  const called: string[] = [];
  let fails = true;
  shared.handle("broken", () => {
    called.push("broken");
    if (fails) throw new Error("no leader");
  });
  shared.handle("sound", () => void called.push("sound"));
  shared.set("broken", 1_000);
  shared.set("sound", 1_000);
  await expect(shared.fire(1_000)).rejects.toThrow("no leader");
  expect(called).toEqual(["broken", "sound"]);
  const again = alarms.at(-1) ?? 0;
  expect(again).toBeGreaterThan(1_000);
  fails = false;
  await shared.fire(again);
  expect(called).toEqual(["broken", "sound", "broken"]);
});

test("a deadline of the handler's own choosing stands though it threw", async () => {
  const { alarms, clock: shared } = clock();
  shared.handle("broken", () => {
    shared.set("broken", 1_500);
    throw new Error("not yet");
  });
  shared.set("broken", 1_000);
  await expect(shared.fire(1_000)).rejects.toThrow("not yet");
  expect(alarms.at(-1)).toBe(1_500);
});
