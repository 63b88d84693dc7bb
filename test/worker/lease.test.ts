// Leases inside workerd: a service lives as long as a socket that sleeps with its object, or as renewals come; what is
// lost, silent, or not renewed is gone after the grace that was asked for.

import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { answerLease } from "../../durable/edge/lease-door.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../../durable/platform/cloudflare/timers.ts";
import main from "../../src/index.ts";
import { administrator, edgeAgent, put } from "./datacenter.ts";

const path = "/v1/agent/service/lease/job";

beforeEach(async () => {
  await put(0, "warm", "up");
  const body = JSON.stringify({ Name: "job", Address: "192.0.2.7", Port: 7_000 });
  expect((await ask("PUT", "/v1/agent/service/register", { body })).status).toBe(200);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

async function ask(method: string, target: string, init: RequestInit = {}): Promise<Response> {
  const headers = { "x-consul-token": administrator, ...(init.headers as Record<string, string>) };
  const request = new Request(`https://registry.example${target}`, { ...init, method, headers });
  return await main.fetch(request, env);
}

async function hold(query = ""): Promise<WebSocket> {
  const response = await ask("GET", path + query, { headers: { upgrade: "websocket" } });
  expect(response.status).toBe(101);
  const socket = response.webSocket as WebSocket;
  socket.accept();
  return socket;
}

async function isRegistered(): Promise<boolean> {
  const services = await (await ask("GET", "/v1/catalog/services")).json<Record<string, unknown>>();
  return Object.hasOwn(services, "job");
}

/** Alarms that are due meanwhile, each on an object that sleeps; holders ping, or not. */
async function pass(ms: number, pings: boolean): Promise<void> {
  const untilMs = Date.now() + ms;
  for (;;) {
    const atMs = await runInDurableObject(edgeAgent(), (_agent, state) => state.storage.getAlarm());
    if (atMs === null || atMs > untilMs) break;
    vi.setSystemTime(Math.max(Date.now(), atMs));
    await evictDurableObject(edgeAgent(), { webSockets: "hibernate" });
    await runInDurableObject(edgeAgent(), (_agent, state) => {
      if (pings) state.getWebSocketAutoResponseTimestamp = () => new Date(Date.now());
    });
    await runDurableObjectAlarm(edgeAgent());
    await scheduler.wait(50);
  }
  vi.setSystemTime(untilMs);
}

describe("a socket", () => {
  test("holds its service while it pings; when it is closed, the service is gone after the grace", async () => {
    const socket = await hold("?grace=20s");
    await pass(600_000, true);
    expect(await isRegistered()).toBe(true);
    socket.close(1000, "done");
    await scheduler.wait(50);
    await pass(19_000, true);
    expect(await isRegistered()).toBe(true);
    await pass(2_000, true);
    expect(await isRegistered()).toBe(false);
  });

  test("that comes back in time has held it all the while; one of two is enough", async () => {
    const first = await hold();
    first.close(1000, "moved");
    await scheduler.wait(50);
    await pass(5_000, true);
    const second = await hold();
    const third = await hold();
    second.close(1000, "one is enough");
    await scheduler.wait(50);
    await pass(120_000, true);
    expect(await isRegistered()).toBe(true);
    third.close(1000, "done");
    await scheduler.wait(50);
    await pass(11_000, true);
    expect(await isRegistered()).toBe(false);
  });

  test("that is silent is lost", async () => {
    await hold();
    await pass(60_000, false);
    expect(await isRegistered()).toBe(true);
    await pass(80_000, false);
    expect(await isRegistered()).toBe(false);
  });

  test("is told when its service is deregistered", async () => {
    const socket = await hold();
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
    await ask("PUT", "/v1/agent/service/deregister/job");
    expect(await closed).toBe(4_004);
  });
});

test("renewals hold it, too, for as long as they say", async () => {
  for (let time = 0; time < 5; time++) {
    expect((await ask("PUT", `${path}?ttl=60s`)).status).toBe(200);
    await pass(50_000, false);
  }
  expect(await isRegistered()).toBe(true);
  await pass(60_000, false);
  expect(await isRegistered()).toBe(false);
  expect((await ask("PUT", path)).status).toBe(404);
});

test("a renewal counts from when it came, whether it was written or not", async () => {
  for (const waitMs of [10_000, 29_000, 1_000]) {
    expect((await ask("PUT", `${path}?ttl=60s`)).status).toBe(200);
    await pass(waitMs, false);
  }
  await pass(58_000, false);
  expect(await isRegistered()).toBe(true);
  await pass(20_000, false);
  expect(await isRegistered()).toBe(false);
});

test.each([
  ["PUT", "/v1/agent/service/lease/none", 404],
  ["PUT", "/v1/agent/service/lease/", 400],
  ["PUT", "/v1/agent/service/lease/%ff", 400],
  ["PUT", `${path}?ttl=1s`, 400],
  ["PUT", `${path}?ttl=soon`, 400],
  ["GET", path, 405],
  ["POST", path, 405],
])("%s %s: %i", async (method, target, status) => {
  expect((await ask(method, target)).status).toBe(status);
});

test("who may not write the service may not hold it", async () => {
  const access = {
    objects: new StubObjects(env),
    timers: platformTimers,
    nowMs: Date.now,
    random: Math.random,
  };
  const asked: string[] = [];
  const response = await answerLease(new Request(`https://a.example${path}`, { method: "PUT" }), {
    access: { ...access, settings: env },
    mayWrite: (service) => Promise.resolve(asked.push(service) === 0),
    forward: () => Promise.reject(new Error("nobody is asked")),
  });
  expect([response.status, await response.text(), asked]).toEqual([
    403,
    "Permission denied",
    ["job"],
  ]);
});
