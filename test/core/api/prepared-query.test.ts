// `/v1/query` over a memory cluster; texts, headers and their order are Consul 1.8.7's.

import { expect, test } from "vitest";
import { ApiClient, type Answer } from "../../support/api-client.ts";

const id = "00000000-0000-0000-0000-000000000001";
const other = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const definition = {
  ID: id,
  Name: "q",
  Session: "",
  Token: "t",
  Template: { Type: "", Regexp: "", RemoveEmptyTags: false },
  Service: {
    Service: "web",
    Failover: { NearestN: 0, Datacenters: null },
    OnlyPassing: false,
    IgnoreCheckIDs: null,
    Near: "",
    Tags: null,
    NodeMeta: null,
    ServiceMeta: null,
    Connect: false,
  },
  DNS: { TTL: "" },
};
const query = { Name: "q", Token: "t", Service: { Service: "web" } };

/** Three instances of `web`, the nearest to the agent's node last. */
async function withQuery(): Promise<ApiClient> {
  const client = new ApiClient();
  await client.send("POST", "/v1/query", { body: query });
  for (const [Node, x] of [["a", 3] as const, ["b", 2] as const, ["c", 1] as const]) {
    const Address = `10.0.0.${x}`;
    await client.put("/v1/catalog/register", { Node, Address, Service: { Service: "web" } });
    const Coord = { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
    await client.put("/v1/coordinate/update", { Node, Coord });
  }
  await client.put("/v1/catalog/register", { Node: "self", Address: "10.0.0.9" });
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
  await client.put("/v1/coordinate/update", { Node: "self", Coord });
  return client;
}

const shown = ({ status, headers, text }: Answer) => [
  status,
  headers.get("X-Consul-Index"),
  headers.get("X-Consul-Effective-Consistency"),
  text,
];
const nodesOf = ({ json }: Answer): string =>
  (json as { Nodes: { Node: { Node: string } }[] }).Nodes.map(({ Node }) => Node.Node).join("");

test("a query is created, read, listed, changed and removed", async () => {
  const client = new ApiClient();
  expect((await client.get("/v1/query")).text).toBe("[]");
  const created = await client.send("POST", "/v1/query", { body: query });
  expect([created.status, created.text]).toEqual([200, `{"ID":"${id}"}`]);
  for (const path of [`/v1/query/${id}`, "/v1/query", `/v1/query/${id}?cached`, "/v1/query?ns=x"]) {
    const answer = await client.get(path);
    expect(answer.json).toEqual([{ ...definition, CreateIndex: 1, ModifyIndex: 1 }]);
    expect(answer.headers.get("X-Consul-Index")).toBe("1");
    expect(answer.headers.get("X-Consul-Effective-Consistency")).toBe("leader");
    expect(answer.headers.get("X-Cache")).toBeNull();
  }
  const changed = await client.put(`/v1/query/${id}`, { ...query, ID: other, ModifyIndex: 9 });
  expect([changed.status, changed.text, changed.headers.get("Content-Type")]).toEqual([
    200,
    "",
    null,
  ]);
  const [read] = (await client.get(`/v1/query/${id}`)).json as [object];
  expect(read).toEqual({ ...definition, CreateIndex: 1, ModifyIndex: 2 });
  const removed = await client.delete(`/v1/query/${id}`);
  expect([removed.status, removed.text]).toEqual([200, ""]);
  expect(shown(await client.get(`/v1/query/${id}`))).toEqual([404, null, null, "Query not found"]);
});

test("what is executed says how, and never shows an index", async () => {
  const client = await withQuery();
  const cases = [
    ["", "leader"],
    ["?stale", "stale"],
    ["?consistent", "consistent"],
    ["?index=1&wait=5m", "leader"],
    ["?cached", "leader"],
  ];
  for (const [parameters = "", level] of cases) {
    for (const idOrName of ["Q", id]) {
      const answer = await client.get(`/v1/query/${idOrName}/execute${parameters}`);
      expect(answer.headers.get("X-Consul-Index")).toBe("1");
      expect(answer.headers.get("X-Consul-Effective-Consistency")).toBe(level);
      const { Nodes, ...rest } = answer.json as { Nodes: object[] };
      expect(Nodes).toHaveLength(3);
      expect(Object.entries(rest)).toEqual([
        ["Service", "web"],
        ["DNS", { TTL: "" }],
        ["Datacenter", "dc1"],
        ["Failovers", 0],
        ["Index", 0],
        ["LastContact", 0],
        ["KnownLeader", true],
        ["ConsistencyLevel", level],
      ]);
    }
  }
  const explained = await client.get("/v1/query/q/explain?cached&index=99&wait=5m");
  expect(explained.json).toEqual({
    Query: { ...definition, CreateIndex: 1, ModifyIndex: 1 },
    Index: 0,
    LastContact: 0,
    KnownLeader: true,
    ConsistencyLevel: "leader",
  });
});

test("near, limit and connect", async () => {
  const client = await withQuery();
  const execute = async (parameters: string, headers = {}): Promise<string> =>
    nodesOf(await client.get(`/v1/query/q/execute?${parameters}`, headers));
  expect(await execute("near=_agent")).toBe("cba");
  expect(await execute("near=c")).toBe("cba");
  expect(await execute("near=a&limit=1")).toBe("a");
  expect(await execute("near=a&limit=%2B2")).toBe("ab");
  expect(await execute("near=_agent&limit=-1")).toBe("cba");
  expect(await execute("near=_agent&limit=")).toBe("cba");
  for (const client of ["10.0.0.3", " 10.0.0.3 , 10.0.0.1", "10.0.0.3,nonsense"]) {
    expect(await execute("near=_ip", { "X-Forwarded-For": client })).toBe("abc");
  }
  for (const yes of ["1", "t", "TRUE"]) expect(await execute(`connect=${yes}`)).toBe("");
  for (const no of ["", "0", "False"]) expect(await execute(`connect=${no}`)).toHaveLength(3);
});

test("lists of the catalog and of health know the agent's node as well", async () => {
  const client = await withQuery();
  const order = async (path: string): Promise<string> => {
    const { json } = await client.get(path);
    const nodes = json as { Node: string | { Node: string } }[];
    return nodes.map(({ Node }) => (typeof Node === "string" ? Node : Node.Node)).join("");
  };
  expect(await order("/v1/catalog/nodes?near=_agent")).toBe("selfcba");
  expect(await order("/v1/catalog/service/web?near=_agent")).toBe("cba");
  expect(await order("/v1/health/service/web?near=_agent")).toBe("cba");
  expect(await order("/v1/health/service/web?near=_agent&cached")).toBe("cba");
  expect(await order("/v1/health/service/web?near=_ip")).toBe("abc");
});

test("an answer that is followed keeps its order, and follows what it was made of", async () => {
  const client = await withQuery();
  const execute = (): Promise<Answer> => client.get("/v1/query/q/execute?cached&near=_agent");
  const caches = [await execute(), await execute()].map(({ headers }) => headers.get("X-Cache"));
  expect(caches).toEqual(["MISS", "HIT"]);
  const path = "/v1/query/q/execute?cached&near=_agent";
  for (const [control, cache] of [
    ["max-age=0", "MISS"],
    ["max-age=100, Must-Revalidate", "MISS"],
    ["max-age=100", "HIT"],
    ["no-cache", "HIT"],
  ] as const) {
    const { headers } = await client.get(path, { "Cache-Control": control });
    expect(headers.get("X-Cache")).toBe(cache);
  }
  const Check = { Name: "c", Status: "critical" };
  await client.put("/v1/catalog/register", { Node: "c", Address: "10.0.0.1", Check });
  await expect.poll(async () => nodesOf(await execute())).toBe("ba");
  await client.put(`/v1/query/${id}`, { Name: "q", Service: { Service: "none" } });
  await expect.poll(async () => nodesOf(await execute())).toBe("");
  const Coord = { Vec: [0.5, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
  await client.put(`/v1/query/${id}`, { Name: "q", Service: { Service: "web" } });
  await client.put("/v1/coordinate/update", { Node: "a", Coord });
  await expect.poll(async () => nodesOf(await execute())).toBe("ab");
  await client.delete(`/v1/query/${id}`);
  expect(shown(await client.get("/v1/query/none/execute?cached"))).toEqual([
    500,
    "1",
    null,
    "Query not found",
  ]);
});

const refusals: [method: string, path: string, body: string, status: number, text: string][] = [
  ["POST", "/v1/query", "", 400, "Request decode failed: EOF"],
  ["POST", "/v1/query", "{", 400, "Request decode failed: unexpected EOF"],
  ["POST", "/v1/query", "null", 500, "Invalid prepared query: Must be bound to a session"],
  [
    "POST",
    "/v1/query",
    '{"Namespace":"x"}',
    400,
    'Request decode failed: json: unknown field "Namespace"',
  ],
  [
    "POST",
    "/v1/query",
    '{"Service":{"Bogus":1}}',
    400,
    'Request decode failed: json: unknown field "Bogus"',
  ],
  [
    "POST",
    "/v1/query",
    '{"Service":{"IgnoreCheckIDs":1}}',
    400,
    "Request decode failed: json: cannot unmarshal number into Go struct field ServiceQuery.Service.IgnoreCheckIDs of type []types.CheckID",
  ],
  [
    "POST",
    "/v1/query",
    '{"Service":{"Failover":{"NearestN":"x"}}}',
    400,
    "Request decode failed: json: cannot unmarshal string into Go struct field QueryDatacenterOptions.Service.Failover.NearestN of type int",
  ],
  [
    "POST",
    "/v1/query",
    '{"CreateIndex":"5"}',
    400,
    "Request decode failed: json: cannot unmarshal string into Go struct field PreparedQuery.CreateIndex of type uint64",
  ],
  [
    "POST",
    "/v1/query?dc=zz",
    '{"Name":"n","Service":{"Service":"s"}}',
    500,
    "No path to datacenter",
  ],
  [
    "POST",
    "/v1/query",
    `{"ID":"${other}"}`,
    500,
    "ID must be empty when creating a new prepared query",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Token":"<hidden>"}',
    500,
    "Invalid prepared query: Bad Token '<hidden>', it looks like a query definition with a redacted " +
      "token was submitted",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Service":{"Failover":{"NearestN":-1}}}',
    500,
    "Invalid prepared query: Must provide a Service name to query",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Service":{"Service":"s","Failover":{"NearestN":-1}},"DNS":{"TTL":"x"}}',
    500,
    "Invalid prepared query: Bad NearestN '-1', must be >= 0",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Service":{"Service":"s","NodeMeta":{"":"x"}}}',
    500,
    "Invalid prepared query: Couldn't load metadata pair ('', 'x'): Key cannot be blank",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Service":{"Service":"s"},"DNS":{"TTL":"x"}}',
    500,
    "Invalid prepared query: Bad DNS TTL 'x': time: invalid duration \"x\"",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Service":{"Service":"s"},"DNS":{"TTL":"-5s"}}',
    500,
    "Invalid prepared query: DNS TTL '-5000000000', must be >=0",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"Q","Session":"x","Service":{"Service":"s"}}',
    500,
    "name 'Q' aliases an existing query name",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Session":"x","Template":{"Type":"bad"},"Service":{"Service":"s"}}',
    500,
    "invalid session: index error: UUID must be 36 characters",
  ],
  [
    "POST",
    "/v1/query",
    '{"Name":"n","Template":{"Type":"bad"},"Service":{"Service":"s"}}',
    500,
    "failed compiling template: Bad Template.Type 'bad'",
  ],
  ["PUT", `/v1/query/${other}`, "{}", 500, `Cannot modify non-existent prepared query: '${other}'`],
  ["PUT", `/v1/query/${id}`, "", 500, "Invalid prepared query: Must be bound to a session"],
  [
    "PUT",
    "/v1/query/x",
    "{}",
    500,
    "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters",
  ],
  [
    "DELETE",
    "/v1/query/x",
    "",
    500,
    "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters",
  ],
  [
    "DELETE",
    `/v1/query/${other}`,
    "",
    500,
    `Cannot modify non-existent prepared query: '${other}'`,
  ],
  [
    "GET",
    "/v1/query/q",
    "",
    500,
    "failed prepared query lookup: index error: UUID must be 36 characters",
  ],
  [
    "GET",
    "/v1/query/",
    "",
    500,
    "failed prepared query lookup: index error: UUID must be 36 characters",
  ],
  ["GET", "/v1/query?index=x", "", 400, "Invalid index"],
  ["GET", "/v1/query/q/execute?limit=x&connect=y&index=z", "", 400, "Invalid index"],
  [
    "GET",
    "/v1/query/q/execute?limit=x&connect=y",
    "",
    500,
    'Bad limit: strconv.Atoi: parsing "x": invalid syntax',
  ],
  [
    "GET",
    "/v1/query/q/execute?limit=99999999999999999999",
    "",
    500,
    'Bad limit: strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
  [
    "GET",
    "/v1/query/q/execute?connect=y",
    "",
    500,
    "Error parsing 'connect' value: strconv.ParseBool: parsing \"y\": invalid syntax",
  ],
  ["GET", "/v1/query/q/execute?dc=zz", "", 500, "No path to datacenter"],
  ["GET", "/v1/query/q/explain?dc=zz", "", 500, "No path to datacenter"],
  ["GET", "/v1/query/execute", "", 404, "Query not found"],
  ["GET", "/v1/query/explain", "", 404, "Query not found"],
  ["GET", "/v1/query/a/b/explain", "", 404, "Query not found"],
  ["GET", `/v1/query/${other}`, "", 404, "Query not found"],
];

test.each(refusals)("%s %s %j is %i %s", async (method, path, body, status, text) => {
  const client = await withQuery();
  const reply = await client.send(method, path, method === "GET" ? {} : { body });
  expect([reply.status, reply.text]).toEqual([status, text]);
});

test("reads that fail say so in their headers, but not those of what does not exist", async () => {
  const client = await withQuery();
  const index = async (path: string) => (await client.get(path)).headers.get("X-Consul-Index");
  expect(await index("/v1/query/q/execute?dc=zz")).toBe("1");
  expect(await index("/v1/query/none/execute?cached")).toBe("1");
  expect(await index("/v1/query/none/execute")).toBeNull();
  expect(await index("/v1/query/q/execute?limit=x")).toBeNull();
});

const methods: [method: string, path: string, status: number, allow: string, text: string][] = [
  ["OPTIONS", "", 200, "OPTIONS,GET,POST", ""],
  ["PUT", "", 405, "OPTIONS,GET,POST", "method PUT not allowed"],
  ["OPTIONS", "/x", 200, "OPTIONS,GET,PUT,DELETE", "{}"],
  ["OPTIONS", "/x/execute", 200, "OPTIONS,GET", "{}"],
  ["OPTIONS", "/x/explain", 200, "OPTIONS,GET", "{}"],
  ["POST", "/x", 405, "GET,PUT,DELETE", "method POST not allowed"],
  ["PATCH", "/x/explain", 405, "GET", "method PATCH not allowed"],
  ["PUT", "/x/execute", 405, "GET", "method PUT not allowed"],
  ["DELETE", "/x/explain", 405, "GET", "method DELETE not allowed"],
  ["HEAD", "/x", 405, "GET,PUT,DELETE", ""],
];

test.each(methods)("%s /v1/query%s is %i", async (method, path, status, allow, text) => {
  const client = new ApiClient();
  const reply = await client.send(method, `/v1/query${path}`);
  expect([reply.status, reply.headers.get("Allow"), reply.text]).toEqual([status, allow, text]);
});
