// Nodes: row, commands, queries. A node is known by its name, in any case; its id, when it has one, is unique
// too: registering a known id under a new name renames the node, which takes everything it had with it.

import type { SqlRow } from "../lib/sql.ts";
import { ServiceError } from "../model/errors.ts";
import { encode } from "../model/schema.ts";
import { nodeDefinitionSchema } from "../model/schemas.ts";
import type { Node, NodeDefinition } from "../model/types.ts";
import { checksOfNode, findCheck, removeCheck } from "./check.ts";
import { nameKey, withIndexes } from "./schema.ts";
import type { Change, State } from "./schema.ts";
import { bumpServicesOfNode } from "./service-index.ts";
import { removeService, servicesOfNode } from "./service.ts";
import { invalidateSessionsOfNode } from "./session.ts";
import type { TableDefinition } from "./table.ts";
import { topics } from "./watch.ts";

export interface NodeRow extends SqlRow {
  node_key: string;
  /** Lower case; null when the node has no id. */
  id_key: string | null;
  create_index: number;
  modify_index: number;
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
    body: "TEXT NOT NULL",
  },
  key: ["node_key"],
  indexes: { node_id: { on: "ON node (id_key) WHERE id_key IS NOT NULL" } },
};

/** Check by which the servers say whether a node is alive. */
const aliveCheck = "serfHealth";

// Commands

/** Inserts or updates a node. Throws ServiceError when its name belongs to another, living node. */
export function putNode(change: Change, node: NodeDefinition): NodeRow {
  const sameId = node.ID === "" ? undefined : findNodeById(change, node.ID);
  const key = nameKey(node.Node);
  const oldName = sameId && nodeOf(sameId).Node;
  if (node.ID !== "" && oldName !== node.Node) refuseTakenName(change, node, sameId);
  // Renaming takes the old name and all that hung on it away.
  if (oldName !== undefined && oldName !== node.Node) removeNode(change, oldName);
  const existing = sameId ?? change.tables.node.get(key);
  const body = encode(nodeDefinitionSchema, node);
  if (existing?.body === body) return existing;
  const row: NodeRow = {
    node_key: key,
    id_key: node.ID === "" ? null : node.ID.toLowerCase(),
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    body,
  };
  change.tables.node.put(row);
  change.meta.bump("nodes", change.index);
  change.touch(topics.nodes, topics.node(key));
  bumpServicesOfNode(change, key);
  return row;
}

/** Removes a node with its services, checks and sessions; false when there is none. */
export function removeNode(change: Change, name: string): boolean {
  const key = nameKey(name);
  if (!change.tables.node.get(key)) return false;
  for (const service of servicesOfNode(change, key))
    removeService(change, key, service.service_key);
  for (const check of checksOfNode(change, key)) removeCheck(change, key, check.check_key);
  change.tables.node.remove(key);
  change.meta.bump("nodes", change.index);
  change.touch(topics.nodes, topics.node(key));
  invalidateSessionsOfNode(change, key);
  return true;
}

/**
 * A name belongs to the node that has it while the servers see that node alive; one without an id may be taken
 * over by a node that is new. `renamed` is the node that has the id so far.
 */
function refuseTakenName(change: Change, node: NodeDefinition, renamed: NodeRow | undefined): void {
  const holder = change.tables.node.get(nameKey(node.Node));
  if (!holder || holder.node_key === renamed?.node_key) return;
  const held = nodeOf(holder);
  const alive = findCheck(change, held.Node, aliveCheck);
  if (!alive || alive.status === "critical") return;
  if (held.ID === "" && !renamed) return;
  const reason = `Node name ${node.Node} is reserved by node ${held.ID} with name ${held.Node}`;
  const where = renamed ? ` (${node.Address})` : "";
  throw new ServiceError(
    "invalid",
    `Error while renaming Node ID: ${JSON.stringify(node.ID)}${where}: ${reason} (${held.Address})`,
  );
}

// Queries

export function findNode(state: State, name: string): NodeRow | undefined {
  return state.tables.node.get(nameKey(name));
}

export function findNodeById(state: State, id: string): NodeRow | undefined {
  return state.tables.node.select("WHERE id_key = ? ORDER BY node_key", id.toLowerCase())[0];
}

/** The node whose id starts with `prefix` (lower-case hex); undefined unless there is exactly one. */
export function findNodeByIdPrefix(state: State, prefix: string): NodeRow | undefined {
  const rows = state.tables.node.select(
    "WHERE id_key >= ? AND id_key < ? ORDER BY id_key LIMIT 2",
    prefix,
    `${prefix}g`,
  );
  return rows.length === 1 ? rows[0] : undefined;
}

export function allNodes(state: State): NodeRow[] {
  return state.tables.node.select("ORDER BY node_key");
}

export function nodeOf(row: NodeRow): Node {
  return JSON.parse(encodeNodeRow(row)) as Node;
}

export function encodeNodeRow(row: NodeRow): string {
  return withIndexes(row.body, row);
}
