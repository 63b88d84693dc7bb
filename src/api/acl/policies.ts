// `/v1/acl/policy` and `/v1/acl/policies`.

import { aclPolicyRequestSchema, type AclPolicy } from "../../core/model/acl.ts";
import { malformed } from "../errors.ts";
import type { policyRoutes } from "../openapi/routes/acl.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import {
  type AclEndpoints,
  type AclParts,
  decodeAcl,
  named,
  readAcl,
  readKnown,
  requireSame,
} from "./shared.ts";

const missing = "policy ID";

export function policyEndpoints(parts: AclParts): AclEndpoints<typeof policyRoutes> {
  return {
    policies: { GET: (request) => readAcl(parts, request, "acl.policy.list", () => ({})) },
    policy: { PUT: (request) => create(parts, request) },
    "policy/name/": {
      GET: (request) =>
        readKnown(parts, request, "acl.policy", () => ({ name: named(request, "policy Name") })),
    },
    "policy/": {
      GET: (request) =>
        readKnown(parts, request, "acl.policy", () => ({ id: named(request, missing) })),
      PUT: (request) => (request.rest === "" ? create(parts, request) : update(parts, request)),
      DELETE: async (request) => {
        const id = named(request, missing);
        await parts.cluster.write({ type: "acl.policy.delete", id }, request.ownOptions);
        return json("true");
      },
    },
  };
}

async function create({ cluster, uuid }: AclParts, request: ApiRequest): Promise<Reply> {
  const policy = await decodeAcl<AclPolicy>(request, aclPolicyRequestSchema, "Policy");
  if (policy.ID !== "") {
    throw malformed("Bad request: Cannot specify the ID when creating a new policy");
  }
  const drawn = { ...policy, ID: uuid() };
  const command = { type: "acl.policy.set", policy: drawn, create: true } as const;
  return json(await cluster.write(command, request.ownOptions));
}

async function update({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const policy = await decodeAcl<AclPolicy>(request, aclPolicyRequestSchema, "Policy");
  requireSame(policy.ID, request.rest, "Policy ID");
  const changed = { ...policy, ID: request.rest };
  const command = { type: "acl.policy.set", policy: changed, create: false } as const;
  return json(await cluster.write(command, request.ownOptions));
}
