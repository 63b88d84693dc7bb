// Health checks as rows: the table and its queries. The primary key leads from a node and one of its instances to
// their checks (instance "" means the node itself), because that is how health is read; a secondary index finds a
// check by its id.

import type { HealthCheckFields } from "../../../model/types.ts";
import type { SqlRow } from "../../../lib/sql.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface CheckRow extends SqlRow {
  node_key: string;
  /** Of the instance it speaks about; "" for the whole node. */
  service_key: string;
  check_key: string;
  /** Of the service's name; "" for the whole node. */
  name_key: string;
  status: string;
  /** 1: ServiceTags is null, which few answers show; see {@link encodeGivenCheck}. */
  tags_absent: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link HealthCheckFields}. */
  body: string;
}

export const checkTable: TableDefinition<CheckRow> = {
  name: "health_check",
  columns: {
    node_key: "TEXT NOT NULL",
    service_key: "TEXT NOT NULL",
    check_key: "TEXT NOT NULL",
    name_key: "TEXT NOT NULL",
    status: "TEXT NOT NULL",
    tags_absent: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["node_key", "service_key", "check_key"],
  indexes: { health_check_id: { unique: true, on: "ON health_check (node_key, check_key)" } },
};

export function findCheck(state: State, node: string, check: string): CheckRow | undefined {
  return state
    .table(checkTable)
    .select(
      "WHERE node_key = ? AND check_key = ? ORDER BY service_key",
      nameKey(node),
      nameKey(check),
    )[0];
}

export function checksOfNode(state: State, node: string): CheckRow[] {
  return state.table(checkTable).select("WHERE node_key = ? ORDER BY check_key", nameKey(node));
}

/** Checks of one instance; `service` "" for those of the node itself. */
export function checksOfService(state: State, node: string, service: string): CheckRow[] {
  return state
    .table(checkTable)
    .select(
      "WHERE node_key = ? AND service_key = ? ORDER BY check_key",
      nameKey(node),
      nameKey(service),
    );
}

/** Checks that name a service as what they speak about, in any case. Looks at every check. */
export function checksOfServiceName(state: State, name: string): CheckRow[] {
  return state
    .table(checkTable)
    .select("WHERE name_key = ? ORDER BY node_key, check_key", nameKey(name));
}

/** Checks in one state; all of them for `any`. */
export function checksInState(state: State, status: string): CheckRow[] {
  return status === "any"
    ? state.table(checkTable).select("ORDER BY node_key, check_key")
    : state.table(checkTable).select("WHERE status = ? ORDER BY node_key, check_key", status);
}

export function checkOf({ body }: CheckRow): HealthCheckFields {
  return JSON.parse(body) as HealthCheckFields;
}

export function encodeCheckRow(row: CheckRow): string {
  return withIndexes(row.body, row);
}

/** The same with `null` for tags that there are not, as transactions and prepared queries show it. */
export function encodeGivenCheck(row: CheckRow): string {
  const text = encodeCheckRow(row);
  return row.tags_absent ? text.replace('"ServiceTags":[]', '"ServiceTags":null') : text;
}
