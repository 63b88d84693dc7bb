// `/v1/internal/ui` over a memory cluster, answer by answer as Consul 1.8.7 gave them.

import { expect, test } from "vitest";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { ApiClient } from "../../support/api-client.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { recorded, recordedCluster, replay } from "../../support/replay.ts";

/** The server that every answer was recorded from. */
const server = {
  Node: "refmesh",
  Address: "127.0.0.1",
  Service: { Service: "consul" },
  Check: { CheckID: "serfHealth", Name: "Serf Health Status", Status: "passing" },
};

test.each(recorded("internal-ui"))("%s", async (_title, steps) => {
  const client = await recordedCluster();
  await client.put("/v1/catalog/register", server);
  const answered = await replay(client, steps);
  for (const [at, step] of steps.entries()) expect(answered[at]).toEqual(step);
  expect(client.errors).toEqual([]);
});

test("answers carry the newest index of the catalog, and a missing node nothing", async () => {
  const client = new ApiClient();
  await client.put("/v1/catalog/register", server);
  await client.put("/v1/kv/a", "b");
  for (const path of ["nodes", "services", "node/refmesh"]) {
    const { headers } = await client.get(`/v1/internal/ui/${path}`);
    expect(headers.get("X-Consul-Index")).toBe("1");
    expect(headers.get("X-Consul-Effective-Consistency")).toBeNull();
  }
  const { status, headers } = await client.get("/v1/internal/ui/node/none");
  expect([status, headers.get("X-Consul-Index")]).toEqual([404, null]);
});

test("instances at ingress gateways are shown under every zone that the agent answers for", async () => {
  const client = new ApiClient({ domains: ["consul.", "alt."] });
  const Listeners = [{ Port: 80, Services: [{ Name: "web" }] }];
  await client.put("/v1/config", { Kind: "ingress-gateway", Name: "gw", Listeners });
  const { json } = await client.get("/v1/internal/ui/gateway-services-nodes/gw");
  expect(json).toMatchObject([
    { GatewayConfig: { Addresses: ["web.ingress.dc1.consul.:80", "web.ingress.dc1.alt.:80"] } },
  ]);
});

test("without a leader any server answers", async () => {
  const cluster = new MemoryCluster();
  const asked: (string | undefined)[] = [];
  const leaderless = Object.assign(Object.create(cluster) as MemoryCluster, {
    read: async (...[op, args, options]: Parameters<MemoryCluster["read"]>) => {
      asked.push(options.consistency);
      if (options.consistency === "stale") return await cluster.read(op, args, options);
      throw new ServiceError("no-leader", "No cluster leader");
    },
  });
  const client = new ApiClient({ cluster: leaderless });
  const { status, text } = await client.get("/v1/internal/ui/services");
  expect([status, text, asked]).toEqual([200, "[]", ["default", "stale"]]);
});
