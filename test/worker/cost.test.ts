// What an idle and a busy datacenter cost on Cloudflare. Time is simulated: the clock jumps from alarm to alarm, and
// every object sleeps in between, as it would.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { agentCall, gossip, link, put, until } from "./datacenter.ts";
import { dollarsPerMonth, Meter, objects } from "./meter.ts";

const minuteMs = 60_000;
const agents = 3;
/** A pool whose agents are well looks at their pings this often, at most. */
const sweepMs = 25_000;
let meter: Meter;

beforeAll(async () => {
  await put(0, "warm", "up");
  await agentCall("registerService", JSON.stringify({ Name: "api", Check: { TTL: "1h" } }), {
    replaceExistingChecks: false,
  });
  for (let n = 0; n < agents; n++) {
    await gossip({ name: `host-${n}`, id: crypto.randomUUID(), address: `10.0.0.${n + 1}` });
    await link(n);
  }
  await until(async () => (await nodes()) >= agents);
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
  meter = await Meter.start();
  // What joining and registering left to do is not idleness.
  await passTime(Date.now() + minuteMs);
  meter.reset();
});

afterEach(() => meter.reset());

async function nodes(): Promise<number> {
  return await runInDurableObject(objects()[0] as DurableObjectStub, (_server, state) => {
    return Number(state.storage.sql.exec("SELECT count(*) AS n FROM node").one().n);
  });
}

async function sleepAll(): Promise<void> {
  for (const stub of objects()) await evictDurableObject(stub, { webSockets: "hibernate" });
}

/** Alarms that are due by `untilMs`, earliest first, each on an object that sleeps. */
async function passTime(untilMs: number): Promise<void> {
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

function report(what: string, minutes: number): void {
  const bill = meter.bill();
  const dollars = dollarsPerMonth(bill, minutes).toFixed(2);
  console.log(
    `${what}: ${bill.requests.toFixed(1)} object requests, ${bill.rows} rows written in ` +
      `${minutes} min; $${dollars} a month before what the plan includes (${meter.details()})`,
  );
}

test("30 idle minutes: at most 20 object requests, 20 rows besides a sweep every 25 s, no timers", async () => {
  await passTime(Date.now() + 30 * minuteMs);
  report("idle", 30);
  const { requests, rows } = meter.bill();
  const sweeps = (30 * minuteMs) / sweepMs;
  expect(requests).toBeLessThanOrEqual(20 + sweeps);
  expect(rows).toBeLessThanOrEqual(20 + sweeps);
});

test("one write a minute", async () => {
  const start = Date.now();
  for (let minute = 1; minute <= 30; minute++) {
    await passTime(start + minute * minuteMs);
    await sleepAll();
    await put(minute % 3, "key", String(minute));
    await scheduler.wait(20);
  }
  report("one write a minute", 30);
  // A lone write: the call, an append and its stand-down to each follower, and a hop when a follower was asked.
  expect(meter.bill().requests).toBeLessThan(30 * 8 + 20 + (30 * minuteMs) / sweepMs);
});

test("100 TTL renewals a minute", async () => {
  const start = Date.now();
  for (let minute = 1; minute <= 3; minute++) {
    await passTime(start + minute * minuteMs);
    for (let n = 0; n < 100; n++) await agentCall("updateCheck", "service:api", "passing", "");
  }
  report("100 TTL renewals a minute", 3);
  // The first one changes the status; the others write nothing into the log.
  expect(meter.bill().requests).toBeLessThan(3 * 100 + 60);
});

test("100 output-only check updates a minute", async () => {
  const start = Date.now();
  for (let minute = 1; minute <= 3; minute++) {
    await passTime(start + minute * minuteMs);
    for (let n = 0; n < 100; n++) {
      await agentCall("updateCheck", "service:api", "passing", `${minute}.${n}`);
    }
  }
  report("100 output-only updates a minute", 3);
  expect(meter.bill().requests).toBeLessThan(3 * 100 + 60);
});
