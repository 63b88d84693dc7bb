// `/v1/operator/raft` over a cluster of one, whose server may not go; texts are Consul 1.8.7's.

import { expect, test } from "vitest";
import type { ServerChoice } from "../../../src/ports/cluster.ts";
import { ApiClient } from "../../support/api-client.ts";

test("the servers of the group, in Consul's form, whoever is asked", async () => {
  const client = new ApiClient();
  for (const query of ["", "?stale", "?consistent", "?dc=dc1"]) {
    const { status, json, headers } = await client.get(`/v1/operator/raft/configuration${query}`);
    expect([status, headers.get("X-Consul-Index")]).toEqual([200, null]);
    expect(json).toEqual({
      Servers: [
        {
          ID: "server-0",
          Node: "memory",
          Address: "127.0.0.1:8300",
          Leader: true,
          ProtocolVersion: "3",
          Voter: true,
        },
      ],
      Index: 0,
    });
  }
  const elsewhere = await client.get("/v1/operator/raft/configuration?dc=zz");
  expect([elsewhere.status, elsewhere.text]).toEqual([500, "No path to datacenter"]);
  expect((await client.put("/v1/operator/raft/configuration", "{}")).status).toBe(405);
});

test("a removal names one server, by id or by address", async () => {
  const client = new ApiClient();
  const none = await client.delete("/v1/operator/raft/peer");
  expect([none.status, none.text]).toEqual([
    400,
    "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
  ]);
  const both = await client.delete("/v1/operator/raft/peer?id=a&address=b");
  expect([both.status, both.text]).toEqual([
    400,
    "Bad request: Must specify only one of ?id or ?address",
  ]);
  const chosen: ServerChoice[] = [];
  client.cluster.removeServer = (choice) => {
    chosen.push(choice);
    return Promise.resolve();
  };
  for (const query of ["id=a", "address=10.0.0.1%3A8300"]) {
    const { status, text } = await client.delete(`/v1/operator/raft/peer?${query}`);
    expect([status, text]).toEqual([200, ""]);
  }
  expect(chosen).toEqual([{ id: "a" }, { address: "10.0.0.1:8300" }]);
});

test("what the group refuses is 500 with its text", async () => {
  const { status, text } = await new ApiClient().delete("/v1/operator/raft/peer?id=server-0");
  expect([status, text]).toEqual([500, "the only server may not go"]);
});
