// `/v1/coordinate` over a memory cluster; texts and headers are Consul 1.8.7's.

import { expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";

const coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };

async function withNode(): Promise<ApiClient> {
  const client = new ApiClient();
  await client.put("/v1/catalog/register", { Node: "a", Address: "127.0.0.1" });
  return client;
}

test("an update is read back as Go writes it, with the index of the table", async () => {
  const client = await withNode();
  const { status, text, headers } = await client.put("/v1/coordinate/update", {
    Node: "a",
    Coord: coord,
  });
  expect([status, text, headers.get("Content-Type")]).toEqual([200, "", null]);
  const body =
    '[{"Node":"a","Segment":"","Coord":{"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001}}]';
  for (const path of ["nodes", "nodes?segment=", "node/a", "node/A"]) {
    const answer = await client.get(`/v1/coordinate/${path}`);
    expect([answer.text, answer.headers.get("X-Consul-Index")]).toEqual([body, "2"]);
  }
  expect((await client.get("/v1/coordinate/nodes?segment=x")).text).toBe("[]");
});

test("a node without a coordinate is 404 without headers", async () => {
  const client = await withNode();
  for (const path of ["node/none", "node/a?segment=x", "node/"]) {
    const { status, text, headers } = await client.get(`/v1/coordinate/${path}`);
    expect([status, text, headers.get("X-Consul-Index")]).toEqual([404, "", null]);
  }
});

test("the servers of all datacenters, without an index, whatever ?dc says", async () => {
  const client = await withNode();
  const Service = { Service: "consul" };
  await client.put("/v1/catalog/register", { Node: "s", Address: "127.0.0.1", Service });
  const { json, headers } = await client.get("/v1/coordinate/datacenters?dc=zz");
  expect(json).toEqual([
    {
      Datacenter: "dc1",
      AreaID: "wan",
      Coordinates: [{ Node: "s", Segment: "", Coord: coord }],
    },
  ]);
  expect(headers.get("X-Consul-Index")).toBeNull();
});

const refusals: [body: unknown, status: number, text: string][] = [
  [{ Node: "a", Coord: { ...coord, Vec: [0] } }, 500, "incompatible coordinate"],
  [{ Node: "a" }, 500, "invalid coordinate"],
  [{ Node: "a", Datacenter: "dc9", Coord: coord }, 500, "No path to datacenter"],
  [{ Node: "a", Foo: 1 }, 400, 'Request decode failed: json: unknown field "Foo"'],
  [
    '{"Node":"a","Coord":{"Vec":[1e999]}}',
    400,
    "Request decode failed: json: cannot unmarshal number 1e999 into Go struct field " +
      "Coordinate.Coord.Vec of type float64",
  ],
  [
    { Coord: { Vec: "x" } },
    400,
    "Request decode failed: json: cannot unmarshal string into Go struct field " +
      "Coordinate.Coord.Vec of type []float64",
  ],
];

test.each(refusals)("%j is refused", async (body, status, text) => {
  const client = await withNode();
  const reply = await client.put("/v1/coordinate/update", body as object);
  expect([reply.status, reply.text]).toEqual([status, text]);
});

test("an update that names its own datacenter and a token is taken", async () => {
  const client = await withNode();
  const body = { Node: "a", Datacenter: "dc1", Token: "t", Coord: coord };
  expect((await client.put("/v1/coordinate/update", body)).status).toBe(200);
  expect((await client.get("/v1/coordinate/nodes?dc=zz")).status).toBe(500);
});

test("where coordinates are switched off, everything about them is 401", async () => {
  const client = new ApiClient({ settings: { coordinates: false } });
  for (const path of ["nodes", "node/a", "datacenters", "nodes?index=x"]) {
    const { status, text } = await client.get(`/v1/coordinate/${path}`);
    expect([status, text]).toEqual([401, "Coordinate support disabled"]);
  }
  const { status, text } = await client.put("/v1/coordinate/update", "{");
  expect([status, text]).toEqual([401, "Coordinate support disabled"]);
  expect((await client.delete("/v1/coordinate/nodes")).status).toBe(405);
});
