// A server that answers nobody: whoever asks at the Worker's URL hears another one, soon.

import { env } from "cloudflare:workers";
import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";

import { StubCluster } from "../../durable/edge/cluster-stub.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../../durable/platform/cloudflare/timers.ts";
import { Server } from "../../src/index.ts";
import { put, server, status, until } from "./datacenter.ts";

const soonMs = 4_000;

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/** A cluster port of a new isolate, at home at `n`. */
function clusterAt(n: number): StubCluster {
  const objects = new StubObjects(env);
  const timers = platformTimers;
  const access = { objects, timers, nowMs: Date.now, random: Math.random, settings: env };
  return new StubCluster(access, n);
}

async function stall(n: number): Promise<void> {
  const stalled = new Set<Server>();
  const { fetch } = Server.prototype;
  vi.spyOn(Server.prototype, "fetch").mockImplementation(function (this: Server, request) {
    return stalled.has(this) ? new Promise(() => undefined) : fetch.call(this, request);
  });
  await runInDurableObject(server(n), (instance) => void stalled.add(instance as Server));
}

test("reads leave a home server that hangs, blocking ones too", async () => {
  await put(0, "k", "v");
  await until(async () => (await status(2)).appliedIndex > 1 && (await status(1)).appliedIndex > 1);
  const home = (await status(1)).role === "leader" ? 2 : 1;
  await stall(home);
  const ask = async (options: object): Promise<number> => {
    const startMs = Date.now();
    const reply = await clusterAt(home).read("kv.get", { key: "k" }, options);
    expect(reply.body).toContain('"Key":"k"');
    return Date.now() - startMs;
  };
  expect(await ask({ consistency: "stale" })).toBeLessThan(soonMs);
  expect(await ask({ consistency: "stale", minIndex: 1, waitMs: 30_000 })).toBeLessThan(soonMs);
});
