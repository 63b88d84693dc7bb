// Archives between Consul and this: everything that a datacenter holds is moved from the real one, and back, and
// compared item by item as clients see it. And several machines, one of which is killed in the middle of a restore.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { consulBinary, type RealConsul, startConsul, stopConsuls } from "../support/consul.ts";
import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { machineOptions } from "../support/machines.ts";
import { Proconsul, request, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { run } from "../support/programs.ts";

const master = "e95b599e-166e-7d80-08ad-aee76e7ddf19";
const headers = { "X-Consul-Token": master };
const limitMs = 170_000;

afterAll(async () => {
  await Promise.all([stopAll(), stopConsuls()]);
});

async function save(url: string): Promise<Uint8Array> {
  const response = await fetch(`${url}/v1/snapshot`, { headers });
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function restore(url: string, archive: Uint8Array): Promise<void> {
  const body = new Uint8Array(archive);
  const response = await fetch(`${url}/v1/snapshot`, { method: "PUT", headers, body });
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

const binary = consulBinary();
const many = { keys: 10_000, services: 1_000, nodes: 50, acls: 20, others: 20 };
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Something of everything, at the real one. No node has `serfHealth`: those who are no members would be removed. */
async function populate(url: string): Promise<void> {
  const send = async (method: string, path: string, body?: object | string): Promise<string> => {
    const ask = { method, headers, ...(body !== undefined && { body }) };
    const { status, text } = await request(`${url}/v1/${path}`, ask);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  };
  for (let from = 0; from < many.keys; from += 64) {
    const some = numbers(Math.min(64, many.keys - from)).map((n) => from + n);
    const operations = some.map((n) => {
      const Value = createHash("sha512").update(String(n)).digest("base64");
      return { KV: { Verb: "set", Key: `app/${n % 97}/${n}`, Value, Flags: n } };
    });
    await send("PUT", "txn", operations);
  }
  await send("DELETE", "kv/app/3/?recurse");
  await populateCatalog(send);
  await populateAcls(send);
  await populateRest(send);
}

type Send = (method: string, path: string, body?: object | string) => Promise<string>;

async function populateCatalog(send: Send): Promise<void> {
  for (const n of numbers(many.services)) {
    const node = n % many.nodes;
    const ID = `service-${n}`;
    await send("PUT", "catalog/register", {
      ...{ Node: `Node-${node}`, Address: `10.0.0.${node}`, NodeMeta: { rack: `${node % 7}` } },
      ID: `00000000-0000-0000-0000-${String(node).padStart(12, "0")}`,
      SkipNodeUpdate: n >= many.nodes,
      Service: {
        ...{
          ID,
          Service: `Web-${n % 300}`,
          Port: n,
          Tags: [`v${n % 3}`, "all"],
          Meta: { n: `${n}` },
        },
        ...(n % 10 === 0 && { TaggedAddresses: { wan: { Address: "9.9.9.9", Port: n } } }),
        ...(n % 7 === 0 && { Weights: { Passing: 3, Warning: 2 }, EnableTagOverride: true }),
      },
      Checks: [
        { CheckID: `up-${n}`, Name: "up", Status: n % 9 ? "passing" : "critical", ServiceID: ID },
        { CheckID: "disk", Name: "disk", Status: "warning", Output: "93 %" },
      ],
    });
  }
  const proxy = {
    DestinationServiceName: "Web-1",
    Upstreams: [upstream],
    Config: { a: 1.5, b: ["x"] },
  };
  await send("PUT", "catalog/register", {
    ...{ Node: "Node-1", Address: "10.0.0.1", SkipNodeUpdate: true },
    Service: { Kind: "connect-proxy", ID: "proxy", Service: "Web-1-proxy", Port: 1, Proxy: proxy },
  });
}

const upstream = { DestinationName: "db", LocalBindPort: 1_234 };

async function populateAcls(send: Send): Promise<void> {
  for (const n of numbers(many.acls)) {
    const rules = { Rules: `key_prefix "app/${n}/" { policy = "write" }` };
    await send("PUT", "acl/policy", { Name: `policy-${n}`, Description: `${n}`, ...rules });
    const policies = { Policies: [{ Name: `policy-${n}` }] };
    const identities = {
      ServiceIdentities: [{ ServiceName: `web-${n}`, Datacenters: ["dc1"] }],
      NodeIdentities: [{ NodeName: `node-${n}`, Datacenter: "dc1" }],
    };
    await send("PUT", "acl/role", { Name: `role-${n}`, ...policies, ...identities });
    const roles = { Roles: [{ Name: `role-${n}` }], Local: n % 2 === 0 };
    const ttl = n % 5 === 0 ? { ExpirationTTL: "20h" } : {};
    await send("PUT", "acl/token", { Description: `token ${n}`, ...policies, ...roles, ...ttl });
  }
  const roots = JSON.parse(await send("GET", "connect/ca/roots")) as {
    Roots: { RootCert: string }[];
  };
  const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln";
  const CACert = roots.Roots[0]?.RootCert;
  await send("PUT", "acl/auth-method", {
    ...{ Name: "k8s", Type: "kubernetes", Description: "method", MaxTokenTTL: "5m" },
    Config: { Host: "https://k8s.example", CACert, ServiceAccountJWT: jwt },
  });
  const binding = { AuthMethod: "k8s", BindType: "service", BindName: "b", Selector: "" };
  await send("PUT", "acl/binding-rule", binding);
}

async function populateRest(send: Send): Promise<void> {
  const session = {
    Node: "Node-1",
    NodeChecks: [],
    TTL: "3600s",
    LockDelay: "7s",
    Behavior: "delete",
  };
  const { ID } = JSON.parse(await send("PUT", "session/create", session)) as { ID: string };
  await send("PUT", `kv/locked?acquire=${ID}`, "held");
  const defaults = { Kind: "proxy-defaults", Name: "global", Config: { protocol: "http", n: 5 } };
  await send("PUT", "config", defaults);
  for (const n of numbers(many.others)) {
    const Service = { Service: `Web-${n}`, Failover: { Datacenters: ["dc2"] }, OnlyPassing: true };
    await send("POST", "query", { Name: `find-${n}`, Service, DNS: { TTL: "10s" } });
    const pair = { SourceName: n % 4 ? `web-${n}` : "*", DestinationName: `db-${n}` };
    await send("POST", "connect/intentions", {
      ...pair,
      Action: n % 2 ? "allow" : "deny",
      Meta: { n: "x" },
    });
    await send("PUT", "config", { Kind: "service-defaults", Name: `web-${n}`, Protocol: "http" });
    const Subsets = { v1: { Filter: "Service.Meta.n == 1" } };
    await send("PUT", "config", {
      ...{ Kind: "service-resolver", Name: `web-${n}`, Subsets },
      ...{ DefaultSubset: "v1", ConnectTimeout: "3s", Failover: { "*": { Service: "db" } } },
    });
  }
  const Splits = [
    { Weight: 30.5, ServiceSubset: "v1" },
    { Weight: 69.5, Service: "web-2" },
  ];
  await send("PUT", "config", { Kind: "service-splitter", Name: "web-1", Splits });
  const Routes = [{ Match: { HTTP: { PathPrefix: "/a" } }, Destination: { Service: "web-3" } }];
  await send("PUT", "config", { Kind: "service-router", Name: "web-1", Routes });
  const listeners = [{ Port: 80, Protocol: "http", Services: [{ Name: "web-1", Hosts: ["a.b"] }] }];
  await send("PUT", "config", { Kind: "ingress-gateway", Name: "in", Listeners: listeners });
  await send("PUT", "config", {
    Kind: "terminating-gateway",
    Name: "out",
    Services: [{ Name: "ext" }],
  });
  const autopilot = {
    CleanupDeadServers: false,
    MaxTrailingLogs: 100,
    ServerStabilizationTime: "11s",
  };
  await send("PUT", "operator/autopilot/configuration", autopilot);
}

const lists = [
  ...["kv/?recurse", "session/list", "catalog/nodes", "health/state/any", "query"],
  ...["connect/intentions", "acl/policies", "acl/roles", "acl/auth-methods", "acl/binding-rules"],
  ...["acl/tokens", "config/service-defaults", "config/service-resolver", "config/service-router"],
  ...["config/service-splitter", "config/proxy-defaults", "config/ingress-gateway"],
  ...["config/terminating-gateway", "catalog/gateway-services/in", "catalog/gateway-services/out"],
];
const single = [
  ...["operator/autopilot/configuration", "connect/ca/roots", "connect/ca/configuration"],
  ...["acl/auth-method/k8s", "acl/policy/name/policy-3", "acl/role/name/role-3"],
];

type Item = Record<string, unknown>;

/** Everything that clients can ask for, item by item, without the servers' own nodes. */
async function everything(url: string, servers: readonly string[]): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  const get = async (path: string): Promise<unknown> => {
    const { status, text } = await request(`${url}/v1/${path}`, { headers });
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return JSON.parse(text) as unknown;
  };
  for (const path of lists) {
    for (const item of (await get(path)) as Item[]) {
      if (servers.includes(String(item.Node))) continue;
      found.set(`${path} ${nameOf(item)}`, item);
    }
  }
  for (const path of single) found.set(path, await get(path));
  for (const n of numbers(many.nodes).filter((node) => node !== 1)) {
    found.set(`node ${n}`, await get(`catalog/node/Node-${n}`));
  }
  for (const n of numbers(300)) found.set(`service ${n}`, await get(`health/service/Web-${n}`));
  for (const item of (await get("acl/tokens")) as { AccessorID: string }[]) {
    found.set(`token ${item.AccessorID}`, await get(`acl/token/${item.AccessorID}`));
  }
  return found;
}

function nameOf(item: Item): string {
  const names = ["Node", "CheckID", "ServiceID", "Key", "ID", "AccessorID", "Name"];
  const { Service: service } = item;
  const isNamed = typeof service === "object" && service !== null && "Name" in service;
  const own = names.map((name) => (typeof item[name] === "string" ? item[name] : "")).join(" ");
  return isNamed ? `${own} ${String((service as Item).Name)}` : own;
}

function differences(one: Map<string, unknown>, other: Map<string, unknown>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((key) => {
    const [before, after] = [one, other].map((all) => JSON.stringify(sorted(all.get(key))));
    return before === after ? [] : [`${key}: ${before} => ${after}`];
  });
}

/** Members in the order of their names: here and there, maps may be written in another one. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

describe.runIf(binary !== null)("from Consul and back", () => {
  let source: RealConsul;
  let ours: Proconsul;
  let original: Map<string, unknown>;
  const servers = ["source", "ours", "target"];

  beforeAll(async () => {
    source = await startConsul(binary ?? "", "source", master);
    await populate(source.url);
    const tokens = { master, agent: master };
    const acl = { enabled: true, default_policy: "deny", tokens };
    const config = { primary_datacenter: "dc1", acl };
    ours = await Proconsul.spawn({ args: ["-dev", "-node", "ours"], config });
    await ours.led(30_000, master);
    original = await everything(source.url, servers);
  }, limitMs);

  test("everything is there, and the same", { timeout: limitMs }, async () => {
    await restore(ours.url, await save(source.url));
    expect(original.size).toBeGreaterThan(many.keys + many.services);
    expect(differences(original, await everything(ours.url, servers))).toEqual([]);
    // It is a datacenter that goes on: who is a member here is in the catalog, who was one there is not.
    const nodes = await eventually(
      async () => {
        const all = (await ours.get("/v1/catalog/nodes", { headers })).json<{ Node: string }[]>();
        const names = all.map(({ Node }) => Node);
        return names.includes("ours") && !names.includes("source") && names;
      },
      { what: "the catalog names the members" },
    );
    expect(nodes).toHaveLength(many.nodes + 1);
  });

  test("Consul takes it back", { timeout: limitMs }, async () => {
    const archive = await save(ours.url);
    const target = await startConsul(binary ?? "", "target", master);
    await restore(target.url, archive);
    // Restoring there ends before its leader has begun anew.
    await eventually(
      async () => (await request(`${target.url}/v1/kv/locked`, { headers })).status === 200,
      {
        what: "Consul leads again",
      },
    );
    expect(differences(original, await everything(target.url, servers))).toEqual([]);
  });

  test("Consul's command line saves, inspects and restores", { timeout: limitMs }, async () => {
    const file = join(temporaryDirectory(), "state.snap");
    const env = { CONSUL_HTTP_ADDR: ours.url, CONSUL_HTTP_TOKEN: master };
    const saved = await run(binary ?? "", ["snapshot", "save", file], { env, limitMs: 60_000 });
    expect(saved.stdout).toMatch(/^Saved and verified snapshot to index \d+\n$/);
    const inspected = await run(binary ?? "", ["snapshot", "inspect", file]);
    expect(inspected.stdout).toMatch(
      /^ID +\d+-\d+-\d+\nSize +\d+\nIndex +\d+\nTerm +\d+\nVersion +1\n/,
    );
    const restored = await run(binary ?? "", ["snapshot", "restore", file], {
      env,
      limitMs: 60_000,
    });
    expect(restored.stdout).toBe("Restored snapshot\n");
  });
});

describe("three machines, whose leader is killed in the middle of a restore", () => {
  test("the old state is whole, or the new one", { timeout: limitMs }, async () => {
    const ports = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
    const agents = await Promise.all(
      ports.map((own, n) => Proconsul.spawn(machineOptions(n, own, ports))),
    );
    await Promise.all(agents.map((agent) => agent.led()));
    const [first] = agents;
    if (!first) throw new Error("nothing was started");
    const value = (text: string): string => text.repeat(60_000);
    for (const n of numbers(60)) await first.put(`/v1/kv/key/${n}`, random(60_000));
    await first.put("/v1/kv/mark", value("a"));
    const archive = await save(first.url);
    const leader = (await first.get("/v1/status/leader")).json<string>();
    const leads = agents.find(({ ports: { server } }) => leader === `127.0.0.1:${server}`);
    const others = agents.filter((agent) => agent !== leads);
    const [asked] = others;
    if (!leads || !asked) throw new Error("nobody leads");
    // All have to be there for the first one: only then a leader knows that all know its commands.
    await restore(first.url, archive);
    await first.put("/v1/kv/mark", value("b"));
    await first.put("/v1/kv/key/late", "1");
    const before = await commitIndex(leads);
    const answer = await restoreSlowly(asked.url, archive, async () => {
      await eventually(async () => (await commitIndex(leads)) > before + 3, {
        what: "it is loaded",
      });
      await leads.kill();
    });
    const states = await Promise.all(others.map((agent) => stateOf(agent)));
    const old = { late: 200, mark: value("b"), keys: 62 };
    const restored = { late: 404, mark: value("a"), keys: 61 };
    for (const state of states) expect(state).toEqual(answer === 200 ? restored : states[0]);
    expect([old, restored]).toContainEqual(states[0]);
    await restore(asked.url, archive);
    for (const agent of others) expect(await stateOf(agent)).toEqual(restored);
  });
});

async function commitIndex(agent: Proconsul): Promise<number> {
  const self = await agent.get("/v1/agent/self");
  return Number(self.json<{ Stats: { raft: { commit_index: string } } }>().Stats.raft.commit_index);
}

/** Base64 of what cannot be compressed, so that half of an archive is half of its state. */
function random(length: number): string {
  let text = "";
  for (let n = 0; text.length < length; n++) {
    text += createHash("sha512").update(`${n}${Math.random()}`).digest("base64");
  }
  return text;
}

/** Sends half, does something, and sends the rest. Answers the status; 0: there was no answer. */
async function restoreSlowly(
  url: string,
  archive: Uint8Array,
  between: () => Promise<void>,
): Promise<number> {
  const half = archive.length >> 1;
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, half);
    await between();
    yield archive.subarray(half);
  }
  const body = ReadableStream.from(parts());
  try {
    const init = { method: "PUT", headers, body, duplex: "half" } as RequestInit;
    return (await fetch(`${url}/v1/snapshot`, init)).status;
  } catch {
    return 0;
  }
}

async function stateOf(agent: Proconsul): Promise<{ late: number; mark: string; keys: number }> {
  return await eventually(
    async () => {
      const keys = await agent.get("/v1/kv/?keys&consistent");
      if (keys.status !== 200) return false;
      return {
        late: (await agent.get("/v1/kv/key/late?consistent")).status,
        mark: (await agent.get("/v1/kv/mark?raw&consistent")).text,
        keys: keys.json<string[]>().length,
      };
    },
    { what: "the state can be read", limitMs: 20_000 },
  );
}
