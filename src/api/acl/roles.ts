// `/v1/acl/role` and `/v1/acl/roles`.

import { aclRoleRequestSchema, type AclRole } from "../../core/model/acl.ts";
import type { roleRoutes } from "../openapi/routes/acl.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import {
  type AclEndpoints,
  type AclParts,
  decodeAcl,
  named,
  readAcl,
  requireSame,
} from "./shared.ts";

const missing = "role ID";

export function roleEndpoints(parts: AclParts): AclEndpoints<typeof roleRoutes> {
  return {
    roles: {
      GET: (request) =>
        readAcl(parts, request, "acl.role.list", () => {
          const policy = request.query.get("policy");
          return policy === "" ? {} : { policy };
        }),
    },
    role: { PUT: (request) => write(parts, request) },
    "role/name/": {
      GET: (request) =>
        readAcl(parts, request, "acl.role", () => ({ name: named(request, "role Name") })),
    },
    "role/": {
      GET: (request) =>
        readAcl(parts, request, "acl.role", () => ({ id: named(request, missing) })),
      PUT: (request) => write(parts, request),
      DELETE: async (request) => {
        const id = named(request, missing);
        await parts.cluster.write({ type: "acl.role.delete", id }, request.ownOptions);
        return json("true");
      },
    },
  };
}

/** A new role where the path names none. */
async function write({ cluster, uuid }: AclParts, request: ApiRequest): Promise<Reply> {
  const role = await decodeAcl<AclRole>(request, aclRoleRequestSchema, "Role");
  requireSame(role.ID, request.rest, "Role ID");
  const create = request.rest === "";
  const named = { ...role, ID: create ? uuid() : request.rest };
  const command = { type: "acl.role.set", role: named, create } as const;
  return json(await cluster.write(command, request.ownOptions));
}
