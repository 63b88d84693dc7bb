// What an HTTP check a minute costs on Cloudflare, run by a Checker that sleeps between two runs.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";

import { edgeCheck } from "../../durable/checker/edge-check.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { checkerObject } from "../../durable/platform/topology.ts";
import { emptyCheck } from "../../src/core/agent/definitions.ts";
import { grossDollars, sum, usage } from "../../src/core/model/prices.ts";
import { edgeCheck as edgeCheckMonth } from "../../src/core/model/workload.ts";
import { administrator, put, server, until } from "./datacenter.ts";
import { Meter, monthOf } from "./meter.ts";

const minuteMs = 60_000;
const minutes = 60;
const regions = 3;
/** A lookup now and then, a handshake, and a service that takes its time. */
const secondsPerRun = 0.25;
const dollarsMax = 0.3;
/** Requests and rows of servers that come up meanwhile. */
const others = 15;

const outside: Record<string, (parameters: URLSearchParams) => Response> = {
  "cloudflare-dns.com": (parameters) => {
    const isIpv4 = parameters.get("type") === "A";
    const Answer = isIpv4 ? [{ type: 1, TTL: 60, data: "93.184.216.34" }] : [];
    return Response.json({ Status: 0, Answer });
  },
  "web.example": () => new Response("ok"),
};

let asked: string[];
let meter: Meter;
const checker = new StubObjects(env).stub(checkerObject(env.DEFAULT_DC, 0, "weur"));

beforeAll(async () => {
  // What servers write when they are new is not the check's.
  await put(0, "warm", "up");
  await until(async () => (await administrators(2)) > 0);
  asked = [];
  // The test's own machinery asks by it, too.
  const { fetch } = globalThis;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = new URL(new Request(input).url);
    if (!Object.hasOwn(outside, url.hostname)) return await fetch(input, init);
    asked.push(url.href);
    return outside[url.hostname]?.(url.searchParams) ?? new Response(null, { status: 404 });
  });
  const definition = { ...emptyCheck, http: "https://web.example/health", intervalMs: minuteMs };
  const body = JSON.stringify({ checks: [edgeCheck("up", definition)] });
  const assigned = await checker.fetch("http://object/assign", { method: "POST", body });
  expect(await assigned.text()).toBe("true");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  meter = await Meter.start();
  await passTime(Date.now() + 2 * minuteMs);
  meter.reset();
  asked = [];
});

/** How many management tokens server `n` has: the last that a new datacenter gets. */
async function administrators(n: number): Promise<number> {
  return await runInDurableObject(server(n), (_server, state) => {
    const query = "SELECT count(*) AS n FROM acl_token WHERE secret = ?";
    return Number(state.storage.sql.exec(query, administrator).one().n);
  });
}

async function passTime(untilMs: number): Promise<void> {
  for (;;) {
    const atMs = await runInDurableObject(checker, (_object, state) => state.storage.getAlarm());
    if (atMs === null || atMs > untilMs) break;
    vi.setSystemTime(Math.max(Date.now(), atMs));
    await evictDurableObject(checker);
    await runDurableObjectAlarm(checker);
  }
  vi.setSystemTime(untilMs);
}

test("an HTTP check a minute is an alarm and a row each; from three regions at most $0.30 a month", async () => {
  await passTime(Date.now() + minutes * minuteMs);
  const runs = asked.filter((url) => url === "https://web.example/health").length;
  expect(runs).toBe(minutes);
  const used = meter.usage();
  const { objectRequests: requests, rowsWritten: rows } = used;
  expect(Math.max(requests, rows)).toBeLessThanOrEqual(minutes + others);
  const waiting = usage({ objectSeconds: minutes * secondsPerRun });
  const perRegion = grossDollars(monthOf(sum(used, waiting), minutes));
  const all = perRegion * regions;
  console.log(
    `an HTTP check a minute: ${requests} object requests, ${rows} rows in ${minutes} min; ` +
      `$${perRegion.toFixed(3)} a month for each region, $${all.toFixed(2)} for ${regions}`,
  );
  expect(all).toBeLessThanOrEqual(dollarsMax);
  const estimated = grossDollars(edgeCheckMonth(regions));
  expect(estimated).toBeLessThanOrEqual(dollarsMax);
  expect(all).toBeLessThanOrEqual(1.1 * estimated);
});
