// Tokens that logins make. Who somebody is was found out by the leader, which proposes the token that came of it and
// says by what state it decided; when that has changed since, it must decide again.

import type { AclToken } from "../../../model/acl.ts";
import type { Bindings } from "../../../model/auth/binding.ts";
import type { AuthMethod, BindingRule } from "../../../model/auth/types.ts";
import { ServiceError } from "../../../model/errors.ts";
import { encodeJson } from "../../../model/json.ts";
import type { Change, State } from "../../state.ts";
import { emptyToken } from "../acl/bootstrap.ts";
import { removeToken, roleNamed, tokenByAccessor, tokenOf } from "../acl/rows.ts";
import { createLoginToken } from "../acl/tokens.ts";
import { bindingRuleOf, bindingRulesFor, bindingRulesIndex, findMethod } from "./rows.ts";
import { methodOf, methodsIndex } from "./rows.ts";

/** What a login is decided by. */
export interface LoginGround {
  method: AuthMethod;
  rules: BindingRule[];
  /** Greater once a method or a rule has changed. */
  index: number;
}

/** Undefined for a method that does not exist. */
export function findLoginGround(state: State, name: string): LoginGround | undefined {
  const row = findMethod(state, name);
  if (!row) return undefined;
  const rules = bindingRulesFor(state, row.id).map(bindingRuleOf);
  return { method: methodOf(row), rules, index: groundIndex(state) };
}

function groundIndex({ meta }: State): number {
  return meta.maxIndex(methodsIndex, bindingRulesIndex);
}

export interface Login {
  token: AclToken;
  /** {@link LoginGround.index}. */
  decidedAt: number;
}

interface Decided {
  method: AuthMethod;
  bindings: Bindings;
  meta: Record<string, string> | null;
  ids: Pick<AclToken, "AccessorID" | "SecretID">;
}

/** The token to propose; null when nothing is granted: roles that do not exist are not. */
export function tokenOfLogin(
  state: State,
  { method, bindings, meta, ids }: Decided,
): AclToken | null {
  const roles = bindings.role.flatMap((name) => {
    const row = roleNamed(state, name);
    return row ? [{ ID: row.id, Name: row.name }] : [];
  });
  const { service: services, node: nodes } = bindings;
  if (roles.length + services.length + nodes.length === 0) return null;
  return {
    ...emptyToken,
    ...ids,
    Description: descriptionOf(meta),
    Roles: roles,
    ServiceIdentities: services.map((ServiceName) => ({ ServiceName, Datacenters: null })),
    NodeIdentities: nodes.map((NodeName) => ({ NodeName, Datacenter: state.datacenter })),
    Local: method.TokenLocality !== "global",
    AuthMethod: method.Name,
  };
}

function descriptionOf(meta: Record<string, string> | null): string {
  const made = "token created via login";
  return Object.keys(meta ?? {}).length === 0 ? made : `${made}: ${encodeJson(meta ?? {})}`;
}

/** The text of a refusal after which a login is decided again. */
export const outdatedText = "the auth method has changed meanwhile";

/** Answers the token as clients see it. */
export function login(change: Change, { token, decidedAt }: Login): string {
  const method = findMethod(change, token.AuthMethod);
  if (!method || groundIndex(change) > decidedAt) throw new ServiceError("not-ready", outdatedText);
  return createLoginToken(change, token, methodOf(method).MaxTokenTTL);
}

/** Of the token that asks, which must be one of a login. */
export function requireLogin(state: State, bearer: string): void {
  const row = tokenByAccessor(state, bearer);
  if (row && tokenOf(row).AuthMethod !== "") return;
  throw new ServiceError("permission-denied", "Permission denied");
}

export function logout(change: Change, accessor: string): true {
  requireLogin(change, accessor);
  const row = tokenByAccessor(change, accessor);
  if (row) removeToken(change, row);
  return true;
}
