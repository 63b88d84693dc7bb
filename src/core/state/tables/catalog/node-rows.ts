// Nodes as rows: the table and its queries. A node is known by its name, in any case; its id, when it has one, is
// unique too.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import type { SqlRow } from "../../../lib/sql.ts";
import type { Node } from "../../../model/types.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface NodeRow extends SqlRow {
  node_key: string;
  /** Lower case; null when the node has no id. */
  id_key: string | null;
  create_index: number;
  modify_index: number;
  /** Its address in one spelling; null when that is no IP address. */
  address_key: string | null;
  /** JSON of {@link NodeDefinition}. */
  body: string;
}

export const nodeTable: TableDefinition<NodeRow> = {
  name: "node",
  columns: {
    node_key: "TEXT NOT NULL",
    id_key: "TEXT",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    address_key: "TEXT",
    body: "TEXT NOT NULL",
  },
  key: ["node_key"],
  indexes: {
    node_id: { on: "ON node (id_key) WHERE id_key IS NOT NULL" },
    node_address: { on: "ON node (address_key) WHERE address_key IS NOT NULL" },
  },
  derived: ["address_key"],
  complete: (row) => ({ ...row, address_key: hexOfAddress(nodeOf(row).Address) }),
};

export function findNode(state: State, name: string): NodeRow | undefined {
  return state.table(nodeTable).get(nameKey(name));
}

export function findNodeById(state: State, id: string): NodeRow | undefined {
  return state.table(nodeTable).select("WHERE id_key = ? ORDER BY node_key", id.toLowerCase())[0];
}

/** The node whose id starts with `prefix` (lower-case hex); undefined unless there is exactly one. */
export function findNodeByIdPrefix(state: State, prefix: string): NodeRow | undefined {
  const rows = state
    .table(nodeTable)
    .select("WHERE id_key >= ? AND id_key < ? ORDER BY id_key LIMIT 2", prefix, `${prefix}g`);
  return rows.length === 1 ? rows[0] : undefined;
}

/** Nodes with an address; `addressKey` is its one spelling. */
export function nodesAt(state: State, addressKey: string): NodeRow[] {
  return state.table(nodeTable).select("WHERE address_key = ? ORDER BY node_key", addressKey);
}

export function allNodes(state: State): NodeRow[] {
  return state.table(nodeTable).select("ORDER BY node_key");
}

export function countNodes({ sql }: State): number {
  const [row] = sql.exec<{ count: number }>(
    `SELECT count(*) AS count FROM ${nodeTable.name} ORDER BY 1`,
  );
  return row?.count ?? 0;
}

/** The node at a place in the order of names, from 0. */
export function nodeAtPlace(state: State, place: number): NodeRow | undefined {
  return state.table(nodeTable).select("ORDER BY node_key LIMIT 1 OFFSET ?", place)[0];
}

export function nodeOf(row: NodeRow): Node {
  return JSON.parse(encodeNodeRow(row)) as Node;
}

export function encodeNodeRow(row: NodeRow): string {
  return withIndexes(row.body, row);
}
