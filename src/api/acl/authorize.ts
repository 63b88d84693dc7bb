// `/v1/internal/acl/authorize`: whether the token that asks may do each of several things, and
// `/v1/internal/acl/explain`, which Consul does not have: why.

import type { Access, Resource } from "../../core/acl/access.ts";
import { unknownToken } from "../../core/model/errors.ts";
import { limits } from "../../core/model/limits.ts";
import { malformed } from "../errors.ts";
import { questionsSchema } from "../openapi/routes/acl-auth.ts";
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

/** What the body asks. */
async function questionsOf(request: ApiRequest): Promise<Question[]> {
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
  return questions.map(({ Resource, Segment, Access }) => ({ Resource, Segment, Access }));
}

export async function authorize({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const args = { questions: (await questionsOf(request)).map((question) => ({ ...question })) };
  const { body } = await cluster.read("acl.authorize", args, request.writeOptions);
  return json(body ?? "[]");
}

/** The same with what decided, of the token that asks or of the one that `?accessor=` names. */
export async function explain({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const questions = (await questionsOf(request)).map((question) => ({ ...question }));
  const accessor = request.query.get("accessor");
  const args = { questions, ...(accessor !== "" && { accessor }) };
  const { body } = await cluster.read("acl.explain", args, request.writeOptions);
  if (body === null) throw unknownToken();
  return json(body);
}
