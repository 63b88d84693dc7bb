// The calls of openapi-calls.ts that are about ACLs.

import { type Call, reading } from "./openapi-call.ts";

const policy = { policy: "{policy}" };
const role = { role: "{role}" };
const token = { token: "{token}" };
const links = { Policies: [{ ID: "{policy}" }] };

const acl: Call[] = [
  {
    operation: "PUT /v1/acl/policy",
    query: "dc=dc1",
    body: {
      Name: "reads",
      Description: "",
      Rules: 'key_prefix "" { policy = "read" }',
      Datacenters: ["dc1"],
    },
    keep: ["policy", "ID"],
  },
  { operation: "GET /v1/acl/policies", query: reading },
  { operation: "GET /v1/acl/policy/{policy}", path: policy, query: reading },
  { operation: "GET /v1/acl/policy/name/{name}", path: { name: "reads" }, query: reading },
  {
    operation: "PUT /v1/acl/policy/{policy}",
    ...{ path: policy, query: "dc=dc1", body: { Name: "reads", Rules: "" } },
  },
  {
    operation: "PUT /v1/acl/role",
    query: "dc=dc1",
    body: { Name: "reader", ...links, ServiceIdentities: [{ ServiceName: "web" }] },
    keep: ["role", "ID"],
  },
  { operation: "GET /v1/acl/roles", query: `${reading}&policy={policy}` },
  { operation: "GET /v1/acl/role/{role}", path: role, query: reading },
  { operation: "GET /v1/acl/role/{role}", path: { role: crypto.randomUUID() }, status: 404 },
  { operation: "GET /v1/acl/role/name/{name}", path: { name: "reader" }, query: reading },
  {
    operation: "PUT /v1/acl/role/{role}",
    ...{ path: role, query: "dc=dc1", body: { Name: "reader", ...links } },
  },
  {
    operation: "PUT /v1/acl/token",
    query: "dc=dc1",
    body: { ...links, Roles: [{ ID: "{role}" }], ExpirationTTL: "1h", Local: true },
    keep: ["token", "AccessorID"],
  },
  { operation: "GET /v1/acl/tokens", query: `${reading}&policy=&role=&authmethod=` },
  {
    operation: "PUT /v1/operator/join-token",
    query: "dc=dc1",
    body: { Description: "web", Nodes: ["web-*"], TTL: "1h", ...links },
    keep: ["join", "AccessorID"],
  },
  { operation: "GET /v1/operator/join-tokens", query: "dc=dc1" },
  {
    operation: "DELETE /v1/operator/join-token/{accessor}",
    ...{ path: { accessor: "{join}" }, query: "dc=dc1" },
  },
  { operation: "PUT /v1/operator/dns-key", query: "dc=dc1&ttl=1h" },
  { operation: "GET /v1/acl/token/self", query: reading },
  { operation: "GET /v1/acl/token/{token}", path: token, query: reading },
  {
    operation: "PUT /v1/acl/token/{token}",
    path: token,
    query: "dc=dc1",
    body: { Local: true, ...links },
  },
  {
    operation: "PUT /v1/acl/token/{token}/clone",
    ...{ path: token, query: "dc=dc1", body: { Description: "copy" } },
  },
  {
    operation: "POST /v1/internal/acl/authorize",
    ...{ query: "dc=dc1", body: [{ Resource: "key", Segment: "a", Access: "read" }] },
  },
  {
    operation: "POST /v1/internal/acl/explain",
    ...{
      query: "dc=dc1&accessor={token}",
      body: [{ Resource: "key", Segment: "a", Access: "read" }],
    },
  },
  { operation: "DELETE /v1/acl/token/{token}", path: token, query: "dc=dc1" },
  { operation: "DELETE /v1/acl/role/{role}", path: role, query: "dc=dc1" },
  { operation: "DELETE /v1/acl/policy/{policy}", path: policy, query: "dc=dc1" },
  // There was a first token already.
  { operation: "PUT /v1/acl/bootstrap", query: "dc=dc1", status: 403 },
  { operation: "GET /v1/acl/replication" },
];

const legacy: Call[] = [
  {
    operation: "PUT /v1/acl/create",
    ...{
      query: "dc=dc1",
      body: { Name: "old", Type: "client", Rules: 'key "a" { policy = "read" }' },
    },
    keep: ["old", "ID"],
  },
  {
    operation: "PUT /v1/acl/update",
    ...{
      query: "dc=dc1",
      body: { ID: "{old}", Name: "older", Rules: 'key "a" { policy = "read" }' },
    },
  },
  { operation: "GET /v1/acl/info/{token}", path: { token: "{old}" }, query: reading },
  { operation: "GET /v1/acl/list", query: reading },
  { operation: "PUT /v1/acl/clone/{token}", path: { token: "{old}" }, query: "dc=dc1" },
  {
    operation: "GET /v1/acl/token/self",
    ...{ token: "{old}", keep: ["oldAccessor", "AccessorID"] },
  },
  { operation: "POST /v1/acl/rules/translate", body: 'key "a" { policy = "read" }' },
  {
    operation: "GET /v1/acl/rules/translate/{token}",
    ...{ path: { token: "{oldAccessor}" }, query: reading },
  },
  { operation: "PUT /v1/acl/destroy/{token}", path: { token: "{old}" }, query: "dc=dc1" },
];

const rule = { rule: "{rule}" };

/** `jwt`: what logs in by the key `pem`. */
export function logins({ pem, jwt }: { pem: string; jwt: string }): Call[] {
  const method = { Name: "jwt", Type: "jwt", Config: { JWTValidationPubKeys: [pem] } };
  const path = { method: "jwt" };
  const binding = { AuthMethod: "jwt", BindType: "service", BindName: "web", Selector: "" };
  return [
    { operation: "PUT /v1/acl/auth-method", body: method },
    { operation: "GET /v1/acl/auth-methods", query: reading },
    { operation: "GET /v1/acl/auth-method/{method}", path, query: reading },
    { operation: "GET /v1/acl/auth-method/{method}", path: { method: "none" }, status: 404 },
    { operation: "PUT /v1/acl/auth-method/{method}", path, body: { ...method, MaxTokenTTL: "5m" } },
    { operation: "PUT /v1/acl/binding-rule", body: binding, keep: ["rule", "ID"] },
    { operation: "GET /v1/acl/binding-rules", query: `${reading}&authmethod=jwt` },
    { operation: "GET /v1/acl/binding-rule/{rule}", path: rule, query: reading },
    {
      operation: "GET /v1/acl/binding-rule/{rule}",
      path: { rule: crypto.randomUUID() },
      status: 404,
    },
    { operation: "PUT /v1/acl/binding-rule/{rule}", path: rule, body: binding },
    {
      operation: "POST /v1/acl/login",
      ...{ query: "dc=dc1", body: { AuthMethod: "jwt", BearerToken: jwt, Meta: { a: "b" } } },
      keep: ["login", "SecretID"],
    },
    { operation: "POST /v1/acl/logout", query: "dc=dc1", token: "{login}" },
    { operation: "DELETE /v1/acl/binding-rule/{rule}", path: rule },
    { operation: "DELETE /v1/acl/auth-method/{method}", path },
  ];
}

export const aclCalls: readonly Call[] = [...acl, ...legacy];
