// One call of every operation of the document at least, in an order in which each finds what it is about.

import { type Call, reading } from "./openapi-call.ts";

const gossipKey = "AAAAAAAAAAAAAAAAAAAAAA==";
const leading = "leader&index=0&wait=1s&dc=dc1";
const plain = (...operations: string[]): Call[] => operations.map((operation) => ({ operation }));
const web = { service: "web" };
const node = { node: "web-1" };
const listing = `${reading}&node-meta=a:b&near=web-1&filter=`;

const register = "PUT /v1/catalog/register";
const proxyOf = { Kind: "connect-proxy", Proxy: { DestinationServiceName: "web" } };
const check = { CheckID: "up", Name: "up", Status: "passing", ServiceID: "web" };

const world: Call[] = [
  {
    operation: register,
    body: {
      ...{ Node: "web-1", Address: "10.0.0.1", NodeMeta: { a: "b" }, SkipNodeUpdate: false },
      TaggedAddresses: { lan: "10.0.0.1" },
      Service: { Service: "web", Port: 80, Tags: ["v1"], Weights: { Passing: 1, Warning: 1 } },
      Checks: [{ ...check, Definition: { HTTP: "http://10.0.0.1", Interval: "10s" } }],
    },
  },
  {
    operation: register,
    body: {
      Node: "web-1",
      Address: "10.0.0.1",
      Service: { ...proxyOf, Service: "web-proxy", Port: 81 },
    },
  },
  {
    operation: register,
    body: {
      Node: "web-1",
      Address: "10.0.0.1",
      Service: { Kind: "ingress-gateway", Service: "gate" },
    },
  },
  {
    operation: "PUT /v1/config",
    body: {
      ...{ Kind: "ingress-gateway", Name: "gate" },
      Listeners: [{ Port: 80, Protocol: "tcp", Services: [{ Name: "web" }] }],
    },
  },
  {
    operation: "PUT /v1/config",
    query: "cas=0",
    body: { Kind: "service-resolver", Name: "web", connect_timeout: "3s", Subsets: { a: {} } },
  },
  {
    operation: "PUT /v1/config",
    body: { Kind: "service-defaults", Name: "gone", Protocol: "http" },
  },
  {
    operation: "PUT /v1/coordinate/update",
    query: "dc=dc1",
    body: {
      Node: "web-1",
      Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 1 },
    },
  },
];

const catalog: Call[] = [
  { operation: "GET /v1/catalog/datacenters", query: reading },
  { operation: "GET /v1/catalog/nodes", query: listing },
  { operation: "GET /v1/catalog/services", query: `${reading}&node-meta=a:b&filter=` },
  { operation: "GET /v1/catalog/service/{service}", path: web, query: `${listing}&tag=v1` },
  { operation: "GET /v1/catalog/connect/{service}", path: web, query: `${listing}&tag=v1` },
  {
    operation: "GET /v1/catalog/gateway-services/{gateway}",
    path: { gateway: "gate" },
    query: reading,
  },
  { operation: "GET /v1/catalog/node/{node}", path: node, query: `${reading}&filter=` },
  { operation: "GET /v1/catalog/node/{node}", path: { node: "none" } },
  { operation: "GET /v1/catalog/node-services/{node}", path: node, query: `${reading}&filter=` },
  { operation: "GET /v1/catalog/node-services/{node}", path: { node: "none" } },
  { operation: "GET /v1/health/node/{node}", path: node, query: `${reading}&filter=` },
  { operation: "GET /v1/health/checks/{service}", path: web, query: listing },
  { operation: "GET /v1/health/state/{state}", path: { state: "any" }, query: listing },
  { operation: "GET /v1/health/service/{service}", path: web, query: `${listing}&tag=v1&passing` },
  {
    operation: "GET /v1/health/connect/{service}",
    path: web,
    query: `${listing}&tag=v1&passing=1`,
  },
  { operation: "GET /v1/health/ingress/{service}", path: web, query: `${listing}&passing` },
  { operation: "GET /v1/health/ingress/{service}", path: web, query: "tag=v1" },
  { operation: "GET /v1/coordinate/datacenters" },
  { operation: "GET /v1/coordinate/nodes", query: `${reading}&segment=` },
  { operation: "GET /v1/coordinate/node/{node}", path: node, query: `${reading}&segment=` },
  { operation: "GET /v1/coordinate/node/{node}", path: { node: "none" }, status: 404 },
  { operation: "GET /v1/internal/ui/nodes", query: `${reading}&filter=` },
  { operation: "GET /v1/internal/ui/node/{node}", path: node, query: reading },
  { operation: "GET /v1/internal/ui/node/{node}", path: { node: "none" }, status: 404 },
  { operation: "GET /v1/internal/ui/services", query: `${reading}&filter=&instances` },
  {
    operation: "GET /v1/internal/ui/gateway-services-nodes/{gateway}",
    ...{ path: { gateway: "gate" }, query: reading },
  },
  { operation: "GET /v1/config/{kind}", path: { kind: "service-resolver" }, query: reading },
  { operation: "GET /v1/config/{kind}", path: { kind: "" } },
  {
    operation: "GET /v1/config/{kind}/{name}",
    ...{ path: { kind: "service-resolver", name: "web" }, query: reading },
  },
  {
    operation: "GET /v1/config/{kind}/{name}",
    ...{ path: { kind: "service-resolver", name: "none" }, status: 404 },
  },
  {
    operation: "DELETE /v1/config/{kind}/{name}",
    path: { kind: "service-defaults", name: "gone" },
  },
  { operation: "GET /v1/discovery-chain/{service}", path: web, query: `${reading}&compile-dc=dc1` },
  {
    operation: "POST /v1/discovery-chain/{service}",
    ...{ path: web, query: `${leading}&compile-dc=dc1` },
    body: {
      OverrideConnectTimeout: "5s",
      OverrideProtocol: "http",
      OverrideMeshGateway: { Mode: "local" },
    },
  },
  { operation: "PUT /v1/catalog/deregister", body: { Node: "none", ServiceID: "gone" } },
];

const session = { session: "{session}" };
const query = { query: "{query}" };
const prepared = { Name: "find", Service: { Service: "web", Near: "_agent" }, DNS: { TTL: "10s" } };

const kept: Call[] = [
  {
    operation: "PUT /v1/session/create",
    ...{ query: "dc=dc1", body: { Node: "web-1", NodeChecks: [], TTL: "30s", LockDelay: "1s" } },
    keep: ["session", "ID"],
  },
  { operation: "GET /v1/session/info/{session}", path: session, query: reading },
  { operation: "GET /v1/session/node/{node}", path: node, query: reading },
  { operation: "GET /v1/session/list", query: reading },
  { operation: "PUT /v1/session/renew/{session}", path: session, query: "dc=dc1" },
  { operation: "PUT /v1/kv/{key}", path: { key: "a/b" }, query: "flags=42&dc=dc1", body: "value" },
  { operation: "PUT /v1/kv/{key}", path: { key: "a/c" }, query: "cas=0" },
  { operation: "PUT /v1/kv/{key}", path: { key: "a/b" }, query: "acquire={session}" },
  { operation: "GET /v1/kv/{key}", path: { key: "a/b" }, query: reading },
  { operation: "GET /v1/kv/{key}", path: { key: "a" }, query: "recurse&consistent" },
  { operation: "GET /v1/kv/{key}", path: { key: "" }, query: "keys&separator=/" },
  { operation: "GET /v1/kv/{key}", path: { key: "" }, query: "keys&seperator=/" },
  { operation: "GET /v1/kv/{key}", path: { key: "a/b" }, query: "raw" },
  { operation: "GET /v1/kv/{key}", path: { key: "none" }, status: 404 },
  { operation: "PUT /v1/kv/{key}", path: { key: "a/b" }, query: "release={session}" },
  {
    operation: "PUT /v1/txn",
    query: "dc=dc1",
    body: [
      { KV: { Verb: "set", Key: "t", Value: "dA==", Flags: 1 } },
      { KV: { Verb: "get", Key: "t" } },
      { Node: { Verb: "get", Node: { Node: "web-1" } } },
      { Service: { Verb: "get", Node: "web-1", Service: { ID: "web" } } },
      { Check: { Verb: "get", Check: { Node: "web-1", CheckID: "up" } } },
    ],
  },
  { operation: "PUT /v1/txn", query: reading, body: [{ KV: { Verb: "get", Key: "t" } }] },
  { operation: "PUT /v1/txn", status: 409, body: [{ KV: { Verb: "cas", Key: "t", Index: 1 } }] },
  { operation: "DELETE /v1/kv/{key}", path: { key: "a/c" }, query: "cas=1&dc=dc1" },
  { operation: "DELETE /v1/kv/{key}", path: { key: "a" }, query: "recurse" },
  { operation: "PUT /v1/session/destroy/{session}", path: session, query: "dc=dc1" },
  { operation: "POST /v1/query", query: "dc=dc1", body: prepared, keep: ["query", "ID"] },
  { operation: "GET /v1/query", query: reading },
  { operation: "GET /v1/query/{query}", path: query, query: reading },
  { operation: "GET /v1/query/{query}", path: { query: crypto.randomUUID() }, status: 404 },
  { operation: "PUT /v1/query/{query}", path: query, query: "dc=dc1", body: prepared },
  {
    operation: "GET /v1/query/{query}/execute",
    ...{ path: { query: "find" }, query: `${reading}&near=_agent&limit=1&connect=false` },
  },
  { operation: "GET /v1/query/{query}/explain", path: { query: "find" }, query: reading },
  { operation: "DELETE /v1/query/{query}", path: query, query: "dc=dc1" },
  {
    operation: "PUT /v1/event/fire/{name}",
    ...{ path: { name: "deploy" }, query: "node=web&service=web&tag=v1&dc=dc1", body: "now" },
  },
  { operation: "GET /v1/event/list", query: "name=deploy&index=0&wait=1ms" },
];

const wanted = { SourceName: "*", DestinationName: "web", Action: "allow", Meta: { a: "b" } };
const intention = { intention: "{intention}" };
const exact = "source=db&destination=web&dc=dc1";

const connect: Call[] = [
  {
    operation: "POST /v1/connect/intentions",
    query: "dc=dc1",
    body: wanted,
    keep: ["intention", "ID"],
  },
  { operation: "GET /v1/connect/intentions", query: `${reading}&filter=` },
  {
    operation: "GET /v1/connect/intentions/match",
    query: `${reading}&by=destination&name=web&name=none`,
  },
  {
    operation: "GET /v1/connect/intentions/check",
    query: `${reading}&source=db&destination=web&source-type=consul`,
  },
  {
    operation: "PUT /v1/connect/intentions/exact",
    ...{ query: exact, body: { ...wanted, SourceName: "db" } },
  },
  { operation: "GET /v1/connect/intentions/exact", query: `${reading}&${exact}` },
  { operation: "DELETE /v1/connect/intentions/exact", query: exact },
  { operation: "GET /v1/connect/intentions/exact", query: exact, status: 404 },
  { operation: "GET /v1/connect/intentions/{intention}", path: intention, query: reading },
  {
    operation: "PUT /v1/connect/intentions/{intention}",
    ...{ path: intention, query: "dc=dc1", body: wanted },
  },
  {
    operation: "POST /v1/agent/connect/authorize",
    body: { Target: "web", ClientCertURI: "spiffe://x.consul/ns/default/dc/dc1/svc/db" },
  },
  { operation: "DELETE /v1/connect/intentions/{intention}", path: intention, query: "dc=dc1" },
  { operation: "GET /v1/connect/ca/roots", query: reading },
  { operation: "GET /v1/connect/ca/roots", query: "pem=true" },
  { operation: "GET /v1/connect/ca/configuration", query: reading },
  {
    operation: "PUT /v1/connect/ca/configuration",
    ...{ query: "dc=dc1", body: { Provider: "consul", Config: { LeafCertTTL: "72h" } } },
  },
  { operation: "GET /v1/agent/connect/ca/roots", query: reading },
  { operation: "GET /v1/agent/connect/ca/leaf/{service}", path: web, query: reading },
];

const alive = { check: "alive" };

const agent: Call[] = [
  ...plain("GET /v1/agent/self", "GET /v1/agent/version", "GET /v1/agent/host"),
  { operation: "GET /v1/agent/metrics" },
  { operation: "GET /v1/agent/metrics", query: "format=prometheus" },
  { operation: "GET /v1/agent/monitor", query: "loglevel=info&logjson" },
  { operation: "GET /v1/agent/members", query: "wan=1&segment=" },
  { operation: "PUT /v1/agent/join/{address}", path: { address: "10.0.0.2" }, query: "wan=1" },
  { operation: "PUT /v1/agent/force-leave/{node}", path: { node: "gone" }, query: "prune" },
  ...plain("PUT /v1/agent/reload", "PUT /v1/agent/leave"),
  { operation: "PUT /v1/agent/maintenance", query: "enable=true&reason=why" },
  { operation: "PUT /v1/agent/maintenance", query: "enable=false" },
  // The agent of the test has no ACLs, and says so.
  {
    operation: "PUT /v1/agent/token/{kind}",
    ...{ path: { kind: "default" }, body: { Token: "x" }, status: 401 },
  },
  {
    operation: "PUT /v1/agent/service/register",
    query: "replace-existing-checks",
    body: {
      ...{ Name: "web", Port: 80, Meta: { a: "b" }, Check: { CheckID: "alive", TTL: "1m" } },
      Connect: { SidecarService: {} },
    },
  },
  { operation: "GET /v1/agent/services", query: "filter=" },
  { operation: "GET /v1/agent/service/{service}", path: web, query: "hash=&wait=1ms" },
  { operation: "GET /v1/agent/service/{service}", path: { service: "none" }, status: 404 },
  { operation: "GET /v1/agent/checks", query: "filter=" },
  {
    operation: "PUT /v1/agent/check/register",
    body: { ID: "second", Name: "second", TTL: "1m", ServiceID: "web" },
  },
  { operation: "GET /v1/agent/health/service/id/{service}", path: web, status: 503 },
  { operation: "PUT /v1/agent/check/pass/{check}", path: { check: "second" }, query: "note=fine" },
  { operation: "PUT /v1/agent/check/warn/{check}", path: alive, query: "note=hm" },
  { operation: "GET /v1/agent/health/service/id/{service}", path: web, status: 429 },
  { operation: "PUT /v1/agent/check/fail/{check}", path: alive, query: "note=no" },
  { operation: "PUT /v1/agent/check/update/{check}", path: alive, body: { Status: "passing" } },
  { operation: "GET /v1/agent/health/service/id/{service}", path: web },
  { operation: "GET /v1/agent/health/service/id/{service}", path: web, query: "format=text" },
  {
    operation: "GET /v1/agent/health/service/id/{service}",
    path: { service: "none" },
    status: 404,
  },
  { operation: "GET /v1/agent/health/service/name/{service}", path: web },
  { operation: "GET /v1/agent/health/service/name/{service}", path: web, query: "format=text" },
  {
    operation: "GET /v1/agent/health/service/name/{service}",
    path: { service: "none" },
    status: 404,
  },
  {
    operation: "PUT /v1/agent/service/maintenance/{service}",
    ...{ path: web, query: "enable=true&reason=why" },
  },
  { operation: "PUT /v1/agent/check/deregister/{check}", path: alive },
  { operation: "PUT /v1/agent/service/deregister/{service}", path: web },
];

const localOnly = "local-only=false&relay-factor=1";

const operator: Call[] = [
  { operation: "GET /v1/operator/keyring", query: "local-only=true&relay-factor=1" },
  { operation: "POST /v1/operator/keyring", query: localOnly, body: { Key: gossipKey } },
  { operation: "PUT /v1/operator/keyring", query: localOnly, body: { Key: gossipKey } },
  { operation: "DELETE /v1/operator/keyring", query: localOnly, body: { Key: gossipKey } },
  { operation: "GET /v1/operator/raft/configuration", query: reading },
  // The only server of the test neither goes nor hands over.
  { operation: "DELETE /v1/operator/raft/peer", query: "id=none&address=&dc=dc1", status: 500 },
  { operation: "POST /v1/operator/raft/transfer-leader", query: "id=none&dc=dc1", status: 500 },
  { operation: "GET /v1/operator/usage", query: reading },
  { operation: "GET /v1/operator/cost", query: "month=2026-11" },
  { operation: "PUT /v1/operator/reset/{object}", path: { object: "dc1/server/0" } },
  {
    operation: "PUT /v1/operator/autopilot/configuration",
    query: "dc=dc1",
    body: { MinQuorum: 3 },
  },
  { operation: "PUT /v1/operator/autopilot/configuration", query: "cas=1", body: {} },
  { operation: "GET /v1/operator/autopilot/configuration", query: reading },
  { operation: "GET /v1/operator/autopilot/health", query: reading },
  { operation: "GET /v1/operator/autopilot/state", query: reading },
  { operation: "GET /v1/status/leader", query: reading },
  { operation: "GET /v1/status/peers", query: reading },
  { operation: "GET /v1/openapi.json", query: "pretty" },
  { operation: "GET /v1/snapshot", query: reading },
  { operation: "PUT /v1/snapshot", query: "dc=dc1", body: "no archive", status: 500 },
];

export const calls: readonly Call[] = [
  ...world,
  ...catalog,
  ...kept,
  ...connect,
  ...agent,
  ...operator,
];
