// A datacenter as the API tells of it, the same in every run.

import type { Answers, Reply } from "./site.ts";

type Status = "passing" | "warning" | "critical";

export interface Given {
  name: string;
  statuses: readonly Status[];
  tags?: readonly string[];
  kind?: string;
  output?: string;
  meta?: Record<string, string>;
}

export const fewServices: readonly Given[] = [
  { name: "consul", statuses: ["passing", "passing", "passing"] },
  { name: "billing", statuses: ["critical", "critical", "critical"], tags: ["v2", "team:pay"] },
  {
    ...{ name: "web", tags: ["v2", "team:web"], meta: { version: "1.4.2", team: "web" } },
    statuses: [...Array.from({ length: 7 }, () => "passing" as const), "critical", "critical"],
    output:
      'Get "http://10.0.0.3:8080/health": dial tcp 10.0.0.3:8080: connect: connection refused',
  },
  { name: "search", statuses: ["passing", "warning", "passing"], tags: ["v1"] },
  { name: "web-sidecar-proxy", statuses: ["passing"], kind: "connect-proxy" },
  ...[
    "api",
    "auth",
    "cart",
    "catalog-api",
    "checkout",
    "email",
    "inventory",
    "ledger",
    "media",
  ].map((name, at): Given => ({
    name,
    statuses: Array.from({ length: 2 + (at % 4) }, () => "passing"),
    tags: ["v1", `team:${name.slice(0, 3)}`],
  })),
];

export function manyServices(count: number): Given[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `service-${String(at).padStart(5, "0")}`,
    statuses: at % 1_000 === 7 ? ["critical"] : ["passing", "passing"],
    tags: [`v${at % 3}`, `team:${at % 50}`],
  }));
}

const count = (statuses: readonly Status[], wanted: Status): number =>
  statuses.filter((status) => status === wanted).length;

export function summary({ name, statuses, tags = [], kind }: Given): Record<string, unknown> {
  return {
    ...(kind !== undefined && { Kind: kind }),
    ...{ Name: name, Tags: tags, Nodes: statuses.map((_, at) => `node-${at + 1}`) },
    ...{ InstanceCount: statuses.length, ExternalSources: null, GatewayConfig: {} },
    ChecksPassing: count(statuses, "passing"),
    ChecksWarning: count(statuses, "warning"),
    ChecksCritical: count(statuses, "critical"),
    InstancesPassing: count(statuses, "passing"),
    InstancesWarning: count(statuses, "warning"),
    InstancesCritical: count(statuses, "critical"),
  };
}

export function instances(given: Given): Record<string, unknown>[] {
  const { name, statuses, tags = [], kind = "", output = "connection refused", meta = {} } = given;
  return statuses.map((status, at) => ({
    Node: { ID: "", Node: `node-${at + 1}`, Address: `10.0.0.${at + 1}`, Meta: {} },
    Service: {
      ...{ ID: `${name}-${at + 1}`, Service: name, Kind: kind, Tags: tags, Meta: meta },
      ...{
        Address: "",
        Port: name === "consul" ? 8300 : 8080,
        Weights: { Passing: 1, Warning: 1 },
      },
      ...{ TaggedAddresses: {}, Proxy: {} },
    },
    Checks: [
      {
        ...{ Node: `node-${at + 1}`, CheckID: "serfHealth", Name: "Serf Health Status" },
        ...{ Status: "passing", Output: "Agent alive and reachable", Notes: "", ServiceID: "" },
        Definition: {},
      },
      {
        ...{
          Node: `node-${at + 1}`,
          CheckID: `service:${name}-${at + 1}`,
          Name: `HTTP on ${name}`,
        },
        ...{ Status: status, ServiceID: `${name}-${at + 1}`, Notes: "", Type: "http" },
        Output: status === "passing" ? "HTTP GET http://10.0.0.1:8080/: 200 OK Output: ok" : output,
        Definition: { Interval: "10s", DeregisterCriticalServiceAfter: "30m0s" },
      },
    ],
  }));
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A key whose name and value are `text`, whatever it is. */
export function keyOf(text: string): Reply {
  const indexes = { CreateIndex: 7, ModifyIndex: 42, LockIndex: 1 };
  return { body: [{ Key: text, Value: base64(text), Flags: 0, Session: text, ...indexes }] };
}

const values: Readonly<Record<string, string>> = {
  "app/web.json": base64('{\n  "workers": 4,\n  "debug": false\n}\n'),
  "app/bytes": btoa("\u00ff\u0000\u0001PNG"),
};

/** Of keys, as `kv/` answers. */
function keys(path: string, query: URLSearchParams): Reply {
  const name = decodeURIComponent(path.slice("kv/".length));
  if (query.has("keys")) return { body: [`${name}web.json`, `${name}db/`, `${name}bytes`] };
  const Value = values[name];
  if (Value === undefined) return { status: 404, body: "" };
  const Session = name === "app/web.json" ? "9f2c1a00-0000-4000-8000-000000000001" : "";
  const indexes = { CreateIndex: 7, ModifyIndex: 42, LockIndex: 1 };
  return { body: [{ Key: name, Value, Flags: 7, ...(Session && { Session }), ...indexes }] };
}

/** Everything that the pages ask about `services`. */
export function datacenter(services: readonly Given[]): Answers {
  const byName = new Map(services.map((given) => [given.name, given]));
  return (path, query): Reply => {
    if (path.startsWith("kv/")) return keys(path, query);
    if (path === "catalog/datacenters") return { body: ["dc1", "dc2"] };
    if (path === "status/leader") return { body: "10.0.0.1:8300" };
    if (path === "internal/ui/services") return { body: services.map(summary) };
    const [, of = ""] = /^health\/service\/(.+)$/.exec(path) ?? [];
    const given = byName.get(decodeURIComponent(of));
    if (given) return { body: instances(given) };
    return { body: [] };
  };
}
