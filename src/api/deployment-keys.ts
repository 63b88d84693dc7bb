// Beyond Consul, at a deployment: minting the keys by which hosts join and by which DNS is asked. What a join token
// stands for is an ACL token, so it is listed, and revoked, as one.

import {
  type AclPolicy,
  type AclToken,
  joinPolicyName,
  joinTokenRequestSchema,
  nodePolicyName,
} from "../core/model/acl.ts";
import { ServiceError } from "../core/model/errors.ts";
import { encodeJson } from "../core/model/json.ts";
import type { Cluster, WriteOptions } from "../ports/cluster.ts";
import type { DeploymentKeys } from "../ports/deployment-keys.ts";
import { decodeAcl, durationNs } from "./acl/shared.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { deploymentKeyRoutes } from "./openapi/routes/deployment-keys.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

export interface DeploymentKeyParts {
  cluster: Cluster;
  keys: DeploymentKeys;
  nowMs(): number;
  /** A random UUID in lower case. */
  uuid(): string;
}

type JoinTokenBody = Pick<AclToken, "Description" | "Policies" | "Roles" | "ServiceIdentities"> & {
  Nodes: string[] | null;
  TTL: string;
};

const nodesMax = 64;
const nodePattern = /^[^*\s]{1,253}$|^[^*\s]{0,252}\*$/;

export function deploymentKeyArea(parts: DeploymentKeyParts): AreaOf<typeof deploymentKeyRoutes> {
  return {
    "/v1/operator/join-token": { PUT: (request) => mintJoinToken(parts, request) },
    "/v1/operator/join-tokens": { GET: (request) => joinTokens(parts, request) },
    "/v1/operator/join-token/": { DELETE: (request) => revokeJoinToken(parts, request) },
    "/v1/operator/dns-key": { PUT: (request) => mintDnsKey(parts, request) },
  };
}

async function mintJoinToken(parts: DeploymentKeyParts, request: ApiRequest): Promise<Reply> {
  const { cluster, keys, uuid } = parts;
  const body = await decodeAcl<JoinTokenBody>(request, joinTokenRequestSchema, "Join token");
  const { Nodes, TTL, Description, Policies, Roles, ServiceIdentities } = body;
  const nodes = Nodes ?? [];
  if (nodes.length > nodesMax || !nodes.every((name) => nodePattern.test(name))) {
    const form = 'names, or beginnings of names that end with "*"';
    throw new ServiceError("bad-request", `Nodes must be at most ${nodesMax} ${form}`);
  }
  const expiresMs = expiry(parts, TTL);
  const options = request.writeOptions;
  await ensurePolicies(parts, options);
  const secret = uuid();
  const made = await cluster.write(
    {
      type: "acl.token.create",
      ttlNs: 0,
      token: {
        ...blankToken,
        ...{ AccessorID: uuid(), SecretID: secret, Roles, ServiceIdentities },
        Description: described(Description, nodes, expiresMs),
        Policies: [{ ID: "", Name: joinPolicyName }, ...(Policies ?? [])],
        // Hosts of every datacenter may join by it.
        Local: false,
      },
    },
    options,
  );
  const { AccessorID } = JSON.parse(made) as AclToken;
  const token = await keys.seal({ kind: "join", secret, nodes, expiresMs });
  return json(encodeJson({ AccessorID, Token: token, Nodes: nodes, Expires: timeOf(expiresMs) }));
}

/** They are tokens with a policy of their own; what they admit stands in their descriptions. */
async function joinTokens({ cluster }: DeploymentKeyParts, request: ApiRequest): Promise<Reply> {
  const options = request.writeOptions;
  const found = await cluster.read("acl.policy", { name: joinPolicyName }, options);
  if (found.body === null) return json("[]");
  const { ID: policy } = JSON.parse(found.body) as { ID: string };
  const { body } = await cluster.read("acl.token.list", { policy }, options);
  const tokens = JSON.parse(body ?? "[]") as Pick<
    AclToken,
    "AccessorID" | "Description" | "CreateTime"
  >[];
  const shown = tokens.map(({ AccessorID, Description, CreateTime }) => {
    return { AccessorID, Description, CreateTime };
  });
  return json(encodeJson(shown));
}

/** Nodes that have joined by it stay. */
async function revokeJoinToken(
  { cluster }: DeploymentKeyParts,
  request: ApiRequest,
): Promise<Reply> {
  const accessor = request.rest;
  if (accessor === "")
    throw new ServiceError("bad-request", "Missing the accessor of a join token");
  await cluster.write({ type: "acl.token.delete", accessor, bearer: "" }, request.writeOptions);
  return json("true");
}

/** For whoever asks, with what their token may see. */
async function mintDnsKey(parts: DeploymentKeyParts, request: ApiRequest): Promise<Reply> {
  const { cluster, keys } = parts;
  const { token: secret } = request;
  const self = await cluster.read("acl.token.self", {}, request.writeOptions);
  if (secret === undefined || self.body === null) {
    throw new ServiceError(
      "permission-denied",
      "Permission denied: show the token that it is to stand for",
    );
  }
  const expiresMs = expiry(parts, request.query.get("ttl"));
  const key = await keys.seal({ kind: "dns", secret, expiresMs });
  return json(encodeJson({ Key: key, Path: `/dns-query/${key}`, Expires: timeOf(expiresMs) }));
}

const ownPolicies: readonly Pick<AclPolicy, "Name" | "Description" | "Rules">[] = [
  {
    Name: joinPolicyName,
    Description: "Tokens with it admit hosts. It grants nothing",
    Rules: "",
  },
  {
    Name: nodePolicyName,
    Description: "What hosts that joined may read: what their DNS shows",
    Rules: ["node_prefix", "service_prefix", "query_prefix"]
      .map((resource) => `${resource} "" { policy = "read" }`)
      .join("\n"),
  },
];

/** Makes what is missing; what an administrator made of it stays. */
async function ensurePolicies(
  { cluster, uuid }: DeploymentKeyParts,
  options: WriteOptions,
): Promise<void> {
  for (const own of ownPolicies) {
    const find = async (): Promise<boolean> =>
      (await cluster.read("acl.policy", { name: own.Name }, options)).body !== null;
    if (await find()) continue;
    const policy = { ...own, ID: uuid(), Datacenters: null, Hash: "" };
    try {
      await cluster.write({ type: "acl.policy.set", policy, create: true }, options);
    } catch (failure) {
      // Somebody else has made it meanwhile.
      if (!(await find())) throw failure;
    }
  }
}

const blankToken: AclToken = {
  ...{ AccessorID: "", SecretID: "", Description: "", Policies: null, Roles: null },
  ...{ ServiceIdentities: null, NodeIdentities: null, Type: "", Rules: "", Local: false },
  ...{ AuthMethod: "", ExpirationTime: "", CreateTime: "", Hash: "" },
};

/** Ms since 1970; 0: never. Throws ServiceError. */
function expiry({ nowMs }: DeploymentKeyParts, ttl: string): number {
  if (ttl === "") return 0;
  const ns = durationNs(ttl, "TTL");
  if (ns <= 0) throw new ServiceError("bad-request", "TTL must be a positive duration");
  return nowMs() + ns / 1e6;
}

function timeOf(expiresMs: number): string {
  return expiresMs === 0 ? "" : new Date(expiresMs).toISOString();
}

function described(given: string, nodes: readonly string[], expiresMs: number): string {
  const whom = nodes.length === 0 ? "any node" : nodes.join(", ");
  const until = expiresMs === 0 ? "" : `, until ${timeOf(expiresMs)}`;
  return `${given === "" ? "Join token" : given} (${whom}${until})`;
}
