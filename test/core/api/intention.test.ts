// `/v1/connect/intentions` over a memory cluster; texts and headers are Consul 1.8.7's.

import { expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";

const root = "/v1/connect/intentions";
const first = "00000000-0000-0000-0000-000000000001";
const web = { SourceName: "web", DestinationName: "db", Action: "allow" };

async function withOne(): Promise<ApiClient> {
  const client = new ApiClient();
  await client.send("POST", root, { body: { ...web, Meta: { b: "1", a: "2" } } });
  return client;
}

test("an intention is created, answered in Consul's order, changed and deleted", async () => {
  const client = await withOne();
  const list = await client.get(root);
  expect(list.headers.get("X-Consul-Index")).toBe("1");
  expect(list.headers.get("X-Consul-Effective-Consistency")).toBeNull();
  const one = await client.get(`${root}/${first}`);
  expect(one.headers.get("X-Consul-Index")).toBeNull();
  expect(list.text).toBe(`[${one.text}]`);
  expect(one.text.replaceAll(/(?<=At":")[^"]*|(?<=Hash":")[^"]*/g, "")).toBe(
    `{"ID":"${first}","Description":"","SourceNS":"default","SourceName":"web",` +
      '"DestinationNS":"default","DestinationName":"db","SourceType":"consul","Action":"allow",' +
      '"DefaultAddr":"","DefaultPort":0,"Meta":{"a":"2","b":"1"},"Precedence":9,' +
      '"CreatedAt":"","UpdatedAt":"","Hash":"","CreateIndex":1,"ModifyIndex":1}',
  );
  const update = await client.put(`${root}/${first}`, { ...web, Action: "deny", ID: "x" });
  expect(update.text).toBe(`{"ID":"${first}"}`);
  expect((await client.get(`${root}/check?source=web&destination=db`)).text).toBe(
    '{"Allowed":false}',
  );
  expect((await client.delete(`${root}/${first}`)).text).toBe("true");
  expect(await client.get(`${root}/${first}`)).toMatchObject({
    status: 404,
    text: "Intention not found",
  });
  const empty = await client.get(root);
  expect([empty.text, empty.headers.get("X-Consul-Index")]).toEqual(["[]", "3"]);
});

test("match answers by the names that were asked, null where there is nothing", async () => {
  const client = await withOne();
  const { json, headers } = await client.get(`${root}/match?by=destination&name=x&name=db&name=x`);
  expect(json).toMatchObject({ db: [{ ID: first }], x: null });
  expect(headers.get("X-Consul-Index")).toBeNull();
});

test("exact puts, answers and deletes by source and destination", async () => {
  const client = await withOne();
  const exact = `${root}/exact?source=web&destination=db`;
  const body = { SourceName: "ignored", Action: "deny", Description: "d" };
  expect((await client.put(exact, body)).text).toBe("true");
  const { json } = await client.get(exact);
  expect(json).toMatchObject({ ID: first, SourceName: "web", Action: "deny", Description: "d" });
  expect((await client.delete(exact)).text).toBe("true");
  expect((await client.delete(exact)).text).toBe("true");
  expect(await client.get(exact)).toMatchObject({ status: 404, text: "Intention not found" });
  const created = await client.put(`${root}/exact?source=a&destination=b`, { Action: "allow" });
  expect([created.status, created.text]).toEqual([200, "true"]);
});

test("filters see what Consul lets them see", async () => {
  const client = await withOne();
  const filtered = async (filter: string) =>
    await client.get(`${root}?filter=${encodeURIComponent(filter)}`);
  expect((await filtered("Precedence == 9 and Meta.a == 2")).json).toHaveLength(1);
  expect((await filtered("SourceName == zip")).text).toBe("[]");
  for (const selector of ["Hash", "CreatedAt", "UpdatedAt", "CreateIndex"]) {
    const answer = await filtered(`${selector} == 1`);
    const text = `Failed to create boolean expression evaluator: Selector "${selector}" is not valid`;
    expect([answer.status, answer.text]).toEqual([500, text]);
    expect(answer.headers.get("X-Consul-Index")).toBe("1");
  }
});

const nobody = "ffffffff-0000-0000-0000-000000000000";
const lookup = "failed intention lookup: index error: UUID must be 36 characters";
const unknown = 'json: unknown field "Foo"';
const refusals: [method: string, path: string, body: unknown, status: number, text: string][] = [
  ["POST", "", "", 500, "Failed to decode request body: EOF"],
  ["POST", "", { Foo: 1 }, 500, `Failed to decode request body: ${unknown}`],
  ["POST", "?dc=zz", "{", 500, "Failed to decode request body: unexpected EOF"],
  ["POST", "?dc=zz", {}, 500, "No path to datacenter"],
  [
    "POST",
    "",
    [],
    500,
    "Failed to decode request body: json: cannot unmarshal array into Go value of type " +
      "struct { Hash string; CreatedAt string; UpdatedAt string; *structs.Alias }",
  ],
  [
    "POST",
    "",
    { Action: 1 },
    500,
    "Failed to decode request body: json: cannot unmarshal number into Go struct field .Action " +
      "of type structs.IntentionAction",
  ],
  ["POST", "", { ID: "x" }, 500, "ID must be empty when creating a new intention"],
  [
    "POST",
    "",
    { ...web, Action: "maybe" },
    500,
    "1 error occurred:\n\t* Action must be set to 'allow' or 'deny'\n\n",
  ],
  [
    "POST",
    "",
    web,
    500,
    `duplicate intention found: ALLOW default/web => default/db (ID: ${first}, Precedence: 9)`,
  ],
  ["GET", "/abc", null, 400, `Bad request: ${lookup}`],
  ["GET", "/", null, 400, `Bad request: ${lookup}`],
  ["GET", "/abc?dc=zz", null, 500, "No path to datacenter"],
  ["GET", "/abc?index=x", null, 400, "Invalid index"],
  ["GET", `/${nobody}`, null, 404, "Intention not found"],
  ["PUT", "/abc", {}, 500, `Intention lookup failed: ${lookup}`],
  ["PUT", `/${nobody}`, {}, 500, `Cannot modify non-existent intention: '${nobody}'`],
  ["PUT", `/${first}`, { Foo: 1 }, 400, `Bad request: Request decode failed: ${unknown}`],
  ["DELETE", "/abc", null, 500, `Intention lookup failed: ${lookup}`],
  ["DELETE", `/${nobody}`, null, 500, `Cannot delete non-existent intention: '${nobody}'`],
  ["GET", "/match", null, 500, "required query parameter 'by' not set"],
  ["GET", "/match?by=x", null, 500, "'by' parameter must be one of 'source' or 'destination'"],
  ["GET", "/match?by=source", null, 500, "required query parameter 'name' not set"],
  [
    "GET",
    "/match?by=source&name=a/b/c",
    null,
    500,
    "name \"a/b/c\" is invalid: input can contain at most one '/'",
  ],
  ["GET", "/check?destination=x", null, 500, "required query parameter 'source' not set"],
  ["GET", "/check?source=x", null, 500, "required query parameter 'destination' not set"],
  ["GET", "/check?source=x&source=y", null, 500, "required query parameter 'source' not set"],
  [
    "GET",
    "/check?source=x&destination=a/b/c",
    null,
    500,
    "destination \"a/b/c\" is invalid: input can contain at most one '/'",
  ],
  ["GET", "/check?source=x&destination=y&source-type=", null, 500, 'unsupported SourceType: ""'],
  ["PUT", "/exact?source=x", {}, 500, "required query parameter 'destination' not set"],
  [
    "PUT",
    "/exact?source=x&destination=y",
    "{",
    400,
    "Bad request: Request decode failed: unexpected EOF",
  ],
];

test.each(refusals)("%s %s with %j is refused", async (method, path, body, status, text) => {
  const client = await withOne();
  const answer = await client.send(
    method,
    root + path,
    body === null ? {} : { body: body as object },
  );
  expect([answer.status, answer.text]).toEqual([status, text]);
});
