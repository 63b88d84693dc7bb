// `/v1/operator/autopilot`, usage and the transfer of leadership. Texts were recorded from Consul 1.8.7.

import { beforeEach, expect, test } from "vitest";
import { autopilotDefaults, type GroupHealth } from "../../../src/core/model/autopilot.ts";
import { AclClient } from "../../support/acl-client.ts";
import { ApiClient } from "../../support/api-client.ts";

const path = "/v1/operator/autopilot/configuration";
let client: ApiClient;

beforeEach(async () => {
  client = new ApiClient();
  await client.cluster.writeOwn({ type: "autopilot.initialize", config: autopilotDefaults });
});

async function answer(method: string, where: string, body?: string): Promise<string> {
  const { status, text } = await client.send(method, where, body === undefined ? {} : { body });
  return `${status} ${text}`;
}

test("the configuration is shown with its defaults, and no index of the answer", async () => {
  for (const query of ["", "?stale", "?index=1&wait=1h"]) {
    const { status, text, headers } = await client.get(path + query);
    expect([status, headers.get("X-Consul-Index")]).toEqual([200, null]);
    expect(text).toBe(
      '{"CleanupDeadServers":true,"LastContactThreshold":"200ms","MaxTrailingLogs":250,"MinQuorum":0,' +
        '"ServerStabilizationTime":"10s","RedundancyZoneTag":"","DisableUpgradeMigration":false,' +
        '"UpgradeVersionTag":"","CreateIndex":1,"ModifyIndex":1}',
    );
  }
});

test.each([
  ["", "", "400 Bad request: Error parsing autopilot config: EOF"],
  ["", "{", "400 Bad request: Error parsing autopilot config: unexpected EOF"],
  ["", '{"Foo":1}', '400 Bad request: Error parsing autopilot config: json: unknown field "Foo"'],
  [
    "",
    '{"CleanupDeadServers":"x"}',
    "400 Bad request: Error parsing autopilot config: json: cannot unmarshal string into Go struct " +
      "field AutopilotConfiguration.CleanupDeadServers of type bool",
  ],
  [
    "",
    '{"LastContactThreshold":"x"}',
    '400 Bad request: Error parsing autopilot config: time: invalid duration "x"',
  ],
  [
    "",
    '{"MaxTrailingLogs":-1}',
    "400 Bad request: Error parsing autopilot config: json: cannot unmarshal number -1 into Go struct " +
      "field AutopilotConfiguration.MaxTrailingLogs of type uint64",
  ],
  [
    "?cas=x",
    "{}",
    '400 Bad request: Error parsing cas value: strconv.ParseUint: parsing "x": invalid syntax',
  ],
  [
    "?cas=",
    "{}",
    '400 Bad request: Error parsing cas value: strconv.ParseUint: parsing "": invalid syntax',
  ],
  ["?cas=x", "{", "400 Bad request: Error parsing autopilot config: unexpected EOF"],
  ["?dc=zz", "{}", "500 No path to datacenter"],
  ["?cas=0", "{}", "200 false"],
  ["?cas=1", "{}", "200 true"],
  ["", '{"CreateIndex":3,"ModifyIndex":7} trailing', "200 true"],
])("PUT %s with %s", async (query, body, expected) => {
  expect(await answer("PUT", path + query, body)).toBe(expected);
});

test("what is written is what is read; what was left out is zero", async () => {
  await answer(
    "PUT",
    path,
    '{"LastContactThreshold":5,"serverstabilizationtime":"1h","MinQuorum":3}',
  );
  expect((await client.get(path)).json).toEqual({
    CleanupDeadServers: false,
    LastContactThreshold: "5ns",
    MaxTrailingLogs: 0,
    MinQuorum: 3,
    ServerStabilizationTime: "1h0m0s",
    RedundancyZoneTag: "",
    DisableUpgradeMigration: false,
    UpgradeVersionTag: "",
    CreateIndex: 1,
    ModifyIndex: 2,
  });
});

test("health is 200, and 429 when a server is unwell", async () => {
  const well = await client.get("/v1/operator/autopilot/health");
  expect(well.status).toBe(200);
  expect(well.json).toMatchObject({
    Healthy: true,
    FailureTolerance: 0,
    Servers: [{ LastContact: "0s", Leader: true, StableSince: "2026-01-02T03:04:05Z" }],
  });
  const { Servers } = await client.cluster.autopilotHealth({});
  const unwell: GroupHealth = {
    Healthy: false,
    FailureTolerance: 0,
    Servers: Servers.map((server) => ({ ...server, Healthy: false, LastContact: -1 })),
  };
  client.cluster.autopilotHealth = () => Promise.resolve(unwell);
  const ill = await client.get("/v1/operator/autopilot/health");
  expect([ill.status, ill.text]).toEqual([429, expect.stringContaining('"LastContact":"-1ns"')]);
  expect(ill.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
  expect(await answer("GET", "/v1/operator/autopilot/health?wait=zz")).toBe(
    "400 Invalid wait time",
  );
});

test("the state names servers by their ids", async () => {
  expect((await client.get("/v1/operator/autopilot/state")).json).toMatchObject({
    Healthy: true,
    Servers: { "server-0": { Status: "leader", NodeStatus: "alive" } },
    Leader: "server-0",
    Voters: ["server-0"],
  });
});

test("leadership is handed over by POST, and refused with a text", async () => {
  const where = "/v1/operator/raft/transfer-leader";
  expect(await answer("POST", where)).toBe("500 cannot find peer");
  const asked: string[] = [];
  client.cluster.transferLeadership = async (id) => void asked.push(id);
  expect(await answer("POST", `${where}?id=server-1`)).toBe('200 {"Success":true}');
  expect(asked).toEqual(["server-1"]);
  expect((await client.put(where)).status).toBe(405);
});

test("usage says how old it is", async () => {
  expect((await client.get("/v1/operator/usage?stale")).json).toMatchObject({
    Usage: { dc1: { Services: 0, Nodes: 0 } },
    ConsistencyLevel: "stale",
    KnownLeader: true,
  });
});

test("each asks for permission on operator", async () => {
  const restricted = await AclClient.start();
  const config = autopilotDefaults;
  await restricted.cluster.writeOwn({ type: "autopilot.initialize", config });
  const reader = await restricted.token('operator = "read"');
  const writer = await restricted.token('operator = "write"');
  const reads = [
    ["GET", path],
    ["GET", "/v1/operator/autopilot/health"],
    ["GET", "/v1/operator/usage"],
  ] as const;
  for (const [method, where] of reads) {
    expect((await restricted.as(null, method, where)).status).toBe(403);
    expect((await restricted.as(reader.secret, method, where)).status).toBe(200);
  }
  expect((await restricted.as(reader.secret, "PUT", path, "{}")).text).toBe("Permission denied");
  expect((await restricted.as(writer.secret, "PUT", path, "{}")).text).toBe("true");
  const transfer = "/v1/operator/raft/transfer-leader";
  expect((await restricted.as(reader.secret, "POST", transfer)).status).toBe(403);
  expect((await restricted.as(writer.secret, "POST", transfer)).text).toBe("cannot find peer");
});
