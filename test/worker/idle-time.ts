// Time that passes while nothing happens: the clock jumps from alarm to alarm, and every object sleeps in between.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";

import { objects } from "./meter.ts";

export const minuteMs = 60_000;

/** From now on the clock only moves by {@link passTime}. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
}

export async function sleepAll(): Promise<void> {
  for (const stub of objects()) await evictDurableObject(stub, { webSockets: "hibernate" });
}

/** Alarms that are due by `untilMs`, earliest first, each on an object that sleeps. */
export async function passTime(untilMs: number): Promise<void> {
  for (;;) {
    const armed: { stub: DurableObjectStub; atMs: number }[] = [];
    for (const stub of objects()) {
      const atMs = await runInDurableObject(stub, (_object, state) => state.storage.getAlarm());
      if (atMs !== null && atMs <= untilMs) armed.push({ stub, atMs });
    }
    const [next] = armed.toSorted((a, b) => a.atMs - b.atMs);
    if (!next) break;
    vi.setSystemTime(Math.max(Date.now(), next.atMs));
    await sleepAll();
    await answerPings();
    await runDurableObjectAlarm(next.stub);
    await scheduler.wait(20);
    expect(vi.getTimerCount(), "timers left behind").toBe(0);
  }
  vi.setSystemTime(untilMs);
}

/** Agents' pings are answered by the platform; its clock is the real one, so it is told the simulated time. */
async function answerPings(): Promise<void> {
  const [, , , pool] = objects();
  await runInDurableObject(pool as DurableObjectStub, (_pool, state) => {
    state.getWebSocketAutoResponseTimestamp = () => new Date(Date.now());
  });
}
