// The riskiest joint: objects that sleep. Memory goes, authority stays.

import {
  abortAllDurableObjects,
  evictDurableObject,
  reset,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";

import { Server } from "../../src/index.ts";
import { decodeServerFrame, encodeRequests, type ServerFrame } from "../../src/link/protocol.ts";
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

test("a blocking query outlives the sleep of its server", async () => {
  await put(0, "a", "1");
  const response = await server(0).fetch("http://server/link", {
    headers: { Upgrade: "websocket" },
  });
  const socket = response.webSocket as WebSocket;
  socket.accept();
  const frames: ServerFrame[] = [];
  socket.addEventListener(
    "message",
    ({ data }) => void frames.push(decodeServerFrame(data as string)),
  );
  const replies = () => frames.flatMap((frame) => ("replies" in frame ? frame.replies : []));
  const hellos = () => frames.flatMap((frame) => ("hello" in frame ? [frame.hello] : []));
  const read = { id: 7, read: "kv.get", args: { key: "a" }, minIndex: 1_000 };
  socket.send(encodeRequests([read]));
  await until(async () => replies().some((reply) => "waiting" in reply));

  await sleepAll();
  await put(1, "b", "x");
  // The woken server has forgotten who waits, says so, and is asked again with the index the client holds.
  await until(async () => hellos().length === 2);
  expect(hellos()[1]?.incarnation).not.toBe(hellos()[0]?.incarnation);
  const [held] = replies() as { index: number }[];
  socket.send(encodeRequests([{ ...read, minIndex: held?.index ?? 0 }]));
  await until(async () => replies().length === 2);
  await put(1, "a", "2");
  await until(async () => replies().length === 3);
  expect(replies()[2]).not.toHaveProperty("waiting");
  socket.close();
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
