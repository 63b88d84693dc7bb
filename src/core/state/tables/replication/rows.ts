// How far this datacenter has copied the primary, by kind; and when that last failed.

import type { SqlRow } from "../../../lib/sql.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import type { ReplicatedKind } from "./sources.ts";

export interface ReplicationRow extends SqlRow {
  /** A kind; "" for the row that says when it last failed. */
  kind: string;
  /** Of the primary's table, as it was copied. */
  source_index: number;
  /** Ms since 1970. */
  at_ms: number;
}

export const replicationTable: TableDefinition<ReplicationRow> = {
  name: "replication",
  columns: { kind: "TEXT NOT NULL", source_index: "INTEGER NOT NULL", at_ms: "INTEGER NOT NULL" },
  key: ["kind"],
};

const failure = "";

/** 0: nothing was copied yet. */
export function copiedIndex(state: State, kind: ReplicatedKind): number {
  return state.table(replicationTable).get(kind)?.source_index ?? 0;
}

/** Ms since 1970; 0: never. */
export function lastTimes(state: State): { successMs: number; failureMs: number } {
  const rows = state.table(replicationTable).select("ORDER BY kind");
  const timesOf = (isWanted: (row: ReplicationRow) => boolean): number[] =>
    rows.filter(isWanted).map(({ at_ms: atMs }) => atMs);
  return {
    successMs: Math.max(0, ...timesOf(({ kind }) => kind !== failure)),
    failureMs: Math.max(0, ...timesOf(({ kind }) => kind === failure)),
  };
}

export function putCopied(change: Change, kind: ReplicatedKind, sourceIndex: number): void {
  const row = { kind, source_index: sourceIndex, at_ms: change.nowMs };
  change.table(replicationTable).put(row);
}

export function putFailure(change: Change, atMs: number): void {
  change.table(replicationTable).put({ kind: failure, source_index: 0, at_ms: atMs });
}
