// What a token may do, route by route: each is tried with rules that do not reach it, that just reach it, and that are
// taken back by a longer or an exact rule. Expected values are those of Consul's table (semantics §11.3).

import { beforeAll, describe, expect, test } from "vitest";

import { AclClient, administrator } from "../../support/acl-client.ts";

let client: AclClient;

beforeAll(async () => {
  client = await AclClient.start();
  const register = (Node: string, Service: string) =>
    client.administer("PUT", "/v1/catalog/register", {
      ...{ Node, Address: "10.0.0.1", Service: { Service, Port: 1 } },
      Checks: [{ Name: "alive", Status: "passing", ServiceID: Service }],
    });
  await register("web-1", "web");
  await register("db-1", "db");
  await register("old-1", "old");
  await client.administer("PUT", "/v1/kv/app/a", "1");
  await client.administer("PUT", "/v1/kv/other", "1");
});

async function status(rules: string, method: string, path: string, body?: object | string) {
  const { secret } = await client.token(rules);
  return (await client.as(secret, method, path, body)).status;
}

type Case = [
  route: string,
  request: [method: string, path: string, body?: object | string],
  enough: string,
  tooLittle: string,
];

const registration = { Node: "web-1", Address: "10.0.0.1", Service: { Service: "web", Port: 2 } };
const check = { Node: "web-1", Address: "10.0.0.1", Check: { Name: "disk", Status: "passing" } };

/** What is denied is 403: `enough` is the least that opens it, `tooLittle` the most that does not. */
const denied: Case[] = [
  [
    "read a key",
    ["GET", "/v1/kv/app/a"],
    'key "app/a" { policy = "read" }',
    'key "app" { policy = "write" }',
  ],
  [
    "a key by prefix",
    ["GET", "/v1/kv/app/a"],
    'key_prefix "app/" { policy = "read" }',
    'key_prefix "app/b" { policy = "write" }',
  ],
  [
    "write a key",
    ["PUT", "/v1/kv/app/b", "1"],
    'key "app/b" { policy = "write" }',
    'key "app/b" { policy = "list" }',
  ],
  [
    "delete a key",
    ["DELETE", "/v1/kv/app/c"],
    'key_prefix "" { policy = "write" }',
    'key_prefix "" { policy = "write" } key "app/c" { policy = "read" }',
  ],
  [
    "delete a tree",
    ["DELETE", "/v1/kv/none/?recurse"],
    'key_prefix "none/" { policy = "write" }',
    'key_prefix "none/" { policy = "write" } key "none/x" { policy = "read" }',
  ],
  [
    "register a service",
    ["PUT", "/v1/catalog/register", registration],
    'service "web" { policy = "write" }',
    'service_prefix "" { policy = "read" } node_prefix "" { policy = "write" }',
  ],
  [
    "change a node",
    ["PUT", "/v1/catalog/register", { Node: "web-1", Address: "10.0.0.9" }],
    'node "web-1" { policy = "write" }',
    'node "web-1" { policy = "read" }',
  ],
  [
    "a new node",
    ["PUT", "/v1/catalog/register", { Node: "new", Address: "10.0.0.9" }],
    'node_prefix "" { policy = "write" }',
    'node_prefix "web" { policy = "write" }',
  ],
  [
    "a check of a node",
    ["PUT", "/v1/catalog/register", check],
    'node "web-1" { policy = "write" }',
    'service_prefix "" { policy = "write" }',
  ],
  [
    "deregister a service",
    ["PUT", "/v1/catalog/deregister", { Node: "old-1", ServiceID: "old" }],
    'service "old" { policy = "write" }',
    'service "old" { policy = "read" } node "old-1" { policy = "read" }',
  ],
  [
    "deregister a node",
    ["PUT", "/v1/catalog/deregister", { Node: "gone" }],
    'node "gone" { policy = "write" }',
    'service_prefix "" { policy = "write" }',
  ],
  [
    "create a session",
    ["PUT", "/v1/session/create", { Node: "web-1", NodeChecks: [] }],
    'session "web-1" { policy = "write" }',
    'session "web-1" { policy = "read" } node "web-1" { policy = "write" }',
  ],
  [
    "a coordinate",
    [
      "PUT",
      "/v1/coordinate/update",
      { Node: "web-1", Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Height: 1 } },
    ],
    'node "web-1" { policy = "write" }',
    'node "web-1" { policy = "read" }',
  ],
  [
    "the group of servers",
    ["GET", "/v1/operator/raft/configuration"],
    'operator = "read"',
    'acl = "write"',
  ],
  ["ACLs", ["GET", "/v1/acl/policies"], 'acl = "read"', 'operator = "write"'],
  ["a new policy", ["PUT", "/v1/acl/policy", { Name: "made" }], 'acl = "write"', 'acl = "read"'],
];

test.each(denied)("%s", async (_name, [method, path, body], enough, tooLittle) => {
  expect((await client.as(null, method, path, body)).status).toBe(403);
  const unknown = await client.as(crypto.randomUUID(), method, path, body);
  expect([unknown.status, unknown.text]).toEqual([403, "ACL not found"]);
  expect(await status(tooLittle, method, path, body)).toBe(403);
  expect(await status(enough, method, path, body)).toBe(200);
});

type Listing = [path: string, rules: string, shown: unknown];

const everything = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }';

/** What is filtered is 200, with less. */
const filtered: Listing[] = [
  ["/v1/catalog/nodes", 'node "web-1" { policy = "read" }', ["web-1"]],
  ["/v1/catalog/services", 'service "web" { policy = "read" }', ["web"]],
  ["/v1/catalog/service/web", 'service "web" { policy = "read" }', []],
  [
    "/v1/catalog/service/web",
    'service "web" { policy = "read" } node "web-1" { policy = "read" }',
    ["web-1"],
  ],
  ["/v1/health/service/web", `${everything} service "web" { policy = "deny" }`, []],
  [
    "/v1/health/state/any",
    'node "web-1" { policy = "read" } service "web" { policy = "read" }',
    ["web-1", "web-1"],
  ],
  ["/v1/health/checks/web", 'node_prefix "" { policy = "read" }', []],
  ["/v1/kv/app/?keys", 'key_prefix "app/a" { policy = "read" }', ["app/a"]],
];

describe.each(filtered)("%s with %s", (path, rules, shown) => {
  test("shows what may be seen, and says that there is more", async () => {
    const { secret } = await client.token(rules);
    const answer = await client.as(secret, "GET", path);
    expect(answer.status).toBe(200);
    expect(namesIn(answer.json)).toEqual(expect.arrayContaining(shown as unknown[]));
    if ((shown as unknown[]).length === 0) expect(namesIn(answer.json)).toEqual([]);
    for (const name of namesIn(answer.json)) expect(shown).toContain(name);
    const whole = await client.as(administrator, "GET", path);
    const isLess = namesIn(answer.json).length < namesIn(whole.json).length;
    const header = "x-consul-results-filtered-by-acls";
    expect(answer.headers.get(header)).toBe(isLess ? "true" : null);
    expect(whole.headers.get("x-consul-results-filtered-by-acls")).toBeNull();
  });
});

function namesIn(body: unknown): string[] {
  if (!Array.isArray(body)) return Object.keys(body as object);
  return body.map((each: string | { Node: string | { Node: string } }) => {
    if (typeof each === "string") return each;
    return typeof each.Node === "string" ? each.Node : each.Node.Node;
  });
}

test("a session is renewed and destroyed by whoever may write it", async () => {
  const { ID } = await client.administer<{ ID: string }>("PUT", "/v1/session/create", {
    ...{ Node: "web-1", NodeChecks: [] },
  });
  const { secret } = await client.token('session "web-1" { policy = "read" }');
  expect((await client.as(secret, "PUT", `/v1/session/destroy/${ID}`)).status).toBe(403);
  expect((await client.as(secret, "GET", `/v1/session/info/${ID}`)).json).toHaveLength(1);
  expect((await client.as(null, "GET", `/v1/session/info/${ID}`)).json).toEqual([]);
});

test("listing keys may be a permission of its own", async () => {
  const strict = await AclClient.start({ keyListPolicy: true });
  await strict.administer("PUT", "/v1/kv/app/a", "1");
  const reader = await strict.token('key_prefix "app/" { policy = "read" }');
  const lister = await strict.token('key_prefix "app/" { policy = "list" }');
  expect((await strict.as(reader.secret, "GET", "/v1/kv/app/?recurse")).status).toBe(403);
  expect((await strict.as(lister.secret, "GET", "/v1/kv/app/?recurse")).status).toBe(200);
});

test("by default allowed is everything but ACLs", async () => {
  const open = await AclClient.start({ defaultPolicy: "allow" });
  expect((await open.as(null, "PUT", "/v1/kv/a", "1")).status).toBe(200);
  expect((await open.as(null, "GET", "/v1/acl/policies")).status).toBe(403);
});

test("rules are held against names as they were given", async () => {
  await client.administer("PUT", "/v1/catalog/register", {
    ...{ Node: "Mixed", Address: "10.0.0.1", Service: { Service: "Case", Port: 1 } },
  });
  const rules = 'node "Mixed" { policy = "read" } service "Case" { policy = "read" }';
  const { secret } = await client.token(rules);
  expect((await client.as(secret, "GET", "/v1/catalog/service/case")).json).toHaveLength(1);
  const other = await client.token(rules.toLowerCase());
  expect((await client.as(other.secret, "GET", "/v1/catalog/service/case")).json).toEqual([]);
});

describe("time", () => {
  test("a token ends when it was to end", async () => {
    const { SecretID } = await client.administer<{ SecretID: string }>("PUT", "/v1/acl/token", {
      ...{ ExpirationTTL: "1m", NodeIdentities: [{ NodeName: "web-1", Datacenter: "dc1" }] },
    });
    const machine = client.cluster.machine;
    const asked = (nowMs: number) => () =>
      machine.read("catalog.nodes", {}, { nowMs, token: SecretID });
    expect(asked(Date.now() + 59_000)().body).toContain("web-1");
    expect(asked(Date.now() + 61_000)).toThrow("ACL not found");
  });
});
