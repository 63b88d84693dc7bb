// A restore as the log carries it (docs/decisions): it begins, which removes what another one left behind, it loads an
// archive in chunks, and it switches to what it has loaded. Nobody sees anything of it before that. What is left over
// afterwards, or of a restore that nobody went on with, is swept away.

import { decodeBase64 } from "../../../lib/base64.ts";
import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { Change, StagedFacts, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { identityTable } from "../cluster/identity.ts";

export interface RestoreRow extends SqlRow {
  id: number;
  /** The restore that is under way; "" when there is none. */
  restore: string;
  /** The one that became the state last. */
  switched: string;
  /** Number of the next chunk. */
  next_chunk: number;
  /** Leader time of its last command. */
  updated_ms: number;
  /** Whether the twins may hold rows: 1 or 0. */
  litter: number;
  /** JSON of {@link StagedFacts}. */
  facts: string;
}

/** One row, once there was a restore. */
export const restoreTable: TableDefinition<RestoreRow> = {
  name: "snapshot_restore",
  columns: {
    id: "INTEGER NOT NULL",
    restore: "TEXT NOT NULL",
    switched: "TEXT NOT NULL",
    next_chunk: "INTEGER NOT NULL",
    updated_ms: "INTEGER NOT NULL",
    litter: "INTEGER NOT NULL",
    facts: "TEXT NOT NULL",
  },
  key: ["id"],
};

/** A restore that has not gone on for this long has been abandoned. */
export const abandonedMs = 10 * 60_000;

const noFacts: StagedFacts = { seed: "", indexes: {}, newest: 0, clusterId: "" };

const nothing: RestoreRow = {
  id: 1,
  restore: "",
  switched: "",
  next_chunk: 0,
  updated_ms: 0,
  litter: 0,
  facts: JSON.stringify(noFacts),
};

function restoreRow(state: State): RestoreRow {
  return state.table(restoreTable).get(1) ?? nothing;
}

/** Takes over from any other restore; "" only ends that one. Answers whether chunks may come: else ask again. */
export function beginRestore(change: Change, restore: string): boolean {
  const row = restoreRow(change);
  const isClean = row.litter === 0 || change.staging.removeSlice();
  change.table(restoreTable).put({
    ...{ ...nothing, restore, switched: row.switched },
    ...{ litter: isClean ? 0 : 1, updated_ms: change.nowMs },
    facts: JSON.stringify({ ...noFacts, seed: restore }),
  });
  return isClean;
}

/** Loads whole records, base64. A chunk that came before changes nothing. */
export function loadChunk(
  change: Change,
  { restore, chunk, data }: { restore: string; chunk: number; data: string },
): true {
  const row = requireRestore(change, restore);
  if (chunk < row.next_chunk) return true;
  if (chunk > row.next_chunk)
    throw new ServiceError("invalid", "a chunk of the snapshot is missing");
  const facts = JSON.parse(row.facts) as StagedFacts;
  change.staging.load(change, facts, decodeBase64(data), chunk === 0);
  change.table(restoreTable).put({
    ...row,
    next_chunk: chunk + 1,
    litter: 1,
    updated_ms: change.nowMs,
    facts: JSON.stringify(facts),
  });
  return true;
}

/** Replaces the state, whole, with what was loaded. */
export function switchState(change: Change, restore: string): true {
  if (restore !== "" && restoreRow(change).switched === restore) return true;
  const row = requireRestore(change, restore);
  const { indexes, newest, clusterId } = JSON.parse(row.facts) as StagedFacts;
  change.staging.swap();
  change.meta.replaceIndexes(indexes, newest, change.index - change.meta.indexOffset);
  if (clusterId !== "") change.table(identityTable).put({ id: 1, cluster_id: clusterId });
  change.table(restoreTable).put({
    ...nothing,
    ...{ switched: restore, litter: 1, updated_ms: change.nowMs },
  });
  return true;
}

/** Removes some of what nobody needs. Answers whether there may be more. */
export function sweep(change: Change, beforeMs: number): boolean {
  const row = restoreRow(change);
  const isUsed = row.restore !== "" && row.updated_ms > beforeMs;
  if (row.litter === 0 || isUsed) return false;
  const litter = change.staging.removeSlice() ? 0 : 1;
  change.table(restoreTable).put({ ...row, restore: "", litter });
  return litter === 1;
}

/** Leader time at which there is something to sweep; null: there will not be. */
export function sweepDueMs(state: State): number | null {
  const { litter, restore, updated_ms } = restoreRow(state);
  if (litter === 0) return null;
  return restore === "" ? updated_ms : updated_ms + abandonedMs;
}

/** The restore that became the state, until everything it left behind is gone; null afterwards. */
export function restoredLately(state: State): { restore: string; atMs: number } | null {
  const { litter, restore, switched, updated_ms: atMs } = restoreRow(state);
  return litter === 1 && restore === "" && switched !== "" ? { restore: switched, atMs } : null;
}

function requireRestore(state: State, restore: string): RestoreRow {
  const row = restoreRow(state);
  if (row.restore === restore && restore !== "") return row;
  const reason = "another one took its place, or it took too long";
  throw new ServiceError("invalid", `failed to restore snapshot: ${reason}`);
}
