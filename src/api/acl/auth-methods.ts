// `/v1/acl/auth-method` and `/v1/acl/auth-methods`.

import { type AuthMethod, authMethodRequestSchema } from "../../core/model/auth/types.ts";
import type { JsonValue } from "../../core/model/json.ts";
import type { authMethodRoutes } from "../openapi/routes/acl-auth.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import {
  type AclEndpoints,
  type AclParts,
  decodeAcl,
  durationNs,
  named,
  readAcl,
  requireSame,
} from "./shared.ts";

const missing = "auth method name";
const what = "AuthMethod";

export function authMethodEndpoints(parts: AclParts): AclEndpoints<typeof authMethodRoutes> {
  return {
    "auth-methods": {
      GET: (request) => readAcl(parts, request, "acl.auth-method.list", () => ({})),
    },
    "auth-method": { PUT: (request) => write(parts, request) },
    "auth-method/": {
      GET: (request) =>
        readAcl(parts, request, "acl.auth-method", () => ({ name: named(request, missing) })),
      PUT: (request) => write(parts, request),
      DELETE: async (request) => {
        const name = named(request, missing);
        await parts.cluster.write({ type: "auth.method.delete", name }, ownOptions(request));
        return json("true");
      },
    },
  };
}

type Body = Omit<AuthMethod, "MaxTokenTTL"> & {
  MaxTokenTTL: JsonValue;
  CreateIndex: number;
  ModifyIndex: number;
};

async function write({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const body = await decodeAcl<Body>(request, authMethodRequestSchema, what);
  const { MaxTokenTTL: ttl, CreateIndex: _created, ModifyIndex: _modified, ...given } = body;
  const MaxTokenTTL = durationNs(ttl, what);
  if (request.rest !== "") requireSame(given.Name, request.rest, `${what} Name`);
  const method = { ...given, Name: given.Name || request.rest, MaxTokenTTL };
  return json(await cluster.setAuthMethod(method, ownOptions(request)));
}

/** Changes to methods and rules go to the agent's own datacenter, wherever `?dc=` points. */
export function ownOptions({ token }: ApiRequest): { token?: string } {
  return token === undefined ? {} : { token };
}
