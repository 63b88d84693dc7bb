// Answers and requests that are too much for an object's 128 MB are refused with words, before they end it.

import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

import { limits } from "../../src/core/model/limits.ts";
import main from "../../src/index.ts";
import { administrator, get, gossip, link, put, status, until } from "./datacenter.ts";

const headers = { "x-consul-token": administrator };

afterEach(() => reset());

async function fetch(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(`https://registry.example${path}`, { ...init, headers });
  return await main.fetch(request, env);
}

test("a list of 30 MB is an error that says so, and its server lives on", async () => {
  const value = "x".repeat(500_000);
  const count = 60;
  for (let n = 0; n < count; n++) {
    const response = await fetch(`/v1/kv/big/${n}`, { method: "PUT", body: value });
    expect(await response.text()).toBe("true");
  }
  const { term } = await status(0);
  const refused = await fetch("/v1/kv/big?recurse");
  expect(refused.status).toBe(413);
  expect(await refused.text()).toMatch(/^The answer is too large \(\d+ > 8388608 bytes\)/);
  const waits = await fetch("/v1/kv/big?recurse&index=1&wait=5s");
  expect(waits.status).toBe(413);
  const part = await fetch("/v1/kv/big/1?recurse");
  expect(await part.json()).toHaveLength(11);
  expect(await (await fetch("/v1/kv/big?keys")).json()).toHaveLength(count);
  expect((await status(0)).term).toBe(term);
});

test("a message of more than 32 MiB ends its socket, and nothing else", async () => {
  await put(0, "a", "1");
  const { term } = await status(0);
  const [loud, quiet] = [await link(0), await link(0)];
  const codes: number[] = [];
  loud.addEventListener("close", ({ code }) => void codes.push(code));
  quiet.addEventListener("close", ({ code }) => void codes.push(-code));
  loud.send(`["${"x".repeat(limits.messageBytesMax)}"]`);
  await until(async () => codes.length > 0);
  expect(codes).toHaveLength(1);
  expect(codes[0]).toBeGreaterThan(0);
  expect(await get(0, "a")).toBe("1");
  expect((await status(0)).term).toBe(term);
});

test("a frame of bytes, and one that is no JSON, end their sockets with words", async () => {
  await put(0, "a", "1");
  for (const frame of [new Uint8Array([1, 2, 3]), "{", '[{"id":1,"write":7}]']) {
    const socket = await link(0);
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.addEventListener("close", resolve);
    });
    socket.send(frame);
    expect((await closed).reason).toBe("malformed frame");
  }
  expect(await get(0, "a")).toBe("1");
});

test("a member whose name is too long for a socket's tag is refused before it is one", async () => {
  await put(0, "a", "1");
  const name = "n".repeat(limits.socketTagBytesMax);
  const member = { name, id: crypto.randomUUID(), address: "10.0.0.1" };
  expect((await gossip(member)).readyState).toBe(WebSocket.OPEN);
  await expect(gossip({ ...member, name: `${name}n` })).rejects.toThrow("status 400");
  const letters = "ж".repeat(limits.socketTagBytesMax / 2);
  expect((await gossip({ ...member, name: letters })).readyState).toBe(WebSocket.OPEN);
  await expect(gossip({ ...member, name: `${letters}ж` })).rejects.toThrow("status 400");
});

test("a socket keeps 16 kB while its object sleeps, however long what a member says of itself", async () => {
  await put(0, "a", "1");
  const member = { name: "host", id: crypto.randomUUID(), address: "ж".repeat(3_900) };
  expect((await gossip(member)).readyState).toBe(WebSocket.OPEN);
  const longer = { ...member, address: "ж".repeat(4_096) };
  await expect(gossip(longer)).rejects.toThrow("status 400");
});

test("2,000 writes at once to one server: each is done, or refused with 429 and a text", async () => {
  await put(0, "a", "1");
  const startMs = Date.now();
  const outcomes = await Promise.all(
    Array.from({ length: 2_000 }, async (_, n) => {
      const response = await fetch(`/v1/kv/load/${n}`, { method: "PUT", body: "x" });
      return `${response.status} ${await response.text()}`;
    }),
  );
  const done = outcomes.filter((outcome) => outcome === "200 true").length;
  const refused = outcomes.filter((outcome) => outcome.startsWith("429 Too many requests")).length;
  const seconds = (Date.now() - startMs) / 1_000;
  console.log(
    `2,000 writes at once: ${done} done, ${refused} refused in ${seconds.toFixed(1)} s, ` +
      `${Math.round(done / seconds)} a second`,
  );
  expect(done + refused).toBe(2_000);
  expect(await (await fetch("/v1/kv/load?keys")).json()).toHaveLength(done);
});
