// `/v1/acl/binding-rule` and `/v1/acl/binding-rules`.

import { type BindingRule, bindingRuleRequestSchema } from "../../core/model/auth/types.ts";
import type { bindingRuleRoutes } from "../openapi/routes/acl-auth.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import { ownOptions } from "./auth-methods.ts";
import {
  type AclEndpoints,
  type AclParts,
  decodeAcl,
  named,
  readAcl,
  requireSame,
} from "./shared.ts";

const missing = "binding rule ID";
const what = "BindingRule";

export function bindingRuleEndpoints(parts: AclParts): AclEndpoints<typeof bindingRuleRoutes> {
  return {
    "binding-rules": {
      GET: (request) =>
        readAcl(parts, request, "acl.binding-rule.list", () => {
          const authMethod = request.query.get("authmethod");
          return authMethod === "" ? {} : { authMethod };
        }),
    },
    "binding-rule": { PUT: (request) => write(parts, request) },
    "binding-rule/": {
      GET: (request) =>
        readAcl(parts, request, "acl.binding-rule", () => ({ id: named(request, missing) })),
      PUT: (request) => write(parts, request),
      DELETE: async (request) => {
        const id = named(request, missing);
        await parts.cluster.write({ type: "auth.rule.delete", id }, ownOptions(request));
        return json("true");
      },
    },
  };
}

/** A new rule where the path names none. */
async function write({ cluster, uuid }: AclParts, request: ApiRequest): Promise<Reply> {
  const rule = await decodeAcl<BindingRule>(request, bindingRuleRequestSchema, what);
  requireSame(rule.ID, request.rest, `${what} ID`);
  const create = request.rest === "";
  const drawn = { ...rule, ID: create ? uuid() : request.rest };
  const command = { type: "auth.rule.set", rule: drawn, create } as const;
  return json(await cluster.write(command, ownOptions(request)));
}
