// Deadlines that outlive memory: session TTLs and tombstones, on a simulated clock.

import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { tombstoneTtlMs } from "../../durable/leader/tombstone-collector.ts";
import type { LinkReply, ReadAnswer } from "../../src/link/protocol.ts";
import { ask, get, put, server, status, write } from "./datacenter.ts";

const ttlMs = 10_000;

beforeEach(async () => {
  await put(0, "warm", "up");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

async function leader(): Promise<number> {
  for (const n of [0, 1, 2]) if ((await status(n)).role === "leader") return n;
  throw new Error("nobody leads");
}

/** Lets the leader sleep until its alarm, then fires it. */
async function sleepUntilAlarm(n: number): Promise<number> {
  const atMs = await runInDurableObject(server(n), (_object, state) => state.storage.getAlarm());
  if (atMs === null) throw new Error("no alarm is armed");
  await evictDurableObject(server(n), { webSockets: "hibernate" });
  vi.setSystemTime(Math.max(Date.now(), atMs));
  await runDurableObjectAlarm(server(n));
  return atMs;
}

/** The node it is bound to is written by the new leader, which may take a moment. */
async function createSession(id: string): Promise<void> {
  await vi.waitFor(async () => expect(await tryCreate(id)).toMatchObject({ value: id }));
}

async function tryCreate(id: string): Promise<LinkReply> {
  const session = {
    ID: id,
    Name: "",
    Node: "edge",
    LockDelay: 0,
    Behavior: "release",
    TTL: `${ttlMs / 1_000}s`,
    NodeChecks: [],
    ServiceChecks: null,
    Checks: null,
  };
  return await write(0, { type: "session.create", session });
}

async function sessions(): Promise<unknown[]> {
  const reply = await ask(0, { id: 1, read: "session.list", args: {} });
  return JSON.parse((reply as ReadAnswer).body ?? "[]") as unknown[];
}

test("a session that is not renewed ends between one and two TTLs later, though its leader slept", async () => {
  const id = "11111111-2222-3333-4444-555555555555";
  await createSession(id);
  const createdMs = Date.now();
  const n = await leader();
  // Other alarms may come first.
  for (let alarms = 0; alarms < 10 && (await sessions()).length > 0; alarms++) {
    await sleepUntilAlarm(n);
  }
  expect(await sessions()).toEqual([]);
  expect(Date.now() - createdMs).toBeGreaterThanOrEqual(ttlMs);
  expect(Date.now() - createdMs).toBeLessThanOrEqual(2 * ttlMs + 1_000);
});

test("a renewed session outlives the deadline of its creation, though its leader slept", async () => {
  const id = "11111111-2222-3333-4444-666666666666";
  await createSession(id);
  const n = await leader();
  vi.setSystemTime(Date.now() + ttlMs * 1.5);
  expect(await ask(1, { id: 1, renew: id })).toHaveProperty("value");
  vi.setSystemTime(Date.now() + ttlMs);
  await evictDurableObject(server(n), { webSockets: "hibernate" });
  await runDurableObjectAlarm(server(n));
  expect(await sessions()).toHaveLength(1);
});

test("deletions are forgotten after 15 minutes, and the index of the prefix may go back", async () => {
  await put(0, "a/one", "1");
  await put(0, "a/two", "2");
  await write(0, { type: "kv.delete", key: "a/two" });
  const list = async (): Promise<number> => {
    const reply = await ask(0, { id: 1, read: "kv.list", args: { prefix: "a/" } });
    return (reply as ReadAnswer).index;
  };
  const before = await list();
  const n = await leader();
  const deletedMs = Date.now();
  // Watchdogs and the like may come first.
  for (let alarms = 0; alarms < 10 && (await list()) === before; alarms++) await sleepUntilAlarm(n);
  expect(Date.now() - deletedMs).toBeGreaterThanOrEqual(tombstoneTtlMs);
  expect(await list()).toBeLessThan(before);
  expect(await get(0, "a/one")).toBe("1");
});
