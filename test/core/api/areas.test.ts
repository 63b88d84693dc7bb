// The areas over a memory cluster: what clients send and get. The conformance kit asks much more.

import { describe, expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";

async function withSelf(): Promise<ApiClient> {
  const client = new ApiClient();
  const check = { CheckID: "serfHealth", Status: "passing" };
  await client.put("/v1/catalog/register", { Node: "self", Address: "127.0.0.1", Check: check });
  return client;
}

describe("kv", () => {
  test("a value goes in as bytes, comes out as base64, or raw", async () => {
    const client = new ApiClient();
    expect((await client.put("/v1/kv/a?flags=18446744073709551615", "hello")).text).toBe("true");
    const { text, headers } = await client.get("/v1/kv/a");
    expect(text).toBe(
      '[{"LockIndex":0,"Key":"a","Flags":18446744073709551615,"Value":"aGVsbG8=","CreateIndex":1,"ModifyIndex":1}]',
    );
    expect(headers.get("X-Consul-Index")).toBe("1");
    const raw = await client.get("/v1/kv/a?raw");
    expect(raw.text).toBe("hello");
    expect(Object.fromEntries(raw.headers)).toMatchObject({
      "content-type": "text/plain",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
    });
  });

  test("an empty value reads as null, a missing key as 404 with its headers", async () => {
    const client = new ApiClient();
    await client.put("/v1/kv/a");
    expect((await client.get("/v1/kv/a")).json).toMatchObject([{ Value: null }]);
    expect((await client.get("/v1/kv/a?raw")).text).toBe("");
    const { status, text, headers } = await client.get("/v1/kv/none");
    expect([status, text, headers.get("X-Consul-Index")]).toEqual([404, "", "1"]);
    expect((await client.get("/v1/kv/none?recurse")).status).toBe(404);
    expect((await client.get("/v1/kv/none?keys")).status).toBe(404);
  });

  test("keys and separators", async () => {
    const client = new ApiClient();
    expect((await client.get("/v1/kv/?keys")).text).toBe("[]");
    for (const key of ["d/a", "d/b/c", "d/b/d", "e"]) await client.put(`/v1/kv/${key}`, "x");
    expect((await client.get("/v1/kv/d/?keys&separator=/")).json).toEqual(["d/a", "d/b/"]);
    expect((await client.get("/v1/kv/?keys&seperator=/")).json).toEqual(["d/", "e"]);
    expect((await client.get("/v1/kv/d?recurse=false")).json).toHaveLength(3);
  });

  const cases: [method: "put" | "delete", path: string, status: number, text: string][] = [
    ["put", "/v1/kv/", 400, "Missing key name"],
    ["delete", "/v1/kv/", 400, "Missing key name"],
    ["put", "/v1/kv/a?cas=1&acquire=abc", 400, "Conflicting flags: acquire=abc&cas=1"],
    ["delete", "/v1/kv/a?recurse&cas=1", 400, "Conflicting flags: cas=1&recurse="],
    ["put", "/v1/kv/a?cas=zz", 500, 'strconv.ParseUint: parsing "zz": invalid syntax'],
    ["put", "/v1/kv/a?cas", 500, 'strconv.ParseUint: parsing "": invalid syntax'],
    [
      "put",
      "/v1/kv/a?flags=18446744073709551616",
      500,
      'strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ],
    ["put", "/v1/kv/a?acquire=", 500, "missing session"],
    ["put", "/v1/kv/a?release=", 500, "missing session"],
    [
      "put",
      "/v1/kv/a?acquire=zz",
      500,
      "failed session lookup: index error: UUID must be 36 characters",
    ],
    ["put", "/v1/kv/a?cas=1", 200, "false"],
    ["delete", "/v1/kv/a?cas=1", 200, "true"],
    ["delete", "/v1/kv/a", 200, "true"],
    ["delete", "/v1/kv/?recurse", 200, "true"],
  ];
  test.each(cases)("%s %s is answered %d %s", async (method, path, status, text) => {
    const answer = await new ApiClient()[method](path);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  test("a value of 512 KiB is accepted, one byte more is not", async () => {
    const client = new ApiClient();
    expect((await client.put("/v1/kv/big", "x".repeat(524_288))).text).toBe("true");
    const refused = await client.put("/v1/kv/big", "x".repeat(524_289));
    expect(refused.status).toBe(413);
    expect(refused.text).toBe(
      "Request body(524289 bytes) too large, max size: 524288 bytes. " +
        "See https://www.consul.io/docs/agent/options.html#kv_max_value_size.",
    );
    expect((await client.get("/v1/kv/big?raw")).text).toHaveLength(524_288);
  });
});

describe("blocking", () => {
  test("returns when the index is above the given one, with the new value", async () => {
    const client = new ApiClient();
    await client.put("/v1/kv/a", "1");
    expect((await client.get("/v1/kv/a?index=0&wait=1h")).status).toBe(200);
    const waiting = client.get("/v1/kv/a?index=1&wait=1h");
    await expect.poll(() => client.cluster.waiting).toBe(1);
    await client.put("/v1/kv/other", "1");
    expect(client.cluster.waiting).toBe(1);
    await client.put("/v1/kv/a", "2");
    expect((await waiting).json).toMatchObject([{ Value: "Mg==", ModifyIndex: 3 }]);
    expect(client.cluster.waiting).toBe(0);
  });

  test("waits are bounded and spread", async () => {
    const waits: (number | undefined)[] = [];
    const client = new ApiClient({ random: () => 0.5 });
    const read = client.cluster.read.bind(client.cluster);
    client.cluster.read = async (op, args, options) => {
      waits.push(options.waitMs);
      return await read(op, args, {});
    };
    for (const query of [
      "index=1",
      "index=1&wait=16s",
      "index=1&wait=1h",
      "index=1&wait=-5s",
      "wait=5s",
      "index=0&wait=5s",
    ]) {
      await client.get(`/v1/kv/a?${query}`);
    }
    const jittered = (ms: number): number => ms + ms / 32;
    const [most, least] = [jittered(600_000), jittered(300_000)];
    expect(waits).toEqual([least, jittered(16_000), most, least, undefined, undefined]);
  });

  test("ends when the client goes away", async () => {
    const client = new ApiClient();
    const gone = new AbortController();
    const waiting = client.send("GET", "/v1/kv/a?index=5&wait=1h", { signal: gone.signal });
    await expect.poll(() => client.cluster.waiting).toBe(1);
    gone.abort();
    await waiting;
    expect(client.cluster.waiting).toBe(0);
  });
});

describe("session", () => {
  test("an empty behaviour is none given", async () => {
    const client = await withSelf();
    const { json } = await client.put("/v1/session/create", { Behavior: "" });
    const { ID: id } = json as { ID: string };
    expect((await client.get(`/v1/session/info/${id}`)).json).toMatchObject([
      { Behavior: "release" },
    ]);
  });

  test("is bound to this agent's node by default, renewed, destroyed", async () => {
    const client = await withSelf();
    const { json } = await client.put("/v1/session/create", { TTL: "10s", ID: "chosen" });
    const { ID: id } = json as { ID: string };
    expect(id).toBe("00000000-0000-0000-0000-000000000001");
    const info = await client.get(`/v1/session/info/${id}`);
    expect(info.json).toMatchObject([{ Node: "self", TTL: "10s", NodeChecks: ["serfHealth"] }]);
    expect((await client.put(`/v1/session/renew/${id}`)).text).toBe(info.text);
    expect((await client.get("/v1/session/node/SELF")).text).toBe(info.text);
    expect((await client.put(`/v1/session/destroy/${id}`)).text).toBe("true");
    expect((await client.get("/v1/session/list")).text).toBe("[]");
    const renewed = await client.put(`/v1/session/renew/${id}`);
    expect([renewed.status, renewed.text]).toEqual([404, `Session id '${id}' not found`]);
  });

  test.each([
    [
      "PUT",
      "/v1/session/create",
      "{bad",
      400,
      "Request decode failed: invalid character 'b' looking for beginning of object key string",
    ],
    [
      "PUT",
      "/v1/session/create",
      '{"LockDelay":"zz"}',
      400,
      'Request decode failed: time: invalid duration "zz"',
    ],
    ["PUT", "/v1/session/create", '{"Node":"zzz"}', 500, "Missing node registration"],
    ["PUT", "/v1/session/destroy/", "", 400, "Missing session"],
    ["PUT", "/v1/session/renew/", "", 400, "Missing session"],
    [
      "PUT",
      "/v1/session/renew/abc",
      "",
      500,
      "failed session lookup: index error: UUID must be 36 characters",
    ],
    ["GET", "/v1/session/info/", undefined, 400, "Missing session"],
    ["GET", "/v1/session/node/", undefined, 400, "Missing node name"],
    [
      "GET",
      "/v1/session/info/abc",
      undefined,
      500,
      "failed session lookup: index error: UUID must be 36 characters",
    ],
  ])("%s %s %s", async (method, path, body, status, text) => {
    const client = await withSelf();
    const answer = await client.send(method, path, body === undefined ? {} : { body });
    expect([answer.status, answer.text]).toEqual([status, text]);
  });
});

describe("catalog and health", () => {
  test("the body's datacenter counts, not the query's", async () => {
    const client = new ApiClient();
    const body = { Node: "n", Address: "1" };
    expect((await client.put("/v1/catalog/register?dc=dc2", body)).text).toBe("true");
    const elsewhere = await client.put("/v1/catalog/register", { ...body, Datacenter: "dc2" });
    expect([elsewhere.status, elsewhere.text]).toEqual([500, "No path to datacenter"]);
    expect((await client.put("/v1/catalog/deregister", { Node: "n", CheckID: "none" })).text).toBe(
      "true",
    );
  });

  test("what is not there", async () => {
    const client = new ApiClient();
    expect((await client.get("/v1/catalog/node/none")).text).toBe("null");
    expect((await client.get("/v1/catalog/node-services/none")).text).toBe(
      '{"Node":null,"Services":null}',
    );
    expect((await client.get("/v1/catalog/service/none")).text).toBe("[]");
    expect((await client.get("/v1/catalog/services")).text).toBe("{}");
    expect((await client.get("/v1/catalog/datacenters")).text).toBe('["dc1"]');
  });

  test.each([
    ["/v1/catalog/service/", "Missing service name"],
    ["/v1/catalog/connect/", "Missing service name"],
    ["/v1/catalog/node/", "Missing node name"],
    ["/v1/health/node/", "Missing node name"],
    ["/v1/health/checks/", "Missing service name"],
    ["/v1/health/service/", "Missing service name"],
    ["/v1/health/state/", "Missing check state"],
    ["/v1/health/service/x?passing=maybe", "Invalid value for ?passing"],
    ["/v1/health/service/x?passing=maybe&index=zz", "Invalid index"],
  ])("%s: %s", async (path, text) => {
    const answer = await new ApiClient().get(path);
    expect([answer.status, answer.text]).toEqual([400, text]);
  });

  test("?passing without a value, true and false", async () => {
    const client = new ApiClient();
    const body = {
      Node: "n",
      Address: "1",
      Service: { Service: "s" },
      Check: { Name: "c", Status: "warning" },
    };
    await client.put("/v1/catalog/register", body);
    const count = async (query: string): Promise<number> =>
      ((await client.get(`/v1/health/service/s${query}`)).json as unknown[]).length;
    expect([await count(""), await count("?passing"), await count("?passing=1")]).toEqual([
      1, 0, 0,
    ]);
    expect([await count("?passing=false"), await count("?passing=0")]).toEqual([1, 1]);
  });

  test("a bad filter is 500 with index 1", async () => {
    const answer = await new ApiClient().get("/v1/catalog/nodes?filter=bad");
    expect([answer.status, answer.headers.get("X-Consul-Index")]).toEqual([500, "1"]);
    expect(answer.text).toBe(
      "Failed to create boolean expression evaluator: 1:4 (3): no match found, " +
        'expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]',
    );
  });
});
