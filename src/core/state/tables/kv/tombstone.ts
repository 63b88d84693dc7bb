// Tombstones keep the index of a prefix from going back when keys under it are deleted. They are forgotten
// after a while (`tombstone.reap`, proposed by the leader), after which such an index may drop.

import type { SqlRow } from "../../../lib/sql.ts";
import { prefixEnd } from "../../../lib/text-range.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { tombstones } from "./indexes.ts";

export interface TombstoneRow extends SqlRow {
  key: string;
  modify_index: number;
  /** Leader time of the deletion, ms since 1970. */
  deleted_ms: number;
}

export const tombstoneTable: TableDefinition<TombstoneRow> = {
  name: "tombstone",
  columns: {
    key: "TEXT NOT NULL",
    modify_index: "INTEGER NOT NULL",
    deleted_ms: "INTEGER NOT NULL",
  },
  key: ["key"],
};

/** Marks a key, or a whole prefix, as deleted now. */
export function buryKey(change: Change, key: string): void {
  change.table(tombstoneTable).put({ key, modify_index: change.index, deleted_ms: change.nowMs });
  change.meta.bump(tombstones, change.index);
}

/** Forgets what was deleted at or before `untilMs`; answers how many tombstones that were. */
export function reapTombstones(change: Change, untilMs: number): number {
  const reaped = change.table(tombstoneTable).removeWhere("deleted_ms <= ?", untilMs).length;
  if (reaped > 0) change.meta.bump(tombstones, change.index);
  return reaped;
}

/** Highest index of a deletion under `prefix`; 0 when there was none. */
export function tombstoneIndex(state: State, prefix: string): number {
  const end = prefixEnd(prefix);
  const [row] = state.sql.exec<{ newest: number | null }>(
    `SELECT max(modify_index) AS newest FROM tombstone WHERE key >= ?${end === null ? "" : " AND key < ?"}`,
    ...(end === null ? [prefix] : [prefix, end]),
  );
  return row?.newest ?? 0;
}

/** Leader time of the oldest deletion that is still remembered; null when there is none. */
export function oldestTombstoneMs(state: State): number | null {
  const [row] = state.sql.exec<{ oldest: number | null }>(
    "SELECT min(deleted_ms) AS oldest FROM tombstone",
  );
  return row?.oldest ?? null;
}
