import { expect, test } from "vitest";

import { costArea } from "../../../src/api/cost.ts";
import type { ObjectWork } from "../../../src/ports/cost.ts";
import { AclClient, administrator } from "../../support/acl-client.ts";
import { ApiClient } from "../../support/api-client.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const nowMs = Date.UTC(2026, 10, 26);
const million = 1e6;

const server: ObjectWork = {
  ...{ name: "dc1/server/0", kind: "server", startedMs: nowMs },
  ...{ requests: 2 * million, workerRequests: million, messages: 20 * million },
  ...{ busyMs: 40_000_000, rowsWritten: 60 * million },
};

const asked: string[] = [];

function client(): ApiClient {
  const cluster = new MemoryCluster();
  const cost = {
    objects: (month: string) => {
      asked.push(month);
      return Promise.resolve(month === "2026-11" ? [server] : []);
    },
  };
  return new ApiClient({ cluster, areas: [costArea({ cluster, cost, nowMs: () => nowMs })] });
}

test("what was counted, and what it costs by Cloudflare's prices", async () => {
  const { status, json } = await client().get("/v1/operator/cost");
  expect(status).toBe(200);
  expect(json).toEqual({
    Month: "2026-11",
    // 1 M requests of the Worker at 0.30 and 0.02 for their ms each, 3 M of objects at 0.15 a million, 40,000 s at
    // 0.128 GB and 12.50 a million, 60 M rows at 1.00 a million.
    DollarsGross: 0.3 + 0.02 + 0.45 + 0.064 + 60,
    // The plan's 5; 2 M requests and 10 M rows are beyond what it includes.
    DollarsBilled: 5 + 0.3 + 10,
    WorkerRequests: million,
    ObjectRequests: 3 * million,
    ObjectSeconds: 40_000,
    RowsWritten: 60 * million,
    Objects: [
      {
        ...{ Name: "dc1/server/0", Kind: "server", Started: "2026-11-26T00:00:00.000Z" },
        ...{ Requests: 2 * million, Messages: 20 * million, BusySeconds: 40_000 },
        ...{ RowsWritten: 60 * million, DollarsGross: 60.834 },
      },
    ],
  });
});

test("another month is asked for by name, and anything else is refused", async () => {
  expect((await client().get("/v1/operator/cost?month=2026-10")).json).toMatchObject({
    ...{ Month: "2026-10", DollarsGross: 0, DollarsBilled: 5, Objects: [] },
  });
  expect(asked.at(-1)).toBe("2026-10");
  const refused = await client().get("/v1/operator/cost?month=2026-13");
  expect(refused).toMatchObject({
    status: 400,
    text: 'Bad request: month must be as 2026-11, not "2026-13"',
  });
});

test("without operator:read nobody is told", async () => {
  const acl = await AclClient.start();
  const objects = (): Promise<ObjectWork[]> => Promise.resolve([server]);
  const { cluster } = acl;
  const api = new ApiClient({
    cluster,
    areas: [costArea({ cluster, cost: { objects }, nowMs: () => nowMs })],
  });
  expect((await api.get("/v1/operator/cost")).status).toBe(403);
  const headers = { "X-Consul-Token": administrator };
  expect((await api.send("GET", "/v1/operator/cost", { headers })).status).toBe(200);
});
