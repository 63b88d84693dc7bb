// What every route asks of a token, one line each, to be read beside semantics §11.3. The names are those of the world
// that acl-matrix.test.ts makes; they have capital letters, because rules are held against names as they were given.

import type { Access, Resource } from "../../src/core/acl/access.ts";

/** One permission. */
export type Need = readonly [resource: Resource, segment: string, access: Access];

export type Expected =
  /** 403 (409 for a transaction) without the permission; `or`: what else would do, of whoever may write it. */
  | { denied: Need; or?: Resource }
  /** 200 always; `shows` is in the answer with the permission only. `also`: rules for what else it takes. */
  | { filtered: Need; shows: string; also?: string; or?: Resource }
  /** Everybody, but not with a token that does not exist. */
  | "any token"
  /** Nobody's token is looked at. */
  | "nobody asks"
  /** Refused whatever the token may do, for another reason. */
  | "never";

export type Row = readonly [
  route: string,
  path: string,
  expected: Expected,
  body?: object | string,
];

const gossipKey = "AAAAAAAAAAAAAAAAAAAAAA==";
const id = "11111111-1111-1111-1111-111111111111";
const denied = (...need: Need): Expected => ({ denied: need });
const filtered = (shows: string, also: string, ...need: Need): Expected => ({
  ...{ filtered: need, shows, also },
});

const node = 'node "Web-1" { policy = "read" }';
const service = 'service "Web" { policy = "read" }';
const agentWrites = denied("agent", "host1", "write");
const agentReads = denied("agent", "host1", "read");
const aclReads = denied("acl", "", "read");
const aclWrites = denied("acl", "", "write");
const operatorReads = denied("operator", "", "read");
const operatorWrites = denied("operator", "", "write");
const keyringReads = denied("keyring", "", "read");
const keyringWrites = denied("keyring", "", "write");
const webWrites = denied("service", "Web", "write");
const webReads = denied("service", "Web", "read");
const intentionWrites = denied("intention", "Web", "write");
const intentionReads = denied("intention", "Web", "read");

const acl: Row[] = [
  ["GET /v1/acl/auth-methods", "", aclReads],
  ["PUT /v1/acl/auth-method", "", aclWrites, {}],
  ["GET /v1/acl/auth-method/", "x", aclReads],
  ["PUT /v1/acl/auth-method/", "x", aclWrites, {}],
  ["DELETE /v1/acl/auth-method/", "x", aclWrites],
  ["GET /v1/acl/binding-rules", "", aclReads],
  ["PUT /v1/acl/binding-rule", "", aclWrites, {}],
  ["GET /v1/acl/binding-rule/", id, aclReads],
  ["PUT /v1/acl/binding-rule/", id, aclWrites, {}],
  ["DELETE /v1/acl/binding-rule/", id, aclWrites],
  ["PUT /v1/acl/bootstrap", "", "never"],
  ["POST /v1/acl/login", "", "never", { AuthMethod: "x", BearerToken: "x" }],
  ["POST /v1/acl/logout", "", "never"],
  ["GET /v1/acl/replication", "", "nobody asks"],
  ["GET /v1/acl/policies", "", aclReads],
  ["PUT /v1/acl/policy", "", aclWrites, {}],
  ["GET /v1/acl/policy/", id, aclReads],
  ["PUT /v1/acl/policy/", id, aclWrites, {}],
  ["DELETE /v1/acl/policy/", id, aclWrites],
  ["GET /v1/acl/policy/name/", "x", aclReads],
  ["GET /v1/acl/roles", "", aclReads],
  ["PUT /v1/acl/role", "", aclWrites, {}],
  ["GET /v1/acl/role/", id, aclReads],
  ["PUT /v1/acl/role/", id, aclWrites, {}],
  ["DELETE /v1/acl/role/", id, aclWrites],
  ["GET /v1/acl/role/name/", "x", aclReads],
  ["GET /v1/acl/tokens", "", aclReads],
  ["PUT /v1/acl/token", "", aclWrites, { Policies: [{ Name: "none" }] }],
  ["GET /v1/acl/token/", id, aclReads],
  ["PUT /v1/acl/token/", id, aclWrites, {}],
  ["DELETE /v1/acl/token/", id, aclWrites],
  ["GET /v1/acl/token/self", "", "any token"],
  ["PUT /v1/acl/create", "", aclWrites, { Type: "none" }],
  ["PUT /v1/acl/update", "", aclWrites, { ID: "x", Type: "none" }],
  ["PUT /v1/acl/clone/", "{legacy}", aclWrites],
  ["PUT /v1/acl/destroy/", "x", aclWrites],
  ["GET /v1/acl/info/", "x", "any token"],
  ["GET /v1/acl/list", "", aclReads],
  ["POST /v1/acl/rules/translate", "", aclReads, 'key "a" { policy = "read" }'],
  ["GET /v1/acl/rules/translate/", id, aclReads],
  ["POST /v1/internal/acl/authorize", "", "any token", [{ Resource: "acl", Access: "read" }]],
  [
    "POST /v1/internal/acl/explain",
    `?accessor=${id}`,
    aclReads,
    [{ Resource: "acl", Access: "read" }],
  ],
];

const agent: Row[] = [
  ["GET /v1/agent/self", "", agentReads],
  ["GET /v1/agent/version", "", "any token"],
  ["GET /v1/agent/metrics", "", agentReads],
  ["GET /v1/agent/monitor", "?loglevel=info", agentReads],
  ["GET /v1/agent/host", "", operatorReads],
  ["GET /v1/agent/members", "", filtered("host1", "", "node", "host1", "read")],
  ["GET /v1/agent/services", "", filtered("Web", "", ...webNeed("read"))],
  ["GET /v1/agent/checks", "", filtered("alive", "", ...webNeed("read"))],
  ["GET /v1/agent/service/", "Web", webReads],
  ["GET /v1/agent/health/service/id/", "Web", webReads],
  ["GET /v1/agent/health/service/name/", "Web", webReads],
  [
    "PUT /v1/agent/service/register",
    "",
    webWrites,
    { Name: "Web", Check: { CheckID: "alive", TTL: "1m" } },
  ],
  ["PUT /v1/agent/service/maintenance/", "Web?enable=false", webWrites],
  [
    "PUT /v1/agent/check/register",
    "",
    webWrites,
    { ID: "alive", Name: "alive", TTL: "1m", ServiceID: "Web" },
  ],
  ["PUT /v1/agent/check/pass/", "alive", webWrites],
  ["PUT /v1/agent/check/warn/", "alive", webWrites],
  ["PUT /v1/agent/check/fail/", "alive", webWrites],
  ["PUT /v1/agent/check/update/", "alive", webWrites, { Status: "passing" }],
  ["PUT /v1/agent/check/deregister/", "alive", webWrites],
  ["PUT /v1/agent/service/deregister/", "Web", webWrites],
  ["PUT /v1/agent/maintenance", "?enable=false", denied("node", "host1", "write")],
  ["PUT /v1/agent/join/", "10.0.0.2", agentWrites],
  ["PUT /v1/agent/force-leave/", "gone", operatorWrites],
  ["PUT /v1/agent/reload", "", agentWrites],
  ["PUT /v1/agent/leave", "", agentWrites],
  ["PUT /v1/agent/token/", "default", agentWrites, { Token: "x" }],
];

function webNeed(access: Access): Need {
  return ["service", "Web", access];
}

const registration = { Node: "Web-1", Address: "10.0.0.1", Service: { Service: "Web", Port: 2 } };

const catalog: Row[] = [
  ["GET /v1/catalog/datacenters", "", "nobody asks"],
  ["PUT /v1/catalog/register", "", webWrites, registration],
  [
    "PUT /v1/catalog/deregister",
    "",
    { denied: ["service", "Gone", "write"], or: "node" },
    { Node: "Gone-1", ServiceID: "Gone" },
  ],
  ["GET /v1/catalog/nodes", "", filtered("Web-1", "", "node", "Web-1", "read")],
  ["GET /v1/catalog/node/", "Web-1", filtered("10.0.0.1", "", "node", "Web-1", "read")],
  ["GET /v1/catalog/node-services/", "Web-1", filtered("10.0.0.1", "", "node", "Web-1", "read")],
  ["GET /v1/catalog/services", "", filtered('"Web"', "", ...webNeed("read"))],
  ["GET /v1/catalog/service/", "Web", filtered("Web-1", node, ...webNeed("read"))],
  [
    "GET /v1/catalog/connect/",
    "Web",
    filtered("Web-proxy", `${node} service "Web-proxy" { policy = "read" }`, ...webNeed("read")),
  ],
  ["GET /v1/catalog/gateway-services/", "Web", webReads],
  ["GET /v1/health/node/", "Web-1", filtered("up", service, "node", "Web-1", "read")],
  ["GET /v1/health/checks/", "Web", filtered("up", node, ...webNeed("read"))],
  ["GET /v1/health/state/", "any", filtered("Web-1", service, "node", "Web-1", "read")],
  ["GET /v1/health/service/", "Web", filtered("Web-1", node, ...webNeed("read"))],
  [
    "GET /v1/health/connect/",
    "Web",
    filtered("Web-proxy", `${node} service "Web-proxy" { policy = "read" }`, ...webNeed("read")),
  ],
  ["GET /v1/internal/ui/nodes", "", filtered("Web-1", "", "node", "Web-1", "read")],
  ["GET /v1/internal/ui/services", "", filtered('"Name":"Web"', node, ...webNeed("read"))],
  ["GET /v1/internal/ui/gateway-services-nodes/", "Web", webReads],
  ["GET /v1/coordinate/datacenters", "", "nobody asks"],
  ["GET /v1/coordinate/nodes", "", filtered("Web-1", "", "node", "Web-1", "read")],
  [
    "PUT /v1/coordinate/update",
    "",
    denied("node", "Web-1", "write"),
    { Node: "Web-1", Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Height: 1 } },
  ],
];

/** Who may see either end may see it: here both are one. */
const intention = { SourceName: "Web", DestinationName: "Web", Action: "allow" };
const exact = "?source=Web&destination=Web";

const connect: Row[] = [
  ["GET /v1/connect/ca/roots", "", "any token"],
  ["GET /v1/connect/ca/configuration", "", operatorReads],
  ["PUT /v1/connect/ca/configuration", "", operatorWrites, { Provider: "none", Config: {} }],
  ["GET /v1/agent/connect/ca/roots", "", "any token"],
  ["GET /v1/agent/connect/ca/leaf/", "Web", webWrites],
  [
    "POST /v1/agent/connect/authorize",
    "",
    webWrites,
    { Target: "Web", ClientCertURI: "spiffe://x.consul/ns/default/dc/dc1/svc/Db" },
  ],
  ["GET /v1/connect/intentions", "", filtered("Web", "", "intention", "Web", "read")],
  ["POST /v1/connect/intentions", "", intentionWrites, intention],
  ["GET /v1/connect/intentions/exact", exact, intentionReads],
  ["PUT /v1/connect/intentions/exact", exact, intentionWrites, intention],
  ["GET /v1/connect/intentions/match", "?by=destination&name=Web", intentionReads],
  ["GET /v1/connect/intentions/check", exact, webReads],
  ["GET /v1/discovery-chain/", "Web", webReads],
  ["POST /v1/discovery-chain/", "Web", webReads, {}],
  ["PUT /v1/config", "", webWrites, { Kind: "service-defaults", Name: "Web", Protocol: "http" }],
  ["GET /v1/config/", "service-defaults/Web", webReads],
  ["DELETE /v1/config/", "service-defaults/Gone", denied("service", "Gone", "write")],
];

const kept: Row[] = [
  ["GET /v1/kv/", "app/Key", denied("key", "app/Key", "read")],
  ["PUT /v1/kv/", "app/Key", denied("key", "app/Key", "write"), "1"],
  ["DELETE /v1/kv/", "app/Gone", denied("key", "app/Gone", "write")],
  [
    "PUT /v1/txn",
    "",
    denied("key", "app/Key", "write"),
    [{ KV: { Verb: "set", Key: "app/Key", Value: "" } }],
  ],
  [
    "PUT /v1/session/create",
    "",
    denied("session", "Web-1", "write"),
    { Node: "Web-1", NodeChecks: [] },
  ],
  ["GET /v1/session/list", "", filtered("Web-1", "", "session", "Web-1", "read")],
  ["GET /v1/session/node/", "Web-1", filtered('"Node":"Web-1"', "", "session", "Web-1", "read")],
  ["GET /v1/query", "", { filtered: ["query", "Find", "read"], shows: '"Find"', or: "acl" }],
  ["POST /v1/query", "", denied("query", "Find", "write"), { Name: "Find", Service: {} }],
  ["GET /v1/event/list", "", filtered("Deploy", "", "event", "Deploy", "read")],
  ["PUT /v1/event/fire/", "Deploy", denied("event", "Deploy", "write")],
  ["GET /v1/snapshot", "", aclWrites],
  ["PUT /v1/snapshot", "", aclWrites, "no archive"],
  ["GET /v1/operator/autopilot/configuration", "", operatorReads],
  ["PUT /v1/operator/autopilot/configuration", "", operatorWrites, {}],
  ["GET /v1/operator/autopilot/health", "", operatorReads],
  ["GET /v1/operator/autopilot/state", "", operatorReads],
  ["GET /v1/operator/keyring", "", keyringReads],
  ["POST /v1/operator/keyring", "", keyringWrites, { Key: gossipKey }],
  ["PUT /v1/operator/keyring", "", keyringWrites, { Key: gossipKey }],
  ["DELETE /v1/operator/keyring", "", keyringWrites, { Key: gossipKey }],
  ["GET /v1/operator/usage", "", operatorReads],
  ["POST /v1/operator/raft/transfer-leader", "", operatorWrites],
  ["GET /v1/operator/raft/configuration", "", operatorReads],
  ["DELETE /v1/operator/raft/peer", "?id=none", operatorWrites],
  ["GET /v1/status/leader", "", "nobody asks"],
  ["GET /v1/status/peers", "", "nobody asks"],
  ["GET /v1/openapi.json", "", "nobody asks"],
];

/** Routes about one thing that the world names: `{session}`, `{query}`, `{intention}`. */
const named: Row[] = [
  ["GET /v1/session/info/", "{session}", filtered("Web-1", "", "session", "Web-1", "read")],
  ["PUT /v1/session/renew/", "{session}", denied("session", "Web-1", "write")],
  ["PUT /v1/session/destroy/", "{session}", denied("session", "Web-1", "write")],
  ["GET /v1/query/", "{query}", { denied: ["query", "Find", "read"], or: "acl" }],
  [
    "PUT /v1/query/",
    "{query}",
    denied("query", "Find", "write"),
    { Name: "Find", Service: { Service: "Web" } },
  ],
  ["DELETE /v1/query/", "{query}", denied("query", "Find", "write")],
  ["GET /v1/connect/intentions/", "{intention}", intentionReads],
  ["PUT /v1/connect/intentions/", "{intention}", intentionWrites, intention],
  ["DELETE /v1/connect/intentions/", "{intention}", intentionWrites],
  ["DELETE /v1/connect/intentions/exact", exact, intentionWrites],
];

/** What is not there looks like what may not be seen: 404, or nothing at all. */
export const hidden: Row[] = [
  ["GET /v1/internal/ui/node/", "Web-1", filtered("10.0.0.1", "", "node", "Web-1", "read")],
  ["GET /v1/coordinate/node/", "Web-1", filtered("Vec", "", "node", "Web-1", "read")],
  [
    "GET /v1/health/ingress/",
    "Db",
    filtered("Gate", `${node} service "Gate" { policy = "read" }`, "service", "Db", "read"),
  ],
];

export const matrix: Row[] = [...acl, ...agent, ...catalog, ...connect, ...kept, ...named];
