// `/v1/config` and `/v1/discovery-chain` over a memory cluster, answer by answer as Consul 1.8.7 gave them.

import { expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";
import { recorded, recordedCluster, replay } from "../../support/replay.ts";

test.each([...recorded("config"), ...recorded("discovery-chain")])("%s", async (_title, steps) => {
  const client = await recordedCluster();
  const answered = await replay(client, steps);
  for (const [at, step] of steps.entries()) expect(answered[at]).toEqual(step);
  expect(client.errors).toEqual([]);
});

const put = async (client: ApiClient, entry: object, cas = "") =>
  (await client.put(`/v1/config${cas}`, entry)).text;

test("answers carry the index of the table, and say nothing of consistency", async () => {
  const client = new ApiClient();
  await put(client, { Kind: "service-defaults", Name: "a" });
  await put(client, { Kind: "service-defaults", Name: "b" });
  for (const path of ["service-defaults/a", "service-defaults/none", "service-resolver", ""]) {
    const { headers } = await client.get(`/v1/config/${path}`);
    expect(headers.get("X-Consul-Index")).toBe("2");
    expect(headers.get("X-Consul-Knownleader")).toBe("true");
    expect(headers.get("X-Consul-Effective-Consistency")).toBeNull();
  }
  const refused = await client.get("/v1/config/nokind");
  expect([refused.status, refused.headers.get("X-Consul-Index")]).toEqual([500, null]);
});

test("cas compares the ModifyIndex, and 0 means that there is none", async () => {
  const client = new ApiClient();
  const entry = { Kind: "service-defaults", Name: "a", Protocol: "http" };
  expect(await put(client, entry, "?cas=1")).toBe("false");
  expect(await put(client, entry, "?cas=0")).toBe("true");
  expect(await put(client, entry, "?cas=0")).toBe("false");
  const { json } = await client.get("/v1/config/service-defaults/A");
  const { ModifyIndex } = json as { ModifyIndex: number };
  expect(await put(client, { ...entry, Name: "A" }, `?cas=${ModifyIndex}`)).toBe("true");
  expect(await put(client, entry, `?cas=${ModifyIndex}`)).toBe("false");
  expect(await put(client, { Kind: "service-splitter", Name: "a" }, "?cas=7")).toBe(
    "no splits configured",
  );
});

test("an entry that is larger than what one may be is refused before it is read", async () => {
  const client = new ApiClient();
  const Name = "x".repeat(600_000);
  const { status, text } = await client.put("/v1/config", { Kind: "service-defaults", Name });
  expect([status, text.includes("too large, max size: 524288 bytes")]).toEqual([413, true]);
});

const hostile: string[] = [
  '{"Kind":"proxy-defaults","Config":{"a":null,"b":[null]}}',
  '{"Kind":"service-defaults","Name":"a","Expose":[null],"MeshGateway":[null],"Protocol":[null]}',
  '{"Kind":"proxy-defaults","Config":{"__proto__":{"x":1},"constructor":[1]}}',
  `{"Kind":"proxy-defaults","Config":{"a":${"[".repeat(900)}1${"]".repeat(900)}}}`,
  '{"Kind":"service-resolver","Name":"a","Subsets":{"__proto__":{}}}',
  '{"Kind":"service-resolver","Name":"a","Failover":{"constructor":{"Service":"b"}}}',
  '{"Kind":"service-splitter","Name":"a","Splits":[{"Weight":1e308},{"Weight":"inf"}]}',
  '{"Kind":"__proto__","Name":"a"}',
  '{"Kind":"ingress-gateway","Name":"a","Listeners":[null,{"Services":[null]}]}',
];

test.each(hostile)("%s is taken or refused, and nothing breaks", async (body) => {
  const client = new ApiClient();
  const { status } = await client.put("/v1/config", body);
  expect([200, 400, 500]).toContain(status);
  expect((await client.get("/v1/config/")).status).toBe(200);
  expect(client.errors).toEqual([]);
});

test("null is kept where Consul 1.8.7 would have stopped for good", async () => {
  const client = new ApiClient();
  await put(client, { Kind: "proxy-defaults", Config: { a: null, b: { c: null } } });
  const { json } = await client.get("/v1/config/proxy-defaults/global");
  expect(json).toMatchObject({ Config: { a: null, b: { c: null } } });
});

test("without an identity of the cluster there are no chains", async () => {
  const client = new ApiClient();
  const { status, text, headers } = await client.get("/v1/discovery-chain/web");
  expect([status, text]).toEqual([500, "no cluster ca config setup"]);
  expect(headers.get("X-Consul-Index")).toBe("1");
});

test("a chain says how it was read", async () => {
  const client = await recordedCluster();
  const { headers } = await client.get("/v1/discovery-chain/web");
  expect(headers.get("X-Consul-Effective-Consistency")).toBe("leader");
  expect(headers.get("X-Consul-Index")).toBe("1");
});
