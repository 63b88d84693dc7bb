// The key-value store: row, changes, queries. Values are base64 text, as they arrive and as they are read,
// so neither side converts; the value is the last column, so listing keys never touches it.
//
// Index rules (semantics §2.1): a key answers with its own ModifyIndex, a missing one with the newest of the
// whole store, a prefix with the newest entry or tombstone under it. A write that changes nothing bumps nothing.

import type { SqlRow } from "../../../lib/sql.ts";
import { prefixEnd } from "../../../lib/text-range.ts";
import { encodeString } from "../../../model/json.ts";
import type { Base64Text, Uint64Text } from "../../../model/types.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { kvs, tombstones } from "./indexes.ts";
import { buryKey, tombstoneIndex } from "./tombstone.ts";
import { kvTopics } from "./topics.ts";

export interface KvRow extends SqlRow {
  key: string;
  flags: Uint64Text;
  /** Holder of the lock. */
  session: string | null;
  lock_index: number;
  create_index: number;
  modify_index: number;
  value: Base64Text;
}

export const kvTable: TableDefinition<KvRow> = {
  name: "kv",
  columns: {
    key: "TEXT NOT NULL",
    flags: "TEXT NOT NULL",
    session: "TEXT",
    lock_index: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    value: "TEXT NOT NULL",
  },
  key: ["key"],
  indexes: { kv_session: { on: "ON kv (session) WHERE session IS NOT NULL" } },
};

export interface KvWrite {
  key: string;
  value: Base64Text;
  flags: Uint64Text;
}

// Commands

/** Overwrites value and flags; keeps the lock's holder, and resets its LockIndex. */
export function setKey(change: Change, write: KvWrite): KvRow {
  const existing = change.table(kvTable).get(write.key);
  return store(change, existing, { ...write, session: existing?.session ?? null, lockIndex: 0 });
}

/** Sets the key if its ModifyIndex is `index` ("0": if it is absent); undefined when it is not. */
export function casKey(change: Change, write: KvWrite, index: Uint64Text): KvRow | undefined {
  const existing = change.table(kvTable).get(write.key);
  const expected = existing ? String(existing.modify_index) : "0";
  if (index !== expected) return undefined;
  return store(change, existing, { ...write, session: existing?.session ?? null, lockIndex: 0 });
}

/** Gives the lock to a holder; undefined when another one has it. */
export function holdKey(change: Change, write: KvWrite, holder: string): KvRow | undefined {
  const existing = change.table(kvTable).get(write.key);
  const lockIndex = existing?.lock_index ?? 0;
  if (existing?.session === holder) {
    return store(change, existing, { ...write, session: holder, lockIndex });
  }
  if (existing?.session) return undefined;
  return store(change, existing, { ...write, session: holder, lockIndex: lockIndex + 1 });
}

/** Writes a key and gives its lock back; undefined when `holder` does not have it. */
export function yieldKey(change: Change, write: KvWrite, holder: string): KvRow | undefined {
  const existing = change.table(kvTable).get(write.key);
  if (!existing || existing.session !== holder) return undefined;
  return store(change, existing, { ...write, session: null, lockIndex: existing.lock_index });
}

/** Clears the holder of a lock whose session is gone. */
export function releaseKey(change: Change, row: KvRow): void {
  const { key, value, flags, lock_index: lockIndex } = row;
  store(change, row, { key, value, flags, session: null, lockIndex });
}

export function deleteKey(change: Change, key: string): void {
  if (!change.table(kvTable).remove(key)) return;
  buryKey(change, key);
  change.meta.bump(kvs, change.index);
  change.touch(kvTopics.key(key));
}

/** False when the key exists with another ModifyIndex. */
export function casDeleteKey(change: Change, key: string, index: Uint64Text): boolean {
  const existing = change.table(kvTable).get(key);
  if (!existing) return true;
  if (String(existing.modify_index) !== index) return false;
  deleteKey(change, key);
  return true;
}

/** Deletes every key that starts with `prefix`; one tombstone stands for all of them. */
export function deleteTree(change: Change, prefix: string): void {
  const { condition, parameters } = under(prefix);
  if (change.table(kvTable).removeWhere(condition, ...parameters).length === 0) return;
  if (prefix !== "") buryKey(change, prefix);
  change.meta.bump(kvs, change.index);
  change.touch(kvTopics.tree(prefix));
}

function store(
  change: Change,
  existing: KvRow | undefined,
  next: KvWrite & { session: string | null; lockIndex: number },
): KvRow {
  if (
    existing &&
    existing.value === next.value &&
    existing.flags === next.flags &&
    existing.session === next.session &&
    existing.lock_index === next.lockIndex
  ) {
    return existing;
  }
  const row: KvRow = {
    key: next.key,
    flags: next.flags,
    session: next.session,
    lock_index: next.lockIndex,
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    value: next.value,
  };
  change.table(kvTable).put(row);
  change.meta.bump(kvs, change.index);
  change.touch(kvTopics.key(next.key));
  return row;
}

// Queries

export function findKey(state: State, key: string): KvRow | undefined {
  return state.table(kvTable).get(key);
}

export function keysUnder(state: State, prefix: string): KvRow[] {
  const { condition, parameters } = under(prefix);
  return state.table(kvTable).select(`WHERE ${condition} ORDER BY key`, ...parameters);
}

/** Names and indexes only: values stay on disk. */
export function keyNamesUnder(
  state: State,
  prefix: string,
): { key: string; modify_index: number }[] {
  const { condition, parameters } = under(prefix);
  return state.sql.exec(
    `SELECT key, modify_index FROM kv WHERE ${condition} ORDER BY key`,
    ...parameters,
  );
}

/** Length of all values under a prefix, as they are read; they stay on disk. */
export function valuesLengthUnder(state: State, prefix: string): number {
  const { condition, parameters } = under(prefix);
  const [row] = state.sql.exec<{ length: number | null }>(
    `SELECT sum(octet_length(value)) AS length FROM kv WHERE ${condition}`,
    ...parameters,
  );
  return row?.length ?? 0;
}

export function keysHeldBy(state: State, session: string): KvRow[] {
  return state.table(kvTable).select("WHERE session = ? ORDER BY key", session);
}

/** X-Consul-Index of a key. */
export function keyIndex(state: State, row: KvRow | undefined): number {
  return row?.modify_index ?? state.meta.maxIndex(kvs, tombstones);
}

/** X-Consul-Index of a prefix, given the newest ModifyIndex among its entries (0: none). */
export function prefixIndex(state: State, prefix: string, newestEntry: number): number {
  const everything = state.meta.maxIndex(kvs, tombstones);
  if (prefix === "") return everything;
  return Math.max(newestEntry, tombstoneIndex(state, prefix)) || everything;
}

/** Newest ModifyIndex under a prefix; 0 when it is empty. */
export function newestUnder(state: State, prefix: string): number {
  const { condition, parameters } = under(prefix);
  const [row] = state.sql.exec<{ newest: number | null }>(
    `SELECT max(modify_index) AS newest FROM kv WHERE ${condition}`,
    ...parameters,
  );
  return row?.newest ?? 0;
}

function under(prefix: string): { condition: string; parameters: string[] } {
  const end = prefixEnd(prefix);
  return end === null
    ? { condition: "key >= ?", parameters: [prefix] }
    : { condition: "key >= ? AND key < ?", parameters: [prefix, end] };
}

/** JSON text of an entry. `withValue` false writes a null value, as results of transactions do. */
export function encodeKvRow(row: KvRow, withValue = true): string {
  const value = withValue && row.value !== "" ? `"${row.value}"` : "null";
  const session = row.session === null ? "" : `"Session":"${row.session}",`;
  return (
    `{"LockIndex":${row.lock_index},"Key":${encodeString(row.key)},"Flags":${row.flags},` +
    `"Value":${value},${session}"CreateIndex":${row.create_index},"ModifyIndex":${row.modify_index}}`
  );
}
