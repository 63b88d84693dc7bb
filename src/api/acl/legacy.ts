// The endpoints of before Consul 1.4, and the translation of rules from that time.

import { translateRules } from "../../core/acl/legacy.ts";
import { RulesError } from "../../core/acl/rules.ts";
import type { LegacyAcl } from "../../core/state/tables/acl/legacy.ts";
import { decodeBody } from "../../core/model/decode.ts";
import { ServiceError } from "../../core/model/errors.ts";
import { malformed } from "../errors.ts";
import { type aclLegacyRoutes, legacySchema } from "../openapi/routes/acl-legacy.ts";
import { json, text, type Reply } from "../reply.ts";
import { decoding, type ApiRequest } from "../request.ts";
import { type AclEndpoints, type AclParts, named, readAcl, readKnown } from "./shared.ts";

const missing = "Missing ACL";

export function legacyEndpoints(parts: AclParts): AclEndpoints<typeof aclLegacyRoutes> {
  return {
    create: { PUT: (request) => create(parts, request) },
    update: { PUT: (request) => update(parts, request) },
    "destroy/": { PUT: (request) => destroy(parts, request) },
    "clone/": { PUT: (request) => clone(parts, request) },
    "info/": {
      GET: (request) =>
        readAcl(parts, request, "acl.legacy.info", () => ({ secret: request.require(missing) })),
    },
    list: { GET: (request) => readAcl(parts, request, "acl.legacy.list", () => ({})) },
    "rules/translate": { POST: (request) => translate(parts, request) },
    "rules/translate/": { GET: (request) => translateToken(parts, request) },
  };
}

async function create(parts: AclParts, request: ApiRequest): Promise<Reply> {
  const acl = await decodeAcl(request);
  return await set(parts, request, { ...acl, ID: acl.ID || parts.uuid() });
}

async function update(parts: AclParts, request: ApiRequest): Promise<Reply> {
  const acl = await decodeAcl(request);
  if (acl.ID === "") throw malformed("ACL ID must be set");
  return await set(parts, request, acl);
}

async function decodeAcl(request: ApiRequest): Promise<LegacyAcl> {
  const body = (await request.text()) || "{}";
  const given = decoding("Request decode failed: ", () =>
    decodeBody(legacySchema, body, "refuse"),
  ) as LegacyAcl;
  return { ...given, Type: given.Type === "" ? "client" : given.Type };
}

async function set(parts: AclParts, request: ApiRequest, acl: LegacyAcl): Promise<Reply> {
  const command = { type: "acl.legacy.set", acl, accessor: parts.uuid() } as const;
  return idOf(await parts.cluster.write(command, request.ownOptions));
}

async function clone({ cluster, uuid }: AclParts, request: ApiRequest): Promise<Reply> {
  const secret = request.require(missing);
  const command = { type: "acl.legacy.clone", secret, clone: uuid(), accessor: uuid() } as const;
  return idOf(await cluster.write(command, request.ownOptions));
}

async function destroy({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const secret = request.require(missing);
  await cluster.write({ type: "acl.legacy.destroy", secret }, request.ownOptions);
  return json("true");
}

function idOf(id: string): Reply {
  return json(`{"ID":${JSON.stringify(id)}}`);
}

/** Of rules in the body. Whoever may read ACLs may ask. */
async function translate({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const { token } = request;
  await cluster.read("acl.policy.list", {}, { ...(token !== undefined && { token }) });
  const rules = await request.text();
  try {
    return text(200, translateRules(rules));
  } catch (failure) {
    if (failure instanceof RulesError) throw malformed(`Bad request: ${failure.message}`);
    throw failure;
  }
}

/** Of the rules that a legacy token has. */
async function translateToken(parts: AclParts, request: ApiRequest): Promise<Reply> {
  const reply = await readKnown(parts, request, "acl.legacy.rules", () => ({
    accessor: named(request, "token ID"),
  }));
  if (reply.status !== 200) return reply;
  const rules = JSON.parse(reply.body as string) as string;
  const { "Content-Type": _, ...headers } = reply.headers;
  if (rules === "") {
    return text(500, "The specified token does not have any rules set", headers);
  }
  try {
    return text(200, translateRules(rules), headers);
  } catch (failure) {
    if (failure instanceof RulesError) throw new ServiceError("invalid", failure.message);
    throw failure;
  }
}
