// What a datacenter costs on Cloudflare in which nothing happens: without agents, with a thousand of them, and with
// ten thousand that wait for changes. Time is simulated; every object sleeps between two alarms.

import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";

import { grossDollars, sum, type Usage } from "../../src/core/model/prices.ts";
import { idleAgents, idleDatacenter } from "../../src/core/model/workload.ts";
import { encodeRequests, type ReadAnswer, type ReadRequest } from "../../src/link/protocol.ts";
import { ask, gossip, link, put, server, until } from "./datacenter.ts";
import { minuteMs, passTime, sleepAll, stopClock } from "./idle-time.ts";
import { Meter, monthOf } from "./meter.ts";

const group = { servers: 3, pools: 1 };
const agents = 1_000;
const watchers = 10_000;
const watchersPerSocket = 50;
let meter: Meter;

beforeAll(async () => {
  await put(0, "warm", "up");
  stopClock();
  meter = await Meter.start();
  // What a new datacenter has to do is not idleness.
  await passTime(Date.now() + 20 * minuteMs);
});

/** Long enough that it is no chance how many of the alarms, one every 15 min or so at each server, fall into it. */
const idleMinutes = 240;

/** Dollars of a month like the minutes that now pass; what `npm run deploy` says of it is not less, nor far off. */
async function idle(what: string, minutes: number, estimated: Usage): Promise<number> {
  // What came before it left its traces: alarms that are armed anew, a leader that tells its followers.
  await passTime(Date.now() + minuteMs);
  meter.reset();
  await passTime(Date.now() + minutes * minuteMs);
  console.log(meter.report(what, minutes));
  const dollars = grossDollars(monthOf(meter.usage(), minutes));
  expect(dollars).toBeLessThanOrEqual(grossDollars(estimated));
  expect(dollars).toBeGreaterThan(grossDollars(estimated) / 4);
  return dollars;
}

/** A few at a time, so that a slow machine is not asked for a thousand sockets at once. */
async function each(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const some = Array.from({ length: Math.min(100, count - from) }, (_, n) => work(from + n));
    await Promise.all(some);
  }
}

test("without an agent: at most $0.05 a month", async () => {
  expect(await idle("an idle datacenter", idleMinutes, idleDatacenter(3))).toBeLessThanOrEqual(
    0.05,
  );
});

test("10,000 watchers that nothing happens to cost nothing", async () => {
  const missing = { read: "kv.get", args: { key: "watched" }, consistency: "stale" } as const;
  const { index: minIndex } = (await ask(0, { id: 1, ...missing })) as ReadAnswer;
  await each(watchers / watchersPerSocket, async (n) => {
    const socket = await link(n % 3);
    const reads = Array.from({ length: watchersPerSocket }, (_, id): ReadRequest => {
      return { ...missing, id, args: { key: `watched/${n}/${id}` }, minIndex };
    });
    socket.send(encodeRequests(reads));
  });
  await until(async () => (await waiting()) === watchers, 20_000);
  expect(await idle("10,000 idle watchers", idleMinutes, idleDatacenter(3))).toBeLessThanOrEqual(
    0.05,
  );
  // They wait all the same.
  await sleepAll();
  expect(await waiting()).toBe(watchers);
});

/** Reads that wait at all servers, as their sockets keep them. */
async function waiting(): Promise<number> {
  let count = 0;
  for (const n of [0, 1, 2]) {
    count += await runInDurableObject(server(n), (_server, state) => {
      const kept = state.getWebSockets().map((socket) => {
        return socket.deserializeAttachment() as { waiting?: unknown[] } | null;
      });
      return kept.reduce((sum, each) => sum + (each?.waiting?.length ?? 0), 0);
    });
  }
  return count;
}

test("1,000 agents: at most $2 a month, and no request for each of them", async () => {
  await each(agents, async (n) => {
    await gossip({ name: `host-${n}`, id: crypto.randomUUID(), address: "10.0.0.1" });
    await link(n % 3);
  });
  await until(async () => (await nodes()) >= agents, 20_000);
  const estimated = sum(idleDatacenter(3), idleAgents(agents, group));
  expect(grossDollars(estimated)).toBeLessThanOrEqual(2);
  expect(await idle("1,000 idle agents", 12, estimated)).toBeLessThanOrEqual(2);
  expect(meter.usage().objectRequests).toBeLessThan(agents / 10);
});

async function nodes(): Promise<number> {
  return await runInDurableObject(server(0), (_server, state) => {
    return Number(state.storage.sql.exec("SELECT count(*) AS n FROM node").one().n);
  });
}
