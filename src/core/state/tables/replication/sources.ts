// What secondary datacenters copy from the primary: policies, roles, tokens that count everywhere, configuration
// entries, and intentions. Each kind is a list of rows by key, whose bodies are the same wherever they are.

import type { AclPolicy, AclRole, AclToken } from "../../../model/acl.ts";
import type { Intention } from "../../../model/intention.ts";
import type { ConfigKind } from "../../../model/config-entry/types.ts";
import { isConfigKind } from "../../../model/config-entry/schemas.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import {
  allPolicies,
  allRoles,
  allTokens,
  findPolicy,
  findRole,
  findToken,
  isExpired,
  policiesIndex,
  putPolicy,
  putRole,
  putToken,
  removePolicy,
  removeRole,
  removeToken,
  rolesIndex,
  tokenOf,
  tokensIndex,
} from "../acl/rows.ts";
import { configIndex, entryOf, listRows, putEntry, removeEntry } from "../config/entries.ts";
import {
  allIntentions,
  findIntention,
  intentionsIndex,
  putCopiedIntention,
  removeIntention,
} from "../intention/intentions.ts";

/** In the order in which they are copied: what others name comes before them. */
export const replicatedKinds = ["policies", "roles", "tokens", "config", "intentions"] as const;
export type ReplicatedKind = (typeof replicatedKinds)[number];

export interface ReplicatedRow {
  key: string;
  /** JSON text. */
  body: string;
}

interface Source {
  index: TableIndex;
  /** All that is copied. */
  rows(state: State, nowMs: number): ReplicatedRow[];
  put(change: Change, row: ReplicatedRow): void;
  remove(change: Change, key: string): void;
}

const configKey = /^([a-z-]+)\/(.*)$/s;

export const sources: Readonly<Record<ReplicatedKind, Source>> = {
  policies: {
    index: policiesIndex,
    rows: (state) => allPolicies(state).map(({ id: key, body }) => ({ key, body })),
    put: (change, { key, body }) =>
      void putPolicy(change, JSON.parse(body) as AclPolicy, findPolicy(change, key)),
    remove: (change, key) => {
      const row = findPolicy(change, key);
      if (row) removePolicy(change, row);
    },
  },
  roles: {
    index: rolesIndex,
    rows: (state) => allRoles(state).map(({ id: key, body }) => ({ key, body })),
    put: (change, { key, body }) =>
      void putRole(change, JSON.parse(body) as AclRole, findRole(change, key)),
    remove: (change, key) => {
      const row = findRole(change, key);
      if (row) removeRole(change, row);
    },
  },
  tokens: {
    index: tokensIndex,
    // One whose time is over counts nowhere, and is removed by each datacenter when it comes to it.
    rows: (state, nowMs) =>
      allTokens(state)
        .filter((row) => !isExpired(row, nowMs) && !tokenOf(row).Local)
        .map(({ secret: key, body }) => ({ key, body })),
    put: (change, { key, body }) =>
      void putToken(change, JSON.parse(body) as AclToken, findToken(change, key)),
    remove: (change, key) => {
      const row = findToken(change, key);
      if (row && !tokenOf(row).Local) removeToken(change, row);
    },
  },
  config: {
    index: configIndex,
    rows: (state) =>
      listRows(state, "").map(({ kind, name_key: name, body }) => ({
        key: `${kind}/${name}`,
        body: JSON.stringify({ kind, body }),
      })),
    put: (change, { body }) => {
      const row = JSON.parse(body) as { kind: ConfigKind; body: string };
      const entry = entryOf({ ...row, name_key: "", create_index: 0, modify_index: 0 });
      putEntry(change, { kind: row.kind, entry } as Parameters<typeof putEntry>[1]);
    },
    remove: (change, key) => {
      const [, kind = "", name = ""] = configKey.exec(key) ?? [];
      if (isConfigKind(kind)) removeEntry(change, kind, name);
    },
  },
  intentions: {
    index: intentionsIndex,
    rows: (state) => allIntentions(state).map(({ id: key, body }) => ({ key, body })),
    put: (change, { body }) => putCopiedIntention(change, JSON.parse(body) as Intention),
    remove: (change, key) => {
      const row = findIntention(change, key);
      if (row) removeIntention(change, row);
    },
  },
};
