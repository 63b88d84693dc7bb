import { expect, test } from "vitest";

import { deploymentArea } from "../../../src/api/deployment.ts";
import type { DeploymentObjects, ObjectWork } from "../../../src/ports/deployment-objects.ts";
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
const ended: string[] = [];

const objects: DeploymentObjects = {
  work: (month) => {
    asked.push(month);
    return Promise.resolve(month === "2026-11" ? [server] : []);
  },
  reset: (name) => {
    ended.push(name);
    return Promise.resolve();
  },
};

function client(): ApiClient {
  const cluster = new MemoryCluster();
  return new ApiClient({
    cluster,
    areas: [deploymentArea({ cluster, objects, nowMs: () => nowMs })],
  });
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

test("an object is begun anew by its name", async () => {
  expect((await client().send("PUT", "/v1/operator/reset/dc1/server/0")).status).toBe(200);
  expect(ended).toEqual(["dc1/server/0"]);
  const nameless = await client().send("PUT", "/v1/operator/reset/");
  expect(nameless).toMatchObject({
    status: 400,
    text: "Bad request: Missing the name of an object",
  });
  expect(ended).toHaveLength(1);
});

test("without operator:read nobody is told, without operator:write nothing is begun anew", async () => {
  const acl = await AclClient.start();
  const { cluster } = acl;
  const api = new ApiClient({
    cluster,
    areas: [deploymentArea({ cluster, objects, nowMs: Date.now })],
  });
  await acl.administer("PUT", "/v1/acl/policy", { Name: "reads", Rules: 'operator = "read"' });
  const reader = await acl.administer<{ SecretID: string }>("PUT", "/v1/acl/token", {
    Policies: [{ Name: "reads" }],
  });
  const ask = async (method: string, path: string, token: string): Promise<number> =>
    (await api.send(method, path, { headers: { "X-Consul-Token": token } })).status;
  ended.length = 0;
  expect(await ask("GET", "/v1/operator/cost", "anonymous")).toBe(403);
  expect(await ask("GET", "/v1/operator/cost", reader.SecretID)).toBe(200);
  expect(await ask("PUT", "/v1/operator/reset/dc1/server/0", reader.SecretID)).toBe(403);
  expect(ended).toEqual([]);
  expect(await ask("PUT", "/v1/operator/reset/dc1/server/0", administrator)).toBe(200);
  expect(ended).toEqual(["dc1/server/0"]);
});
