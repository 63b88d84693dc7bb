// `/v1/acl/token` and `/v1/acl/tokens`.

import { aclTokenRequestSchema, type AclToken } from "../../core/model/acl.ts";
import type { JsonValue } from "../../core/model/json.ts";
import { isTime } from "../../core/model/time.ts";
import { malformed } from "../errors.ts";
import type { tokenRoutes } from "../openapi/routes/acl.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import {
  type AclEndpoints,
  type AclParts,
  decodeAcl,
  durationNs,
  named,
  readAcl,
  readKnown,
  requireSame,
} from "./shared.ts";

const missing = "token ID";
const failed = "Bad request: Token decoding failed: ";
const cloneEnd = "/clone";

export function tokenEndpoints(parts: AclParts): AclEndpoints<typeof tokenRoutes> {
  return {
    tokens: {
      GET: (request) => readAcl(parts, request, "acl.token.list", () => filterOf(request)),
    },
    token: { PUT: (request) => create(parts, request) },
    "token/self": {
      GET: (request) => readKnown(parts, request, "acl.token.self", () => ({})),
    },
    "token/": {
      GET: (request) =>
        readKnown(parts, request, "acl.token", () => ({ accessor: named(request, missing) })),
      PUT: (request) =>
        request.rest.endsWith(cloneEnd) ? clone(parts, request) : update(parts, request),
      DELETE: (request) => remove(parts, request),
    },
  };
}

function filterOf({ query }: ApiRequest): { policy?: string; role?: string; authMethod?: string } {
  const [policy, role, authMethod] = ["policy", "role", "authmethod"].map((name) =>
    query.get(name),
  );
  return {
    ...(policy && { policy }),
    ...(role && { role }),
    ...(authMethod && { authMethod }),
  };
}

type TokenBody = AclToken & { ExpirationTTL: JsonValue };

async function create(parts: AclParts, request: ApiRequest): Promise<Reply> {
  const { token, ttlNs } = await decodeToken(request);
  return json(
    await parts.cluster.write(
      {
        type: "acl.token.create",
        token: {
          ...token,
          AccessorID: token.AccessorID || parts.uuid(),
          SecretID: token.SecretID || parts.uuid(),
        },
        ttlNs,
      },
      request.ownOptions,
    ),
  );
}

async function update(parts: AclParts, request: ApiRequest): Promise<Reply> {
  if (request.rest === "") return await create(parts, request);
  const { token, ttlNs } = await decodeToken(request);
  requireSame(token.AccessorID, request.rest, "Token Accessor ID");
  const changed = { ...token, AccessorID: request.rest };
  const { cluster } = parts;
  const body = await cluster.write(
    { type: "acl.token.update", token: changed, ttlNs },
    request.ownOptions,
  );
  return json(body);
}

async function clone(parts: AclParts, request: ApiRequest): Promise<Reply> {
  const { token } = await decodeToken(request);
  const accessor = request.rest.slice(0, -cloneEnd.length);
  return json(
    await parts.cluster.write(
      {
        type: "acl.token.clone",
        accessor,
        clone: {
          AccessorID: parts.uuid(),
          SecretID: parts.uuid(),
          Description: token.Description,
        },
      },
      request.ownOptions,
    ),
  );
}

async function remove({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const accessor = named(request, missing);
  // Whose token it is that asks is known to the server alone.
  await cluster.write({ type: "acl.token.delete", accessor, bearer: "" }, request.ownOptions);
  return json("true");
}

async function decodeToken(request: ApiRequest): Promise<{ token: AclToken; ttlNs: number }> {
  const body = await decodeAcl<TokenBody>(request, aclTokenRequestSchema, "Token");
  const { ExpirationTTL: ttl, ...token } = body;
  const { ExpirationTime: time } = token;
  if (time !== "" && !isTime(time)) {
    const layout = '"2006-01-02T15:04:05Z07:00"';
    const problem = `parsing time ""${time}"" as "${layout}": cannot parse "${time}"" as "2006"`;
    throw malformed(failed + problem);
  }
  return { token: { ...token, Type: "" }, ttlNs: durationNs(ttl, "Token") };
}
