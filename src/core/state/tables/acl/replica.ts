// ACLs in a datacenter that has a primary one: policies, roles and tokens that are not local are there as they are in
// the primary (semantics §11). They come whole, and what differs is written.

import type { AclPolicy, AclRole, AclToken } from "../../../model/acl.ts";
import { text } from "../../../model/schema.ts";
import { admitAll, command } from "../../area.ts";
import type { Change, State } from "../../state.ts";
import {
  allPolicies,
  allRoles,
  allTokens,
  findPolicy,
  findRole,
  findToken,
  putPolicy,
  putRole,
  putToken,
  removePolicy,
  removeRole,
  removeToken,
  tokenOf,
} from "./rows.ts";

type Kind = "policy" | "role" | "token";

/** An object as rows have it; `id` is a token's secret. */
export interface ReplicaObject {
  kind: Kind;
  id: string;
  /** "": there is none. */
  body: string;
}

/** What counts in every datacenter. */
export function globalObjects(state: State): ReplicaObject[] {
  const of = (kind: Kind) => (row: { id: string; body: string }) => ({ kind, ...pick(row) });
  const tokens = allTokens(state).filter((row) => !tokenOf(row).Local);
  return [
    ...allPolicies(state).map(of("policy")),
    ...allRoles(state).map(of("role")),
    ...tokens.map(({ secret, body }): ReplicaObject => ({ kind: "token", id: secret, body })),
  ];
}

function pick({ id, body }: { id: string; body: string }): { id: string; body: string } {
  return { id, body };
}

/** What is to be written where `state` is, to have what `primary` has; what goes comes first. */
export function replicaDifference(
  state: State,
  primary: readonly ReplicaObject[],
): ReplicaObject[] {
  const key = ({ kind, id }: ReplicaObject): string => `${kind} ${id}`;
  const own = new Map(globalObjects(state).map((each) => [key(each), each.body]));
  const wanted = new Set(primary.map(key));
  const gone = globalObjects(state)
    .filter((each) => !wanted.has(key(each)))
    .map((each) => ({ ...each, body: "" }));
  return [...gone, ...primary.filter((each) => own.get(key(each)) !== each.body)];
}

const object = {
  kind: "struct",
  goName: "ReplicaObject",
  fields: { kind: text, id: text, body: text },
} as const;

/** Proposed by the leader of a datacenter that is not the primary. */
export const replicate = command<{ objects: ReplicaObject[] }, true>({
  shape: { objects: { type: { kind: "list", item: object } } },
  admit: admitAll,
  apply: (change, { objects }) => {
    for (const each of objects) appliers[each.kind](change, each);
    return true;
  },
});

const appliers: Record<Kind, (change: Change, object: ReplicaObject) => void> = {
  policy: (change, { id, body }) => {
    const before = findPolicy(change, id);
    if (body !== "") putPolicy(change, JSON.parse(body) as AclPolicy, before);
    else if (before) removePolicy(change, before);
  },
  role: (change, { id, body }) => {
    const before = findRole(change, id);
    if (body !== "") putRole(change, JSON.parse(body) as AclRole, before);
    else if (before) removeRole(change, before);
  },
  token: (change, { id, body }) => {
    const before = findToken(change, id);
    if (body !== "") putToken(change, JSON.parse(body) as AclToken, before);
    else if (before) removeToken(change, before);
  },
};
