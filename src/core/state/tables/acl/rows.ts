// The tables of ACL objects, and finding and writing their rows.

import type { SqlRow } from "../../../lib/sql.ts";
import {
  aclPolicySchema,
  aclRoleSchema,
  aclTokenSchema,
  type AclPolicy,
  type AclRole,
  type AclToken,
} from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { encode, type Type } from "../../../model/schema.ts";
import { UuidError, uuidKey, uuidProblem } from "../../../model/uuid.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { nameKey } from "../../rows.ts";
import { aclTopics } from "./topics.ts";

/** Rows hold every member, also those that answers leave out while they are empty. */
function stored<Kind extends Type>(type: Kind): Kind {
  if (type.kind === "list") return { ...type, item: stored(type.item) };
  if (type.kind !== "struct") return type;
  const fields = Object.entries(type.fields).map(([name, field]) => {
    return [name, { type: stored(field.type) }] as const;
  });
  return { ...type, fields: Object.fromEntries(fields) };
}

const storedToken = stored(aclTokenSchema);
const storedPolicy = stored(aclPolicySchema);
const storedRole = stored(aclRoleSchema);

const storedSchemas = { token: storedToken, policy: storedPolicy, role: storedRole };

/** JSON text of an object as its row has it. */
export function bodyOf(kind: keyof typeof storedSchemas, object: object): string {
  return encode(storedSchemas[kind], object);
}

export const tokensIndex: TableIndex = { name: "acl-tokens" };
export const policiesIndex: TableIndex = { name: "acl-policies" };
export const rolesIndex: TableIndex = { name: "acl-roles" };

export interface TokenRow extends SqlRow {
  secret: string;
  accessor: string;
  /** 0: never. */
  expires_ms: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link AclToken}. */
  body: string;
}

export const tokenTable: TableDefinition<TokenRow> = {
  name: "acl_token",
  columns: {
    secret: "TEXT NOT NULL",
    accessor: "TEXT NOT NULL",
    expires_ms: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["secret"],
  indexes: { acl_token_accessor: { on: "ON acl_token (accessor)" } },
};

/** A row of an object with an id and a name of its own. */
export interface NamedRow extends SqlRow {
  id: string;
  name: string;
  create_index: number;
  modify_index: number;
  body: string;
}

function namedTable(name: string): TableDefinition<NamedRow> {
  return {
    name,
    columns: {
      id: "TEXT NOT NULL",
      name: "TEXT NOT NULL",
      create_index: "INTEGER NOT NULL",
      modify_index: "INTEGER NOT NULL",
      body: "TEXT NOT NULL",
    },
    key: ["id"],
    // Names are looked up in any case; they have ASCII letters only.
    indexes: { [`${name}_name_key`]: { on: `ON ${name} (lower(name))` } },
  };
}

export const policyTable = namedTable("acl_policy");
export const roleTable = namedTable("acl_role");

// Tokens

export function tokenOf({ body }: TokenRow): AclToken {
  return JSON.parse(body) as AclToken;
}

export function findToken(state: State, secret: string): TokenRow | undefined {
  return state.table(tokenTable).get(secret);
}

/** Throws ServiceError for what is no UUID, in the words of Consul's index. */
export function tokenByAccessor(state: State, accessor: string): TokenRow | undefined {
  const key = lookupKey("token", accessor);
  const [row] = state.table(tokenTable).select("WHERE accessor = ? ORDER BY secret LIMIT 1", key);
  return row;
}

/** Whether there is such a token, which counts in this datacenter alone. */
export function isLocalToken(state: State, secret: string): boolean {
  const row = findToken(state, secret);
  return row !== undefined && tokenOf(row).Local;
}

/** Whether a token with this accessor is known, and counts in every datacenter. */
export function isGlobalToken(state: State, accessor: string): boolean {
  const row = byAnyAccessor(state, accessor);
  return row !== undefined && !tokenOf(row).Local;
}

/** Whether a token with this accessor is known, and counts in this datacenter alone. */
export function isLocalAccessor(state: State, accessor: string): boolean {
  const row = byAnyAccessor(state, accessor);
  return row !== undefined && tokenOf(row).Local;
}

/** What is no UUID names nothing. */
function byAnyAccessor(state: State, accessor: string): TokenRow | undefined {
  return uuidProblem(accessor) === null ? tokenByAccessor(state, accessor) : undefined;
}

export function allTokens(state: State): TokenRow[] {
  return state.table(tokenTable).select("ORDER BY accessor, secret");
}

export function putToken(change: Change, token: AclToken, before?: TokenRow): TokenRow {
  const row: TokenRow = {
    secret: token.SecretID,
    accessor: token.AccessorID,
    expires_ms: expirationMs(token),
    create_index: before?.create_index ?? change.index,
    modify_index: change.index,
    body: bodyOf("token", token),
  };
  change.table(tokenTable).put(row);
  touchToken(change, row);
  return row;
}

/** Ms since 1970; 0: never. */
export function expirationMs({ ExpirationTime: time }: AclToken): number {
  return time === "" ? 0 : Date.parse(time);
}

export function removeToken(change: Change, row: TokenRow): void {
  change.table(tokenTable).remove(row.secret);
  touchToken(change, row);
}

function touchToken(change: Change, { accessor }: TokenRow): void {
  change.meta.bump(tokensIndex, change.index);
  change.touch(aclTopics.token(accessor));
}

/** Whether it no longer counts. */
export function isExpired({ expires_ms: expiresMs }: TokenRow, nowMs: number): boolean {
  return expiresMs > 0 && expiresMs <= nowMs;
}

/** Ms since 1970 when the next token ends; null: none does. */
export function nextExpirationMs(state: State): number | null {
  const [row] = state
    .table(tokenTable)
    .select("WHERE expires_ms > 0 ORDER BY expires_ms, secret LIMIT 1");
  return row?.expires_ms ?? null;
}

const expiredAtOnceMax = 256;

export function accessorsExpiredBy(state: State, nowMs: number): string[] {
  return state
    .table(tokenTable)
    .select(
      "WHERE expires_ms > 0 AND expires_ms <= ? ORDER BY expires_ms, secret LIMIT ?",
      nowMs,
      expiredAtOnceMax,
    )
    .map(({ accessor }) => accessor);
}

const named = "WHERE lower(name) = ? ORDER BY id LIMIT 1";

// Policies

export function policyOf({ body }: NamedRow): AclPolicy {
  return JSON.parse(body) as AclPolicy;
}

export function findPolicy(state: State, id: string): NamedRow | undefined {
  return state.table(policyTable).get(lookupKey("policy", id));
}

export function policyNamed(state: State, name: string): NamedRow | undefined {
  const [row] = state.table(policyTable).select(named, nameKey(name));
  return row;
}

export function allPolicies(state: State): NamedRow[] {
  return state.table(policyTable).select("ORDER BY id");
}

export function putPolicy(change: Change, policy: AclPolicy, before?: NamedRow): NamedRow {
  const body = bodyOf("policy", policy);
  const row = namedRow(change, { id: policy.ID, name: policy.Name, body }, before);
  change.table(policyTable).put(row);
  touchPolicies(change);
  return row;
}

export function removePolicy(change: Change, row: NamedRow): void {
  change.table(policyTable).remove(row.id);
  touchPolicies(change);
}

function touchPolicies(change: Change): void {
  change.meta.bump(policiesIndex, change.index);
  change.touch(aclTopics.policies, aclTopics.grants);
}

// Roles

export function roleOf({ body }: NamedRow): AclRole {
  return JSON.parse(body) as AclRole;
}

export function findRole(state: State, id: string): NamedRow | undefined {
  return state.table(roleTable).get(lookupKey("role", id));
}

export function roleNamed(state: State, name: string): NamedRow | undefined {
  const [row] = state.table(roleTable).select(named, nameKey(name));
  return row;
}

export function allRoles(state: State): NamedRow[] {
  return state.table(roleTable).select("ORDER BY id");
}

export function putRole(change: Change, role: AclRole, before?: NamedRow): NamedRow {
  const body = bodyOf("role", role);
  const row = namedRow(change, { id: role.ID, name: role.Name, body }, before);
  change.table(roleTable).put(row);
  touchRoles(change);
  return row;
}

export function removeRole(change: Change, row: NamedRow): void {
  change.table(roleTable).remove(row.id);
  touchRoles(change);
}

function touchRoles(change: Change): void {
  change.meta.bump(rolesIndex, change.index);
  change.touch(aclTopics.roles, aclTopics.grants);
}

// Both

export function namedRow(
  change: Change,
  given: { id: string; name: string; body: string },
  before: NamedRow | undefined,
): NamedRow {
  return {
    id: given.id,
    name: given.name,
    create_index: before?.create_index ?? change.index,
    modify_index: change.index,
    body: given.body,
  };
}

/** Canonical form of an id to look up; `kind` is Consul's word for what is looked up. */
export function lookupKey(kind: string, id: string): string {
  try {
    return uuidKey(id);
  } catch (error) {
    if (!(error instanceof UuidError)) throw error;
    throw new ServiceError("invalid", `failed acl ${kind} lookup: index error: ${error.message}`);
  }
}
