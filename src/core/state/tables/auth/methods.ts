// Making, changing and deleting auth methods. What a method's configuration needs others for (keys, certificates,
// servers) was looked at by the leader that proposes it.

import { authMethodTypes } from "../../../model/auth/config.ts";
import {
  type AuthMethod,
  authMethodSchema,
  authMethodStubSchema,
  methodKey,
} from "../../../model/auth/types.ts";
import { formatDuration } from "../../../model/duration.ts";
import { limits } from "../../../model/limits.ts";
import { encode } from "../../../model/schema.ts";
import { withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import { refuse } from "../acl/grants.ts";
import { allTokens, removeToken, tokenOf } from "../acl/rows.ts";
import { bindingRulesFor, findMethod, methodOf, putMethod } from "./rows.ts";
import { type MethodRow, removeBindingRule, removeMethod } from "./rows.ts";

const methodName = /^[A-Za-z0-9\-_]{1,128}$/;

/** The method as it may be kept, whatever its configuration says. Throws ServiceError, in Consul's order. */
export function completeMethod(state: State, given: AuthMethod): AuthMethod {
  const { Name: name, MaxTokenTTL: ttlNs, TokenLocality: locality } = given;
  const invalid = "Invalid Auth Method: ";
  if (name === "") refuse(`${invalid}no Name is set`);
  if (!methodName.test(name)) {
    refuse(`${invalid}invalid Name. Only alphanumeric characters, '-' and '_' are allowed`);
  }
  const row = findMethod(state, name);
  const known = row ? methodOf(row).Type : given.Type;
  const type = given.Type === "" ? known : given.Type;
  if (type !== known) refuse("the Type field of an Auth Method is immutable");
  if (!(authMethodTypes as readonly string[]).includes(type)) {
    refuse(`${invalid}Type should be one of: [${authMethodTypes.join(" ")}]`);
  }
  if (ttlNs !== 0) checkTtl(ttlNs);
  if (!["", "local", "global"].includes(locality)) {
    refuse(`${invalid}TokenLocality should be one of 'local' or 'global'`);
  }
  return { ...given, Type: type };
}

function checkTtl(ttlNs: number): void {
  const [minNs, maxNs] = [limits.aclTokenTtlMsMin * 1e6, limits.aclTokenTtlMsMax * 1e6];
  const given = `MaxTokenTTL ${formatDuration(ttlNs)} cannot be`;
  if (ttlNs > maxNs) refuse(`${given} more than ${formatDuration(maxNs)}`);
  if (ttlNs < minNs) refuse(`${given} less than ${formatDuration(minNs)}`);
}

/** Answers the method as JSON text. */
export function setMethod(change: Change, { method }: { method: AuthMethod }): string {
  const complete = completeMethod(change, method);
  return encodeMethod(putMethod(change, complete, findMethod(change, method.Name)));
}

/** Its rules go, and the tokens of its logins. Unknown ones are fine. */
export function deleteMethod(change: Change, name: string): true {
  const row = findMethod(change, name);
  if (!row) return true;
  for (const rule of bindingRulesFor(change, row.id)) removeBindingRule(change, rule);
  for (const token of allTokens(change)) {
    if (methodKey(tokenOf(token).AuthMethod) === row.id) removeToken(change, token);
  }
  removeMethod(change, row);
  return true;
}

export function encodeMethod(row: MethodRow): string {
  return withIndexes(encode(authMethodSchema, methodOf(row)), row);
}

/** As lists show it. */
export function encodeMethodStub(row: MethodRow): string {
  return withIndexes(encode(authMethodStubSchema, methodOf(row)), row);
}
