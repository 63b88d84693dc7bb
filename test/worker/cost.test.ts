// What an idle and a busy datacenter cost on Cloudflare. Time is simulated: the clock jumps from alarm to alarm, and
// every object sleeps in between, as it would.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, test } from "vitest";

import { grossDollars, sum, times } from "../../src/core/model/prices.ts";
import { idleAgents, idleDatacenter, loneWrite } from "../../src/core/model/workload.ts";
import { agentCall, gossip, link, put, until } from "./datacenter.ts";
import { minuteMs, passTime, sleepAll, stopClock } from "./idle-time.ts";
import { Meter, monthOf, objects } from "./meter.ts";

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
  stopClock();
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

function report(what: string, minutes: number): void {
  console.log(meter.report(what, minutes));
}

test("30 idle minutes: at most 20 object requests, 20 rows besides a sweep every 25 s, no timers", async () => {
  await passTime(Date.now() + 30 * minuteMs);
  report("idle", 30);
  const { objectRequests: requests, rowsWritten: rows } = meter.usage();
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
  const estimated = sum(
    idleDatacenter(3),
    idleAgents(agents, { servers: 3, pools: 1 }),
    times(loneWrite(3), 30 * 24 * 60),
  );
  const dollars = grossDollars(monthOf(meter.usage(), 30));
  expect(dollars).toBeLessThanOrEqual(grossDollars(estimated));
  expect(dollars).toBeGreaterThan(grossDollars(estimated) / 4);
  // A lone write: the call, an append and its stand-down to each follower, and a hop when a follower was asked.
  expect(meter.usage().objectRequests).toBeLessThan(30 * 8 + 20 + (30 * minuteMs) / sweepMs);
});

test("100 TTL renewals a minute", async () => {
  const start = Date.now();
  for (let minute = 1; minute <= 3; minute++) {
    await passTime(start + minute * minuteMs);
    for (let n = 0; n < 100; n++) await agentCall("updateCheck", "service:api", "passing", "");
  }
  report("100 TTL renewals a minute", 3);
  // The first one changes the status; the others write nothing into the log.
  expect(meter.usage().objectRequests).toBeLessThan(3 * 100 + 60);
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
  expect(meter.usage().objectRequests).toBeLessThan(3 * 100 + 60);
});
