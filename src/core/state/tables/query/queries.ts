// Prepared queries: row, changes, lookups. Names are unique over queries and templates, in any case. Index rule
// (semantics §2.1): lists and single queries carry the index of the whole table, which every change moves, also one
// that changes nothing.

import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import { isTemplate, preparedQuerySchema } from "../../../model/prepared-query.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import { encode } from "../../../model/schema.ts";
import { UuidError, uuidKey } from "../../../model/uuid.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { queryTopics } from "./topics.ts";

export const queriesIndex: TableIndex = { name: "prepared-queries" };

export interface QueryRow extends SqlRow {
  /** Canonical; `body` has it as it was given. */
  id: string;
  /** Null for one that can only be found by its id; "" for the template that takes every name. */
  name_key: string | null;
  is_template: number;
  /** Canonical id of the session that it goes with. */
  session_id: string | null;
  create_index: number;
  modify_index: number;
  /** JSON of {@link PreparedQuery}. */
  body: string;
}

export const queryTable: TableDefinition<QueryRow> = {
  name: "prepared_query",
  columns: {
    id: "TEXT NOT NULL",
    name_key: "TEXT",
    is_template: "INTEGER NOT NULL",
    session_id: "TEXT",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
  indexes: {
    prepared_query_name: {
      unique: true,
      on: "ON prepared_query (name_key) WHERE name_key IS NOT NULL",
    },
    // Names of templates are looked for among all names that are less than another.
    prepared_query_template: { on: "ON prepared_query (name_key) WHERE is_template = 1" },
    prepared_query_session: {
      on: "ON prepared_query (session_id) WHERE session_id IS NOT NULL",
    },
  },
};

// Changes

/** Keeps a query under its id, which it may have already. What it says was judged before. */
export function putQuery(change: Change, query: PreparedQuery): void {
  const id = queryKey(query.ID);
  const known = change.table(queryTable).get(id);
  const template = isTemplate(query);
  change.table(queryTable).put({
    id,
    name_key: query.Name === "" && !template ? null : nameKey(query.Name),
    is_template: template ? 1 : 0,
    session_id: query.Session === "" ? null : uuidKey(query.Session),
    create_index: known?.create_index ?? change.index,
    modify_index: change.index,
    body: encode(preparedQuerySchema, query),
  });
  touchQuery(change, id);
}

export function removeQuery(change: Change, id: string): void {
  if (change.table(queryTable).remove(id)) touchQuery(change, id);
}

/** The session is gone. */
export function removeQueriesOfSession(change: Change, session: string): void {
  const removed = change.table(queryTable).removeWhere("session_id = ?", session);
  for (const [id] of removed) touchQuery(change, String(id));
}

function touchQuery(change: Change, id: string): void {
  change.meta.bump(queriesIndex, change.index);
  change.touch(queryTopics.one(id), queryTopics.all);
}

// Lookups

/** Throws a ServiceError in Consul's words when `id` is not a UUID. */
export function findQuery(state: State, id: string): QueryRow | undefined {
  return state.table(queryTable).get(queryKey(id));
}

/** Canonical form of a query's id. */
export function queryKey(id: string): string {
  try {
    return uuidKey(id);
  } catch (error) {
    if (!(error instanceof UuidError)) throw error;
    throw new ServiceError(
      "invalid",
      `failed prepared query lookup: index error: ${error.message}`,
    );
  }
}

export function findQueryByName(state: State, name: string): QueryRow | undefined {
  return state.table(queryTable).select("WHERE name_key = ? ORDER BY name_key", nameKey(name))[0];
}

/** The template with the longest name that `name` starts with, in any case. */
export function findTemplateFor(state: State, name: string): QueryRow | undefined {
  // The greatest name up to `bound` that begins like it is the longest. One that does not shows how little of `bound`
  // any name still to come can share with it, so few rows are looked at however long the name is.
  for (let bound = nameKey(name); ;) {
    const [row] = state
      .table(queryTable)
      .select("WHERE is_template = 1 AND name_key <= ? ORDER BY name_key DESC LIMIT 1", bound);
    if (!row) return undefined;
    const key = row.name_key ?? "";
    if (bound.startsWith(key)) return row;
    bound = commonStart(bound, key);
  }
}

/** Whole characters that both start with. */
function commonStart(left: string, right: string): string {
  let end = 0;
  while (end < left.length && left[end] === right[end]) end += 1;
  const cut = left.slice(0, end);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

export function allQueries(state: State): QueryRow[] {
  return state.table(queryTable).select("ORDER BY id");
}

export function queryOf(row: QueryRow): PreparedQuery {
  return JSON.parse(row.body) as PreparedQuery;
}

/** JSON text with the indexes of its row. */
export function encodeQuery(query: PreparedQuery, row: QueryRow): string {
  return withIndexes(encode(preparedQuerySchema, query), row);
}
