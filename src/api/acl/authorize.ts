// `/v1/internal/acl/authorize`: whether the token that asks may do each of several things.

import type { Access, Resource } from "../../core/acl/access.ts";
import { limits } from "../../core/model/limits.ts";
import { omitEmpty, text } from "../../core/model/schema.ts";
import type { Type } from "../../core/model/schema.ts";
import { malformed } from "../errors.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import type { AclParts } from "./shared.ts";

/** What may be asked of each resource. */
const accesses: Readonly<Record<Resource, readonly Access[]>> = {
  acl: ["read", "write"],
  agent: ["read", "write"],
  event: ["read", "write"],
  intention: ["read", "write"],
  key: ["read", "list", "write"],
  keyring: ["read", "write"],
  node: ["read", "write"],
  operator: ["read", "write"],
  query: ["read", "write"],
  service: ["read", "write"],
  session: ["read", "write"],
};

interface Question {
  Resource: Resource;
  Segment: string;
  Access: Access;
}

const questionsSchema: Type = {
  kind: "list",
  goName: "[]structs.ACLAuthorizationRequest",
  item: {
    kind: "struct",
    goName: "structs.ACLAuthorizationRequest",
    fields: { Resource: text, Segment: omitEmpty(text), Access: text },
  },
};

export async function authorize({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const prefix = "Bad request: Failed to decode request body: ";
  const given = (await request.decode(questionsSchema, "refuse", prefix)) as Question[] | null;
  const questions = given ?? [];
  const max = limits.aclAuthorizationsMax;
  if (questions.length > max) {
    throw malformed(`Bad request: Refusing to process more than ${max} authorizations at once`);
  }
  for (const { Resource: resource, Access: access } of questions) {
    if (!Object.hasOwn(accesses, resource)) {
      const name = JSON.stringify(resource);
      throw malformed(`Bad request: Invalid ACL resource requested: ${name}`);
    }
    if (accesses[resource].includes(access)) continue;
    throw malformed(`Bad request: Invalid access level for ${resource} resource: ${access}`);
  }
  const { token, datacenter } = request;
  const asked = questions.map(({ Resource, Segment, Access }) => ({ Resource, Segment, Access }));
  const { body } = await cluster.read(
    "acl.authorize",
    { questions: asked },
    { ...(token !== undefined && { token }), ...(datacenter !== undefined && { dc: datacenter }) },
  );
  return json(body ?? "[]");
}
