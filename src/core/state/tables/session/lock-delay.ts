// After a session was invalidated, its locks cannot be taken for a while (the session's lock delay), so that
// a holder that lost its session without noticing has time to stop. The ends are replicated rows in leader
// time, set and judged while commands are applied, so that every server agrees.

import type { SqlRow } from "../../../lib/sql.ts";
import type { Change } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface LockDelayRow extends SqlRow {
  key: string;
  /** Leader time, ms since 1970. */
  until_ms: number;
}

export const lockDelayTable: TableDefinition<LockDelayRow> = {
  name: "lock_delay",
  columns: { key: "TEXT NOT NULL", until_ms: "INTEGER NOT NULL" },
  key: ["key"],
};

/** Keeps `keys` from being locked for `delayMs`, and forgets delays that are over. */
export function delayLocks(change: Change, keys: readonly string[], delayMs: number): void {
  change.table(lockDelayTable).removeWhere("until_ms <= ?", change.nowMs);
  for (const key of keys) {
    change.table(lockDelayTable).put({ key, until_ms: change.nowMs + delayMs });
  }
}

/** Whether `key` may not be locked yet. */
export function isLockDelayed(change: Change, key: string): boolean {
  const row = change.table(lockDelayTable).get(key);
  return row !== undefined && row.until_ms > change.nowMs;
}
