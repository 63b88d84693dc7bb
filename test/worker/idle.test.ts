// Real idleness, nothing simulated: the platform itself puts objects to sleep after ten seconds without work.

import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

import { type Hello } from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { get, gossip, link, put, server, status } from "./datacenter.ts";

const sleepAfterMs = 10_000;
const marginMs = 4_000;

afterEach(() => reset());

test("an idle datacenter sleeps with its sockets open, and wakes for a write without an election", async () => {
  await put(0, "a", "1");
  const before = await status(0);
  const hellos: Hello[][] = [[], [], []];
  const closes: number[] = [];
  for (const n of [0, 1, 2]) {
    const response = await server(n).fetch("http://server/link", {
      headers: { Upgrade: "websocket" },
    });
    const socket = response.webSocket as WebSocket;
    socket.addEventListener("message", ({ data }) => {
      const frame = decodeServerFrame(data as string);
      if ("hello" in frame) hellos[n]?.push(frame.hello);
    });
    socket.addEventListener("close", () => void closes.push(n));
    socket.accept();
  }
  const member = await gossip({ name: "host", id: crypto.randomUUID(), address: "10.0.0.1" });
  member.addEventListener("close", () => void closes.push(-1));
  await scheduler.wait(sleepAfterMs + marginMs);

  expect(await put(0, "a", "2")).toMatchObject({ value: true });
  expect(await get(1, "a")).toBe("2");
  expect(await get(2, "a")).toBe("2");
  await scheduler.wait(50);
  // Every construction draws an incarnation: whoever comes anew is told it, and nobody else is disturbed.
  for (const n of [0, 1, 2]) {
    const { incarnation } = await greetingOf(await link(n));
    expect(hellos[n], `server ${n}`).toHaveLength(1);
    expect(hellos[n]?.[0]?.incarnation, `server ${n}`).not.toBe(incarnation);
  }
  expect(closes).toEqual([]);
  const after = await status(0);
  expect(after.term).toBe(before.term);
  expect(after.leader).toBe(before.leader);
});

function greetingOf(socket: WebSocket): Promise<Hello> {
  return new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      const frame = decodeServerFrame(data as string);
      if ("hello" in frame) resolve(frame.hello);
    });
  });
}
