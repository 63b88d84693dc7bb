// The API over a memory cluster on a loopback port, for the conformance kit and for curl:
//   node test/support/api-server.ts 28600

import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { serve } from "@hono/node-server";
import { createApi } from "../../src/api/index.ts";
import type { Area } from "../../src/api/endpoint.ts";
import { json } from "../../src/api/reply.ts";
import { registrationSchema } from "../../src/core/model/schemas.ts";
import { decodeBody } from "../../src/core/model/decode.ts";
import type { Registration } from "../../src/core/model/types.ts";
import { MemoryCluster } from "./memory-cluster.ts";

const port = Number(process.argv[2] ?? 28_600);
const nodeName = "memory-node";

/** The node that sessions are bound to, as a leader would have registered it. */
const self = {
  Node: nodeName,
  ID: randomUUID(),
  Address: "127.0.0.1",
  TaggedAddresses: { lan: "127.0.0.1", wan: "127.0.0.1" },
  NodeMeta: { "consul-network-segment": "" },
  Service: { ID: "consul", Service: "consul", Port: 8300 },
  Check: { CheckID: "serfHealth", Name: "Serf Health Status", Status: "passing" },
};

const cluster = new MemoryCluster({ address: "127.0.0.1:8300" });
const registration = decodeBody(registrationSchema, JSON.stringify(self), "refuse") as Registration;
await cluster.write({ type: "catalog.register", registration }, {});

/** As much of `/v1/agent/self` as the kit needs to find out where it is. */
const agentArea: Area = {
  "/v1/agent/self": {
    GET: () => {
      const config = { Datacenter: "dc1", NodeName: nodeName, NodeID: self.ID, Version: "1.8.7" };
      return json(JSON.stringify({ Config: config, Member: { Addr: "127.0.0.1", Tags: {} } }));
    },
  },
};

const app = createApi({
  cluster,
  nodeName,
  areas: [agentArea],
  pretty: true,
  uiPath: "/ui/",
  random: Math.random,
  uuid: randomUUID,
  gzip: (body) => gzipSync(body),
  onError: (error) => console.error(error),
});
serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, () => {
  console.log(`listening on http://127.0.0.1:${port}`);
});
