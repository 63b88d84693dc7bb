// Making, changing, copying and deleting tokens (semantics §11.1). Ids are drawn by whoever proposes; times are the
// log's.

import { anonymousAccessor, reservedIdPrefix } from "../../../model/acl.ts";
import type { AclToken } from "../../../model/acl.ts";
import { formatDuration } from "../../../model/duration.ts";
import { limits } from "../../../model/limits.ts";
import { encode } from "../../../model/schema.ts";
import { aclTokenSchema } from "../../../model/acl.ts";
import { goTime } from "../../../model/time.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import { ServiceError, unknownToken } from "../../../model/errors.ts";
import { withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import { currentLinks, nodeIdentities, policyLinks, refuse } from "./grants.ts";
import { roleLinks, serviceIdentities } from "./grants.ts";
import { tokenHash } from "./hash.ts";
import { findPolicy, findRole, findToken, isExpired, putToken } from "./rows.ts";
import { removeToken, tokenByAccessor, tokenOf } from "./rows.ts";
import type { TokenRow } from "./rows.ts";

export interface TokenRequest {
  /** Of a new token: with ids that were drawn where none were given. */
  token: AclToken;
  /** From now, in ns; 0: none was asked for. */
  ttlNs: number;
}

/** Answers the token as clients see it, as JSON text. */
export function createToken(change: Change, { token, ttlNs }: TokenRequest): string {
  const { AccessorID: accessor, SecretID: secret } = token;
  if (lookedUp(change, accessor) || findToken(change, accessor)) {
    refuse("Invalid Token: AccessorID is already in use");
  }
  checkChosen("AccessorID", accessor);
  checkChosen("SecretID", secret);
  if (findToken(change, secret) || tokenByAccessor(change, secret)) {
    refuse("Invalid Token: SecretID is already in use");
  }
  if (token.AuthMethod !== "") refuse("AuthMethod field is disallowed outside of Login");
  const CreateTime = goTime(change.nowMs);
  const ExpirationTime = expirationOf(change, token.ExpirationTime, ttlNs);
  const row = putToken(change, completed(change, { ...token, CreateTime, ExpirationTime }));
  return encodeToken(change, row);
}

/** A token that a login makes, with ids that were drawn; it ends after `ttlNs`, or never when that is 0. */
export function createLoginToken(change: Change, token: AclToken, ttlNs: number): string {
  const { nowMs } = change;
  const ExpirationTime = ttlNs === 0 ? "" : goTime(nowMs + ttlNs / 1e6);
  const made = { ...token, CreateTime: goTime(nowMs), ExpirationTime };
  return encodeToken(change, putToken(change, completed(change, made)));
}

/** The lists of the request replace those of the token. */
export function updateToken(change: Change, { token, ttlNs }: TokenRequest): string {
  const { AccessorID: accessor } = token;
  const row = lookedUp(change, accessor);
  if (!row || isExpired(row, change.nowMs)) refuse(`Cannot find token "${accessor}"`);
  const known = tokenOf(row);
  if (token.SecretID !== "" && token.SecretID !== known.SecretID) {
    refuse("Changing a tokens SecretID is not permitted");
  }
  if (token.Local !== known.Local) refuse(`cannot toggle local mode of ${accessor}`);
  if (token.AuthMethod !== "" && token.AuthMethod !== known.AuthMethod) {
    refuse(`Cannot change AuthMethod of ${accessor}`);
  }
  const isSame = token.ExpirationTime === "" || token.ExpirationTime === known.ExpirationTime;
  if (ttlNs !== 0 || !isSame) refuse(`Cannot change expiration time of ${accessor}`);
  const { SecretID, AuthMethod, CreateTime, ExpirationTime } = known;
  const changed = { ...token, SecretID, AuthMethod, CreateTime, ExpirationTime };
  return encodeToken(change, putToken(change, completed(change, changed), row));
}

/** A new token with what another one grants; `Description` "" keeps its text. */
export function cloneToken(
  change: Change,
  given: { accessor: string; clone: { AccessorID: string; SecretID: string; Description: string } },
): string {
  const row = tokenByAccessor(change, given.accessor);
  if (!row || isExpired(row, change.nowMs)) {
    throw unknownToken();
  }
  const known = tokenOf(row);
  if (known.AuthMethod !== "") refuse("Cannot clone a token created from an auth method");
  if (known.Rules !== "") refuse("Cannot clone a legacy ACL with this endpoint");
  const { AccessorID, SecretID, Description } = given.clone;
  const token = {
    ...known,
    AccessorID,
    SecretID,
    Description: Description === "" ? known.Description : Description,
    CreateTime: goTime(change.nowMs),
  };
  return encodeToken(change, putToken(change, completed(change, token)));
}

/** `bearer` is the accessor of whoever asks. Unknown tokens are fine. */
export function deleteToken(change: Change, accessor: string, bearer: string): true {
  if (uuidProblem(accessor) !== null) refuse("Accessor ID is missing or an invalid UUID");
  if (accessor === anonymousAccessor) {
    refuse("Delete operation not permitted on the anonymous token");
  }
  const row = tokenByAccessor(change, accessor);
  if (row && row.accessor === bearer) {
    refuse("Deletion of the request's authorization token is not permitted");
  }
  if (row) removeToken(change, row);
  return true;
}

/** Removes a token whose time is over. */
export function expireToken(change: Change, accessor: string): true {
  const row = tokenByAccessor(change, accessor);
  if (row && isExpired(row, change.nowMs)) removeToken(change, row);
  return true;
}

/** JSON text of a token with its secret; links carry the names of today. */
export function encodeToken(state: State, row: TokenRow, secret = row.secret): string {
  const token = { ...withCurrentLinks(state, tokenOf(row)), SecretID: secret, Type: "" };
  return withIndexes(encode(aclTokenSchema, token), row);
}

/** The same as lists show it: without the secret. */
export function encodeTokenStub(state: State, row: TokenRow): string {
  const { SecretID: _, Type, Rules, ...rest } = withCurrentLinks(state, tokenOf(row));
  const stub = withIndexes(encode(aclTokenSchema, rest), row);
  return Type !== "" && Rules !== "" ? `${stub.slice(0, -1)},"Legacy":true}` : stub;
}

export function withCurrentLinks(state: State, token: AclToken): AclToken {
  return {
    ...token,
    Policies: currentLinks(token.Policies, (id) => findPolicy(state, id)),
    Roles: currentLinks(token.Roles, (id) => findRole(state, id)),
  };
}

/** The token as it is kept: its grants resolved, its hash made. Throws ServiceError. */
function completed(state: State, token: AclToken): AclToken {
  const grants = {
    ...token,
    Policies: policyLinks(state, token.Policies, "token"),
    Roles: roleLinks(state, token.Roles),
    ServiceIdentities: serviceIdentities(token.ServiceIdentities, "token", token.Local),
    NodeIdentities: nodeIdentities(token.NodeIdentities, "token"),
  };
  if (token.Rules !== "") refuse("Rules cannot be specified for this token");
  return { ...grants, Hash: tokenHash(grants) };
}

function lookedUp(state: State, accessor: string): TokenRow | undefined {
  try {
    return tokenByAccessor(state, accessor);
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    return refuse(`Failed acl token lookup by accessor: ${failure.message}`);
  }
}

function checkChosen(field: string, id: string): void {
  if (uuidProblem(id) !== null) refuse(`Invalid Token: ${field} is not a valid UUID`);
  if (!id.startsWith(reservedIdPrefix)) return;
  refuse(`Invalid Token: UUIDs with the prefix "${reservedIdPrefix}" are reserved`);
}

/** RFC 3339, or "" for never. */
function expirationOf({ nowMs }: Change, given: string, ttlNs: number): string {
  if (ttlNs !== 0 && given !== "") {
    refuse("Token Expiration TTL and Expiration Time cannot both be set");
  }
  if (ttlNs < 0) refuse(`Token Expiration TTL '${formatDuration(ttlNs)}' should be > 0`);
  if (ttlNs === 0 && given === "") return "";
  const leftMs = ttlNs === 0 ? Date.parse(given) - nowMs : ttlNs / 1e6;
  if (leftMs < 0) refuse("ExpirationTime cannot be before CreateTime");
  const { aclTokenTtlMsMin: min, aclTokenTtlMsMax: max } = limits;
  const was = `in the future (was ${formatDuration(Math.round(leftMs * 1e6))})`;
  if (leftMs > max)
    refuse(`ExpirationTime cannot be more than ${formatDuration(max * 1e6)} ${was}`);
  if (leftMs < min)
    refuse(`ExpirationTime cannot be less than ${formatDuration(min * 1e6)} ${was}`);
  return ttlNs === 0 ? given : goTime(nowMs + leftMs);
}
