// `/v1/catalog/gateway-services` and `/v1/health/ingress` over a memory cluster, answer by answer as Consul 1.8.7 gave
// them. One thing is left out: a renamed instance leaves its old name with the gateways for ever there, and not here.

import { expect, test } from "vitest";
import { recorded, recordedCluster, replay } from "../../support/replay.ts";

test.each(recorded("gateways"))("%s", async (_title, steps) => {
  const client = await recordedCluster();
  const Service = { Service: "consul" };
  await client.put("/v1/catalog/register", { Node: "server", Address: "127.0.0.1", Service });
  const answered = await replay(client, steps);
  for (const [at, step] of steps.entries()) expect(answered[at]).toEqual(step);
  expect(client.errors).toEqual([]);
});
