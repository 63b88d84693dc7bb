// `/v1/catalog` and `/v1/txn` as clients ask them.

import { describe, expect, test } from "vitest";

import { ApiClient } from "../../support/api-client.ts";

describe("catalog", () => {
  test("services by what their instances and nodes are, and only with a filter that is one", async () => {
    const client = new ApiClient();
    for (const [node, service, zone] of [
      ["n1", "web", "a"],
      ["n2", "web", "b"],
      ["n2", "db", "b"],
    ]) {
      const Service = { Service: service, Tags: [zone], Port: service === "db" ? 5_432 : 80 };
      const body = { Node: node, Address: "10.0.0.1", NodeMeta: { zone }, Service };
      await client.put("/v1/catalog/register", body);
    }
    const services = async (filter: string): Promise<unknown> =>
      (await client.get(`/v1/catalog/services?filter=${encodeURIComponent(filter)}`)).json;
    expect(await services('NodeMeta.zone == "b"')).toEqual({ db: ["b"], web: ["b"] });
    expect(await services("ServicePort == 80")).toEqual({ web: ["a", "b"] });
    expect(await services('ServiceName == "none"')).toEqual({});
    const refused = await client.get("/v1/catalog/services?filter=x");
    expect(refused.status).toBe(500);
  });

  test("a watch of filtered services hears of the nodes that the filter speaks of", async () => {
    const client = new ApiClient();
    const node = { Node: "n1", Address: "10.0.0.1" };
    const put = (zone: string): Promise<unknown> =>
      client.put("/v1/catalog/register", {
        ...{ ...node, NodeMeta: { zone }, Service: { Service: "web" } },
      });
    await put("a");
    const path = `/v1/catalog/services?filter=${encodeURIComponent('NodeMeta.zone == "b"')}`;
    const { headers } = await client.get(path);
    const waiting = client.get(`${path}&index=${headers.get("x-consul-index")}&wait=10s`);
    await expect.poll(() => client.cluster.waiting).toBe(1);
    await put("b");
    expect((await waiting).json).toEqual({ web: [] });
  });
});

describe("txn", () => {
  test("get-or-empty reads a key that is not there as one without value", async () => {
    const client = new ApiClient();
    await client.put("/v1/kv/there", "x");
    const read = (Key: string): object => ({ KV: { Verb: "get-or-empty", Key } });
    const empty = { LockIndex: 0, Key: "missing", Flags: 0, Value: null };
    const results = [
      { KV: { ...empty, CreateIndex: 0, ModifyIndex: 0 } },
      {
        KV: { LockIndex: 0, Key: "there", Flags: 0, Value: "eA==", CreateIndex: 1, ModifyIndex: 1 },
      },
    ];
    const readOnly = await client.put("/v1/txn", [read("missing"), read("there")]);
    expect(readOnly.json).toMatchObject({ Results: results, Errors: null });
    const write = { KV: { Verb: "set", Key: "new", Value: "" } };
    const writing = await client.put("/v1/txn", [read("missing"), read("there"), write]);
    expect(writing.json).toMatchObject({ Results: [...results, {}], Errors: null });
    expect((await client.get("/v1/kv/missing")).status).toBe(404);
  });

  const run = async (operations: unknown): Promise<[number, string]> => {
    const { status, text } = await new ApiClient().put("/v1/txn", operations as object);
    return [status, text];
  };

  test("writes answer without values; later operations see earlier ones", async () => {
    expect(
      await run([
        { KV: { Verb: "set", Key: "a", Value: "MQ==" } },
        { KV: { Verb: "get", Key: "a" } },
      ]),
    ).toEqual([
      200,
      '{"Results":[{"KV":{"LockIndex":0,"Key":"a","Flags":0,"Value":null,"CreateIndex":1,"ModifyIndex":1}},' +
        '{"KV":{"LockIndex":0,"Key":"a","Flags":0,"Value":"MQ==","CreateIndex":1,"ModifyIndex":1}}],"Errors":null}',
    ]);
  });

  test("one that only reads is a read, and says so", async () => {
    const about = '"Index":0,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":""}';
    expect(await run([])).toEqual([200, `{"Results":[],"Errors":null,${about}`]);
    expect(await run([{ KV: { Verb: "zap", Key: "a" } }])).toEqual([
      409,
      `{"Results":null,"Errors":[{"OpIndex":0,"What":"unknown KV verb \\"zap\\""}],${about}`,
    ]);
    const { headers } = await new ApiClient().put("/v1/txn", []);
    expect(headers.get("X-Consul-Knownleader")).toBe("true");
    expect(headers.get("X-Consul-Index")).toBeNull();
  });

  test("a node is not looked for by what is no id", async () => {
    const [status, text] = await run([{ Node: { Verb: "get", Node: { ID: "nope", Node: "n" } } }]);
    expect(status).toBe(409);
    expect(text).toContain(
      "node lookup by ID failed, wrong UUID: uuid string is wrong length for 'nope'",
    );
  });

  test("datacenters are listed whatever index is given, sessions renewed only with one", async () => {
    const client = new ApiClient();
    expect((await client.get("/v1/catalog/datacenters?index=x&wait=y")).status).toBe(200);
    const both = await client.get("/v1/catalog/datacenters?stale&consistent");
    expect(both.status).toBe(400);
    for (const [query, text] of [
      ["index=x", "Invalid index"],
      ["wait=x", "Invalid wait time"],
      ["stale&consistent", "Cannot specify ?stale with ?consistent, conflicting semantics."],
    ]) {
      const { status, text: said } = await client.put(`/v1/session/renew/?${query}`, "");
      expect([status, said]).toEqual([400, text]);
    }
  });

  test("any failure undoes everything and every failure is named", async () => {
    const client = new ApiClient();
    const failed = await client.put("/v1/txn", [
      { KV: { Verb: "set", Key: "a", Value: "MQ==" } },
      { KV: { Verb: "get", Key: "none" } },
      { Node: { Verb: "set", Node: { Node: "n", Address: "1" } } },
      { Service: { Verb: "set", Node: "none", Service: { Service: "s" } } },
    ]);
    expect(failed.status).toBe(409);
    expect(failed.json).toEqual({
      Results: null,
      Errors: [
        { OpIndex: 1, What: 'key "none" doesn\'t exist' },
        { OpIndex: 3, What: "Missing node registration" },
      ],
    });
    expect((await client.get("/v1/kv/a")).status).toBe(404);
    expect((await client.get("/v1/catalog/nodes")).text).toBe("[]");
  });

  test("nodes, services and checks", async () => {
    const [status, text] = await run([
      { Node: { Verb: "set", Node: { Node: "n", Address: "1" } } },
      {
        Service: {
          Verb: "set",
          Node: "n",
          Service: { Service: "s", Kind: "mesh-gateway", Port: 9 },
        },
      },
      {
        Check: {
          Verb: "set",
          Check: {
            Node: "n",
            Name: "c",
            ServiceID: "s",
            Type: "x",
            Definition: { HTTP: "h", Interval: "5s", IntervalDuration: "7s" },
          },
        },
      },
    ]);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      Results: [
        { Node: { Node: "n", Datacenter: "dc1", Meta: null } },
        { Service: { ID: "s", Tags: null, Port: 9, Weights: { Passing: 1, Warning: 1 } } },
        {
          Check: {
            CheckID: "c",
            Status: "critical",
            Type: "",
            ServiceName: "s",
            ServiceTags: null,
            Definition: { Interval: "7s" },
          },
        },
      ],
    });
    expect(text).not.toContain("mesh-gateway");
  });

  const set = (at: number): object => ({ KV: { Verb: "set", Key: `k${at}`, Value: "eA==" } });
  test.each([
    ["", 400, "Failed to parse body: EOF"],
    [
      "{}",
      400,
      "Failed to parse body: json: cannot unmarshal object into Go value of type api.TxnOps",
    ],
    ['[{"KV":{"Value":"@@"}}]', 400, "Failed to parse body: illegal base64 data at input byte 0"],
    [
      JSON.stringify(Array.from({ length: 65 }, (_, at) => set(at))),
      413,
      "Transaction contains too many operations (65 > 64)",
    ],
    [
      `[${" ".repeat(524_288)}]`,
      413,
      "Request body(524289 bytes) too large, max size: 524288 bytes. See https://www.consul.io/docs/agent/options.html#txn_max_req_len.",
    ],
  ])("refuses %.30s", async (body, status, text) => {
    expect(await run(body)).toEqual([status, text]);
  });
});
