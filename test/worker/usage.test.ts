// What a deployment says it costs, asked at its URL.

import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";

import worker from "../../src/index.ts";
import type { Env } from "../../durable/platform/cloudflare/env.ts";
import { put } from "./datacenter.ts";

interface Cost {
  ObjectRequests: number;
  RowsWritten: number;
  DollarsGross: number;
  Objects: { Name: string; Kind: string; Started: string; Requests: number; RowsWritten: number }[];
}

const secret = "a secret of this test";

async function cost(): Promise<Cost> {
  const settings = { ...env, DEPLOY_SECRET: secret } as Env;
  const request = new Request("https://registry.example/v1/operator/cost", {
    headers: { "X-Proconsul-Secret": secret },
  });
  const response = await worker.fetch(request, settings);
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
