// The riskiest joint: objects that sleep. Memory goes, authority stays.

import {
  abortAllDurableObjects,
  evictDurableObject,
  reset,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";

import { Server } from "../../src/index.ts";
import { get, put, server, status, until } from "./datacenter.ts";

afterEach(() => reset());

const original = Server.prototype.fetch;

async function sleepAll(): Promise<void> {
  for (const n of [0, 1, 2]) await evictDurableObject(server(n), { webSockets: "hibernate" });
}

test("a key goes through three peers, and every one of them has it", async () => {
  // The first request of a new datacenter meets a server that must not write the first configuration.
  expect(await put(1, "a", "1")).toMatchObject({ value: true });
  for (const n of [0, 1, 2]) expect(await get(n, "a")).toBe("1");
  await until(async () => (await get(1, "a", "stale")) === "1");
  await until(async () => (await get(2, "a", "stale")) === "1");
});

test("a follower takes a write", async () => {
  await put(0, "a", "1");
  const { leader } = await status(0);
  expect(leader).not.toBeNull();
  for (const n of [0, 1, 2]) {
    expect(await put(n, `by-${n}`, "x")).toMatchObject({ value: true });
    expect(await get(n, `by-${n}`)).toBe("x");
  }
});

test("a datacenter that slept takes the next write without an election", async () => {
  await put(0, "a", "1");
  const before = await status(0);
  await sleepAll();
  expect(await put(1, "a", "2")).toMatchObject({ value: true });
  const after = await status(0);
  expect(after.term).toBe(before.term);
  expect(after.leader).toBe(before.leader);
  expect(await get(2, "a")).toBe("2");
  expect(await get(0, "a", "consistent")).toBe("2");
});

test("nothing acknowledged is lost when all objects are aborted in mid-write", async () => {
  await put(0, "warm", "up");
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < 5; round++) {
    const writes = Array.from({ length: 20 }, async (_, at) => {
      const key = `k${at}`;
      const value = `${round}.${at}`;
      try {
        const reply = await put(at % 3, key, value);
        if ("value" in reply && reply.value === true) acknowledged.set(key, value);
        else acknowledged.delete(key);
      } catch {
        // Unknown outcome: either value may be there afterwards.
        acknowledged.delete(key);
      }
    });
    await scheduler.wait(round * 2);
    await abortAllDurableObjects();
    await Promise.all(writes);
    for (const [key, value] of acknowledged) expect(await get(round % 3, key), key).toBe(value);
  }
  expect(acknowledged.size).toBeGreaterThan(0);
});

test("a group whose leader is gone elects another when it is used", async () => {
  await put(0, "a", "1");
  const { term } = await status(0);
  const gone = vi.spyOn(Server.prototype, "fetch").mockImplementation(function (
    this: Server,
    request,
  ) {
    // Server 0 leads, and answers nobody any more.
    return unreachable.has(this) ? new Promise(() => undefined) : original.call(this, request);
  });
  const unreachable = new Set<Server>();
  await runInDurableObject(server(0), (instance) => void unreachable.add(instance as Server));
  expect(await put(1, "a", "2")).toMatchObject({ error: { code: "unknown-outcome" } });
  await until(async () => "value" in (await put(1, "b", "3")), 20_000);
  expect((await status(1)).term).toBeGreaterThan(term);
  expect(await get(2, "b", "consistent")).toBe("3");
  gone.mockRestore();
});
