// Every route, with every kind of token: none, one that does not exist, one that has ended, and ones whose rules deny,
// read, list or write exactly, by prefix, by another prefix, and by a prefix from which a longer one takes it back.
// What is expected follows from one line of test/support/acl-matrix.ts for each route.

import { beforeAll, describe, expect, test } from "vitest";

import { restrictedAgentArea } from "../../../src/api/agent-acl.ts";
import { createApi, apiAreas } from "../../../src/api/index.ts";
import { Permissions } from "../../../src/api/permissions.ts";
import { HostLeaves } from "../../../src/agent/leaf-memory.ts";
import type { Access, Resource } from "../../../src/core/acl/access.ts";
import { MemoryAgent } from "../../agent/memory-agent.ts";
import { administrator } from "../../support/acl-client.ts";
import { hidden, matrix, type Need, type Row } from "../../support/acl-matrix.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { newState, testNode } from "../agent/support.ts";

let nowMs = Date.now();
const cluster = new MemoryCluster({
  ...{ acl: { defaultPolicy: "deny", keyListPolicy: false }, connect: {} },
  nowMs: () => nowMs,
});
const agent = new MemoryAgent(newState());
const permissions = new Permissions({
  ...{ cluster, nowMs: () => nowMs, downPolicy: "extend-cache", ttlMs: 30_000 },
});
const dependencies = {
  cluster,
  leaves: new HostLeaves(cluster, "dc1"),
  nodeName: testNode.name,
  areas: [
    restrictedAgentArea({
      agent,
      nodeName: testNode.name,
      authorizer: (token) => permissions.of(token),
    }),
  ],
  settings: { aclEnabled: true },
  random: () => 0,
  uuid: () => crypto.randomUUID(),
  onError: () => undefined,
};
const api = createApi(dependencies);

interface Answer {
  status: number;
  text: string;
}

async function ask(
  token: string | null,
  method: string,
  path: string,
  body?: object | string,
): Promise<Answer> {
  const response = await api.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: token === null ? {} : { "X-Consul-Token": token },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  return { status: response.status, text: await response.text() };
}

async function administer(method: string, path: string, body?: object | string): Promise<string> {
  const { status, text } = await ask(administrator, method, path, body);
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text;
}

const secrets = new Map<string, Promise<string>>();

/** A token with these rules; the same one each time. */
async function tokenWith(rules: string, ttl?: string): Promise<string> {
  const key = `${rules} ${ttl ?? ""}`;
  const made = secrets.get(key) ?? makeToken(rules, ttl);
  secrets.set(key, made);
  return await made;
}

async function makeToken(rules: string, ttl?: string): Promise<string> {
  const Name = crypto.randomUUID();
  await administer("PUT", "/v1/acl/policy", { Name, Rules: rules });
  const token = { Policies: [{ Name }], ...(ttl !== undefined && { ExpirationTTL: ttl }) };
  const text = await administer("PUT", "/v1/acl/token", token);
  return (JSON.parse(text) as { SecretID: string }).SecretID;
}

/** Everything may be written but one resource. */
function everythingBut(left?: Resource): string {
  return [
    ...["agent", "event", "key", "node", "query", "session"]
      .filter((each) => each !== left)
      .map((each) => `${each}_prefix "" { policy = "write" }`),
    'service_prefix "" { policy = "write" intentions = "write" }',
    ...["acl", "keyring", "operator"]
      .filter((each) => each !== left)
      .map((each) => `${each} = "write"`),
  ].join(" ");
}

const everything = everythingBut();

const expired = { secret: "" };

beforeAll(async () => {
  const accessor = crypto.randomUUID();
  await cluster.writeOwn({ type: "acl.initialize", master: administrator, accessor });
  await cluster.authority.initialize();
  expired.secret = await tokenWith(everything, "1m");
  nowMs += 120_000;
  await makeWorld();
  hear();
});

const named: Record<string, string> = {};

async function makeWorld(): Promise<void> {
  const register = (body: object) => administer("PUT", "/v1/catalog/register", body);
  const web = { Node: "Web-1", Address: "10.0.0.1" };
  const up = { CheckID: "up", Name: "up", Status: "passing", ServiceID: "Web" };
  await register({ ...web, Service: { Service: "Web", Port: 1 }, Check: up });
  const Proxy = { DestinationServiceName: "Web" };
  const proxy = { Kind: "connect-proxy", Service: "Web-proxy", Port: 2, Proxy };
  await register({ ...web, Service: proxy });
  await administer("PUT", "/v1/kv/app/Key", "1");
  await administer("PUT", "/v1/config", { Kind: "service-defaults", Name: "Web" });
  const gate = { Kind: "ingress-gateway", Service: "Gate", Port: 3 };
  await register({ ...web, Service: gate });
  const Listeners = [{ Port: 80, Protocol: "tcp", Services: [{ Name: "Db" }] }];
  await administer("PUT", "/v1/config", { Kind: "ingress-gateway", Name: "Gate", Listeners });
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Height: 1 };
  await administer("PUT", "/v1/coordinate/update", { Node: "Web-1", Coord });
}

function hear(): void {
  const filters = { NodeFilter: "", ServiceFilter: "", TagFilter: "" };
  const event = { ID: crypto.randomUUID(), Name: "Deploy", Payload: "", ...filters };
  agent.heard.take([{ ...event, Version: 1, LTime: 1 }]);
}

const intention = { SourceName: "Web", DestinationName: "Web", Action: "allow" };
const makers: Record<string, () => Promise<string>> = {
  session: () => administer("PUT", "/v1/session/create", { Node: "Web-1", NodeChecks: [] }),
  query: () => administer("POST", "/v1/query", { Name: "Find", Service: { Service: "Web" } }),
  intention: () => administer("POST", "/v1/connect/intentions", intention),
  legacy: () => administer("PUT", "/v1/acl/create", { Name: "legacy" }),
};

const places: Record<string, string> = {
  ...{ session: "session/info", query: "query" },
  ...{ intention: "connect/intentions", legacy: "acl/info" },
};

const gone = { Node: "Gone-1", Address: "10.0.0.2", Service: { Service: "Gone", Port: 1 } };

/** What a request is about exists before it, whatever the request before has done. */
async function prepare(path: string): Promise<void> {
  for (const [name, make] of Object.entries(makers)) {
    const known = named[name];
    const found = known && (await ask(administrator, "GET", `/v1/${places[name]}/${known}`));
    if (found && found.status === 200 && found.text !== "[]") continue;
    named[name] = (JSON.parse(await make()) as { ID: string }).ID;
  }
  if (path === "/v1/catalog/deregister") await administer("PUT", "/v1/catalog/register", gone);
  if (!path.startsWith("/v1/agent/")) return;
  const Check = { CheckID: "alive", Name: "alive", TTL: "1m" };
  await administer("PUT", "/v1/agent/service/register", { Name: "Web", Check });
}

async function askRow([route, path, , body]: Row, token: string | null): Promise<Answer> {
  const [method = "", start = ""] = route.split(" ");
  await prepare(start);
  const filled = path.replace(/\{(\w+)\}/, (_whole, name: string) => named[name] ?? "");
  return await ask(token, method, start + filled, body);
}

const unnamed: ReadonlySet<Resource> = new Set(["acl", "operator", "keyring"]);
const strength: Record<string, number> = { deny: 0, read: 1, list: 2, write: 3 };

type Grant = [what: string, rules: string, allowed: boolean];

function rule(resource: Resource, segment: string, level: string, isPrefix = false): string {
  if (unnamed.has(resource)) return `${resource} = "${level}"`;
  const kind = resource === "intention" ? "service" : resource;
  const policy =
    resource === "intention" ? `policy = "deny" intentions = "${level}"` : `policy = "${level}"`;
  return `${kind}${isPrefix ? "_prefix" : ""} ${JSON.stringify(segment)} { ${policy} }`;
}

/** Rules about one permission, and whether they are enough. */
function grants([resource, segment, access]: Need): Grant[] {
  const enough = (level: string) => (strength[level] ?? 0) >= (strength[access] ?? 0);
  const levels = resource === "key" ? ["deny", "read", "list", "write"] : ["deny", "read", "write"];
  const exact = levels.map((level): Grant => {
    return [`exact ${level}`, rule(resource, segment, level), enough(level)];
  });
  if (unnamed.has(resource)) return exact;
  const start = segment.slice(0, -1);
  const level: Access = access;
  return [
    ...exact,
    [`prefix ${level}`, rule(resource, start, level, true), true],
    ["empty prefix write", rule(resource, "", "write", true), true],
    ["wrong prefix", rule(resource, `${segment}x`, "write", true), false],
    ["wrong name", rule(resource, start, "write"), false],
    ["wrong case", rule(resource, segment.toUpperCase(), "write"), false],
    [
      "a longer prefix denies",
      `${rule(resource, "", "write", true)} ${rule(resource, start, "deny", true)}`,
      false,
    ],
    [
      "a longer prefix allows",
      `${rule(resource, "", "deny", true)} ${rule(resource, start, level, true)}`,
      true,
    ],
    [
      "exactly denied",
      `${rule(resource, start, "write", true)} ${rule(resource, segment, "deny")}`,
      false,
    ],
    [
      "exactly allowed",
      `${rule(resource, start, "deny", true)} ${rule(resource, segment, level)}`,
      true,
    ],
  ];
}

function isDenied({ status, text }: Answer): boolean {
  if (status === 500 && /keyring denied (by|due to) ACLs/.test(text)) return true;
  return (status === 403 || status === 409) && text.includes("Permission denied");
}

test("every route has a row", () => {
  const routes = apiAreas(dependencies).flatMap((area) =>
    Object.entries(area).flatMap(([path, endpoint]) =>
      Object.keys(endpoint).map((method) => `${method} ${path}`),
    ),
  );
  const listed = [...matrix, ...hidden].map(([route]) => route);
  expect(listed.toSorted()).toEqual(routes.toSorted());
});

const rows = [...matrix, ...hidden];
const fixed = rows.flatMap((row) => {
  const [route, , expected] = row;
  return typeof expected === "string" ? [{ route, row, expected }] : [];
});
const judged = rows.flatMap((row) => {
  const [route, , expected] = row;
  return typeof expected === "string" ? [] : [{ route, row, expected }];
});

/** Consul's exception. */
function unknownStatus([route]: Row): number {
  return route === "PUT /v1/event/fire/" ? 500 : 403;
}

test.each(rows.map((row) => ({ route: row[0], row })))(
  "$route: a token that does not exist, or has ended, is none",
  async ({ row }) => {
    const [, , expected] = row;
    for (const token of [crypto.randomUUID(), expired.secret]) {
      const { status, text } = await askRow(row, token);
      if (expected === "nobody asks") expect(status).toBe(200);
      else if (expected === "never") expect(status).not.toBe(200);
      else expect([status, text]).toEqual([unknownStatus(row), "ACL not found"]);
    }
  },
);

test.each(fixed)("$route: what a token may do makes no difference", async ({ row, expected }) => {
  const without = row[0] === "GET /v1/acl/token/self" ? [] : [null];
  for (const token of [...without, await tokenWith(""), await tokenWith(everything)]) {
    const { status } = await askRow(row, token);
    if (expected === "never") expect(status).not.toBe(200);
    else expect(status).toBe(200);
  }
});

describe.each(judged)("$route", ({ row, expected }) => {
  const need = "denied" in expected ? expected.denied : expected.filtered;
  const also = "shows" in expected ? (expected.also ?? "") : "";
  const isShown = (answer: Answer): boolean =>
    "shows" in expected ? answer.text.includes(expected.shows) : !isDenied(answer);

  test("no token, and one without rules, may nothing", async () => {
    for (const token of [null, await tokenWith("")]) {
      expect(isShown(await askRow(row, token))).toBe(false);
    }
  });

  test("an administrator may everything", async () => {
    expect(isShown(await askRow(row, administrator))).toBe(true);
  });

  test("other permissions do not help", async () => {
    const [resource, segment] = need;
    const rules = `${everythingBut(expected.or)} ${rule(resource, segment, "deny")}`;
    expect(isShown(await askRow(row, await tokenWith(rules)))).toBe(false);
  });

  test.each(grants(need))("%s", async (_what, rules, allowed) => {
    const answer = await askRow(row, await tokenWith(`${rules} ${also}`));
    expect(isShown(answer)).toBe(allowed);
    if ("shows" in expected && !hidden.includes(row)) expect(answer.status).toBe(200);
  });
});
