// /v1/acl: what a datacenter without ACLs answers, which is the only kind there is yet. Every path exists with its
// methods, as in Consul, so that clients can tell "disabled" (401) from "unknown" (404).

import { ServiceError } from "../core/model/errors.ts";
import type { Area, Endpoint } from "./endpoint.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";

/** Methods by path below /v1/acl/; a path that ends with `/` takes everything below it. */
const paths: Readonly<Record<string, readonly Method[]>> = {
  bootstrap: ["PUT"],
  replication: ["GET"],
  create: ["PUT"],
  update: ["PUT"],
  "destroy/": ["PUT"],
  "info/": ["GET"],
  "clone/": ["PUT"],
  list: ["GET"],
  login: ["POST"],
  logout: ["POST"],
  "rules/translate": ["POST"],
  "rules/translate/": ["GET"],
  tokens: ["GET"],
  token: ["PUT"],
  "token/self": ["GET"],
  "token/": ["GET", "PUT", "DELETE"],
  policies: ["GET"],
  policy: ["PUT"],
  "policy/": ["GET", "PUT", "DELETE"],
  "policy/name/": ["GET"],
  roles: ["GET"],
  role: ["PUT"],
  "role/": ["GET", "PUT", "DELETE"],
  "role/name/": ["GET"],
  "auth-methods": ["GET"],
  "auth-method": ["PUT"],
  "auth-method/": ["GET", "PUT", "DELETE"],
  "binding-rules": ["GET"],
  "binding-rule": ["PUT"],
  "binding-rule/": ["GET", "PUT", "DELETE"],
};

function disabled(): never {
  throw new ServiceError("acl-disabled", "ACL support disabled");
}

export function aclArea(): Area {
  // The first path that fits answers: plain ones before trees, and longer trees before shorter ones.
  const ordered = Object.entries(paths).toSorted(
    ([a], [b]) => Number(a.endsWith("/")) - Number(b.endsWith("/")) || b.length - a.length,
  );
  return Object.fromEntries(
    ordered.map(([path, methods]) => [`/v1/acl/${path}`, endpoint(methods)]),
  );
}

function endpoint(methods: readonly Method[]): Endpoint {
  return Object.fromEntries(methods.map((method) => [method, disabled])) as Endpoint;
}
