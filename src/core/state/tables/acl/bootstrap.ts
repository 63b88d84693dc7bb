// The objects that every datacenter with ACLs has, and its first token. Both are made by commands, so that all servers
// have the same; making them again changes nothing (semantics §11.4).

import type { SqlRow } from "../../../lib/sql.ts";
import {
  anonymousAccessor,
  anonymousSecret,
  managementPolicyId,
  type AclPolicy,
  type AclToken,
} from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { goTime } from "../../../model/time.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { policyHash, tokenHash } from "./hash.ts";
import { findPolicy, findToken, putPolicy, putToken } from "./rows.ts";
import { encodeToken } from "./tokens.ts";

export interface BootstrapRow extends SqlRow {
  id: number;
  /** Log index of the first bootstrap: what a reset must name. */
  reset_index: number;
}

/** One row once there was a first management token. */
export const bootstrapTable: TableDefinition<BootstrapRow> = {
  name: "acl_bootstrap",
  columns: { id: "INTEGER NOT NULL", reset_index: "INTEGER NOT NULL" },
  key: ["id"],
};

const named = ["agent", "event", "key", "node", "query", "service", "session"];

/** As Consul writes them. */
const managementRules = [
  "",
  'acl = "write"',
  block("agent"),
  block("event"),
  block("key"),
  'keyring = "write"',
  block("node"),
  'operator = "write"',
  block("query"),
  'service_prefix "" {\n\tpolicy = "write"\n\tintentions = "write"\n}',
  block("session"),
].join("\n");

function block(resource: (typeof named)[number]): string {
  return `${resource}_prefix "" {\n\tpolicy = "write"\n}`;
}

export const emptyToken: AclToken = {
  AccessorID: "",
  SecretID: "",
  Description: "",
  Policies: null,
  Roles: null,
  ServiceIdentities: null,
  NodeIdentities: null,
  Type: "",
  Rules: "",
  Local: false,
  AuthMethod: "",
  ExpirationTime: "",
  CreateTime: "",
  Hash: "",
};

/** Makes the built-in policy, the anonymous token, and, unless `master` is "", a management token with that secret. */
export function initialize(change: Change, given: { master: string; accessor: string }): true {
  if (!findPolicy(change, managementPolicyId)) {
    const policy: AclPolicy = {
      ID: managementPolicyId,
      Name: "global-management",
      Description: "Builtin Policy that grants unlimited access",
      Rules: managementRules,
      Datacenters: null,
      Hash: "",
    };
    putPolicy(change, { ...policy, Hash: policyHash(policy) });
  }
  if (given.master !== "" && !findToken(change, given.master)) {
    putManagementToken(change, given.accessor, given.master, "Master Token");
    const first = change.table(bootstrapTable).get(1);
    if (!first) change.table(bootstrapTable).put({ id: 1, reset_index: change.index });
  }
  if (!findToken(change, anonymousSecret)) {
    const token = {
      ...emptyToken,
      AccessorID: anonymousAccessor,
      SecretID: anonymousSecret,
      Description: "Anonymous Token",
      CreateTime: goTime(change.nowMs),
    };
    putToken(change, { ...token, Hash: tokenHash(token) });
  }
  return true;
}

/** Whether {@link initialize} would change something. */
export function needsInitialization(state: State, master: string): boolean {
  const lacksMaster = master !== "" && !findToken(state, master);
  return lacksMaster || !findToken(state, anonymousSecret);
}

/** The first management token; `resetIndex` 0 unless an operator allows another one. Answers it as JSON text. */
export function bootstrap(
  change: Change,
  given: { accessor: string; secret: string; resetIndex: number },
): string {
  const first = change.table(bootstrapTable).get(1);
  const denied = "Permission denied: ";
  if (first && given.resetIndex === 0) {
    const index = `(reset index: ${first.reset_index})`;
    const message = `${denied}ACL bootstrap no longer allowed ${index}`;
    throw new ServiceError("permission-denied", message);
  }
  if (first && given.resetIndex !== first.reset_index) {
    const indexes = `(specified ${given.resetIndex}, reset index: ${first.reset_index})`;
    throw new ServiceError(
      "permission-denied",
      `${denied}Invalid bootstrap reset index ${indexes}`,
    );
  }
  change.table(bootstrapTable).put({ id: 1, reset_index: change.index });
  const description = "Bootstrap Token (Global Management)";
  const row = putManagementToken(change, given.accessor, given.secret, description);
  return `{"ID":${JSON.stringify(given.secret)},${encodeToken(change, row).slice(1)}`;
}

function putManagementToken(change: Change, accessor: string, secret: string, text: string) {
  const token: AclToken = {
    ...emptyToken,
    AccessorID: accessor,
    SecretID: secret,
    Description: text,
    Policies: [{ ID: managementPolicyId, Name: "global-management" }],
    CreateTime: goTime(change.nowMs),
  };
  return putToken(change, { ...token, Hash: tokenHash(token) });
}
