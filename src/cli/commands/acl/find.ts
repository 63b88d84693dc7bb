// Finding things of the ACL system by what people type: the beginning of an ID, or a name.

import { type Api, pathEscape } from "../../api.ts";
import type { Link, Policy, Role, Token } from "./types.ts";

const idLength = 36;
const anonymousId = "00000000-0000-0000-0000-000000000002";

/** Throws Error in Consul's words, and whatever the request throws. */
async function wholeId(
  api: Api,
  given: string,
  { path, what, idOf }: { path: string; what: string; idOf: (one: never) => string },
): Promise<string> {
  if (given.length === idLength) return given;
  const things = (await api.get(path)).json<never[]>();
  const [id, another] = things.map(idOf).filter((one) => one.startsWith(given));
  if (id === undefined) throw new Error(`No such ${what} ID with prefix: ${given}`);
  if (another !== undefined) throw new Error(`Partial ${what} ID is not unique`);
  return id;
}

export async function policyId(api: Api, given: string): Promise<string> {
  const idOf = ({ ID }: Link): string => ID;
  return await wholeId(api, given, { path: "/v1/acl/policies", what: "policy", idOf });
}

export async function roleId(api: Api, given: string): Promise<string> {
  const idOf = ({ ID }: Link): string => ID;
  return await wholeId(api, given, { path: "/v1/acl/roles", what: "role", idOf });
}

export async function ruleId(api: Api, given: string): Promise<string> {
  const idOf = ({ ID }: Link): string => ID;
  return await wholeId(api, given, { path: "/v1/acl/binding-rules", what: "rule", idOf });
}

export async function tokenId(api: Api, given: string): Promise<string> {
  if (given === "anonymous") return anonymousId;
  const idOf = ({ AccessorID }: Token): string => AccessorID;
  return await wholeId(api, given, { path: "/v1/acl/tokens", what: "token", idOf });
}

export async function policyIdByName(api: Api, name: string): Promise<string> {
  const policies = (await api.get("/v1/acl/policies")).json<Policy[]>();
  const found = policies.find(({ Name }) => Name === name);
  if (found) return found.ID;
  throw new Error(`No such policy with name ${name}`);
}

export async function roleIdByName(api: Api, name: string): Promise<string> {
  const answer = await api.find(`/v1/acl/role/name/${pathEscape(name)}`);
  if (answer) return answer.json<Role>().ID;
  throw new Error(`No such role with name ${name}`);
}

export async function readToken(api: Api, id: string): Promise<Token> {
  return (await api.get(`/v1/acl/token/${pathEscape(id)}`)).json<Token>();
}

/** Null when there is none. */
export async function readRole(api: Api, id: string): Promise<Role | null> {
  return (await api.find(`/v1/acl/role/${pathEscape(id)}`))?.json<Role>() ?? null;
}
