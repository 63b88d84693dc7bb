// Tokens of before Consul 1.4, by their endpoints (`/v1/acl/create` and its like): their id is their secret, their
// rules are their own. They live among the others and can be deleted and listed like them.

import type { AclToken } from "../../../model/acl.ts";
import { anonymousSecret, managementPolicyId } from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { encodeString } from "../../../model/json.ts";
import { zeroTime } from "../../../model/time.ts";
import { withIndexes } from "../../rows.ts";
import type { Change } from "../../state.ts";
import { emptyToken } from "./bootstrap.ts";
import { refuse } from "./grants.ts";
import { tokenHash } from "./hash.ts";
import { requireRules } from "./policies.ts";
import { findToken, putToken, removeToken, tokenOf } from "./rows.ts";
import type { TokenRow } from "./rows.ts";

export interface LegacyAcl {
  ID: string;
  Name: string;
  /** `client` or `management`. */
  Type: string;
  Rules: string;
}

/** Makes or changes one; `accessor` is for a new one. Answers its id. */
export function setLegacy(change: Change, acl: LegacyAcl, accessor: string): string {
  const { ID: secret, Name: name, Type: type, Rules: rules } = acl;
  if (type !== "client" && type !== "management") refuse("Invalid ACL Type");
  requireRules(rules, "ACL rule compilation failed: ");
  const row = findToken(change, secret);
  const token: AclToken = {
    ...(row ? tokenOf(row) : { ...emptyToken, AccessorID: accessor, CreateTime: zeroTime }),
    ...{ SecretID: secret, Description: name, Type: type, Rules: rules },
  };
  putToken(change, { ...token, Hash: tokenHash(token) }, row);
  return secret;
}

/** Unknown ones are fine. */
export function destroyLegacy(change: Change, secret: string): true {
  if (secret === anonymousSecret) {
    const message = "Permission denied: Cannot delete anonymous token";
    throw new ServiceError("permission-denied", message);
  }
  const row = findToken(change, secret);
  if (row) removeToken(change, row);
  return true;
}

/** Copies one under a new id, which is answered. */
export function cloneLegacy(
  change: Change,
  given: { secret: string; clone: string; accessor: string },
): string {
  const row = findToken(change, given.secret);
  const known = row && legacyOf(row);
  if (!known) throw new ServiceError("permission-denied", "Permission denied");
  return setLegacy(change, { ...known, ID: given.clone }, given.accessor);
}

/** The token as the old endpoints show it; null for one that they cannot show. */
export function legacyOf(row: TokenRow): LegacyAcl | null {
  const { SecretID, Description, Type, Rules, ...token } = tokenOf(row);
  const isManagement = (token.Policies ?? []).some(({ ID }) => ID === managementPolicyId);
  const type = Type === "" && isManagement ? "management" : Type;
  return type === "" ? null : { ID: SecretID, Name: Description, Type: type, Rules };
}

export function encodeLegacy(row: TokenRow, acl: LegacyAcl): string {
  const members = Object.entries(acl).map(([name, value]) => `"${name}":${encodeString(value)}`);
  return withIndexes(`{${members.join(",")}}`, row);
}
