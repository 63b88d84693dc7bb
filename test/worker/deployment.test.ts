// A deployment's objects as its operator sees them, asked at its URL.

import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";

import worker from "../../src/index.ts";
import { administrator, put } from "./datacenter.ts";

interface Cost {
  ObjectRequests: number;
  RowsWritten: number;
  DollarsGross: number;
  Objects: { Name: string; Kind: string; Started: string; Requests: number; RowsWritten: number }[];
}

async function ask(method: string, path: string): Promise<Response> {
  const headers = { "X-Consul-Token": administrator };
  return await worker.fetch(
    new Request(`https://registry.example${path}`, { method, headers }),
    env,
  );
}

async function cost(): Promise<Cost> {
  const response = await ask("GET", "/v1/operator/cost");
  expect(response.status).toBe(200);
  return await response.json();
}

beforeAll(async () => {
  // Every event is one of those that are kept.
  vi.spyOn(Math, "random").mockReturnValue(0);
  await put(0, "warm", "up");
});

test("every object is there, with what it did", async () => {
  const before = await cost();
  expect(before.Objects.map(({ Name, Kind }) => [Name, Kind])).toEqual([
    ["dc1/agent/0", "edgeAgent"],
    ["dc1/checker/0/any", "checker"],
    ["dc1/lan/0", "lanPool"],
    ["dc1/server/0", "server"],
    ["dc1/server/1", "server"],
    ["dc1/server/2", "server"],
  ]);
  for (let n = 0; n < 10; n++) await put(0, "key", String(n));
  const after = await cost();
  for (const [at, { Name, Requests, RowsWritten }] of after.Objects.entries()) {
    if (!Name.includes("server")) continue;
    const { Requests: requests = 0, RowsWritten: rows = 0 } = before.Objects[at] ?? {};
    expect(Requests - requests, Name).toBeGreaterThanOrEqual(10 * 256);
    expect(RowsWritten - rows, Name).toBeGreaterThanOrEqual(10 * 16);
  }
  expect(after.DollarsGross).toBeGreaterThan(before.DollarsGross);
});

test("an object that was reset is another instance, with what it kept", async () => {
  const started = async (): Promise<string | undefined> =>
    (await cost()).Objects.find(({ Name }) => Name === "dc1/server/0")?.Started;
  await put(0, "kept", "yes");
  const before = await started();
  expect((await ask("PUT", "/v1/operator/reset/dc1/server/0")).status).toBe(200);
  expect(await started()).not.toBe(before);
  expect(await (await ask("GET", "/v1/kv/kept?raw")).text()).toBe("yes");
  expect((await ask("PUT", "/v1/operator/reset/dc1/server/9")).status).toBe(404);
});
