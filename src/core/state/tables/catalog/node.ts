// Changes of nodes. Registering a known id under a new name renames the node, which takes everything it had with
// it.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import { ServiceError } from "../../../model/errors.ts";
import * as indexes from "./indexes.ts";
import { encode } from "../../../model/schema.ts";
import { nodeDefinitionSchema } from "../../../model/schemas.ts";
import type { NodeDefinition } from "../../../model/types.ts";
import { checksOfNode, findCheck } from "./check-rows.ts";
import { removeCheck } from "./check.ts";
import { nodeRemoved } from "./events.ts";
import { findNodeById, nodeOf, nodeTable } from "./node-rows.ts";
import type { NodeRow } from "./node-rows.ts";
import { nameKey } from "../../rows.ts";
import type { Change } from "../../state.ts";
import { bumpServicesOfNode } from "./service-index.ts";
import { servicesOfNode } from "./service-rows.ts";
import { removeService } from "./service.ts";
import { touchAddress } from "./address.ts";
import { catalogTopics } from "./topics.ts";

/** Check by which the servers say whether a node is alive. */
const aliveCheck = "serfHealth";

/** Inserts or updates a node. Throws ServiceError when its name belongs to another, living node. */
export function putNode(change: Change, node: NodeDefinition): NodeRow {
  const sameId = node.ID === "" ? undefined : findNodeById(change, node.ID);
  const key = nameKey(node.Node);
  const oldName = sameId && nodeOf(sameId).Node;
  if (node.ID !== "" && oldName !== node.Node) refuseTakenName(change, node, sameId);
  // Renaming takes the old name and all that hung on it away.
  if (oldName !== undefined && oldName !== node.Node) removeNode(change, oldName);
  const existing = sameId ?? change.table(nodeTable).get(key);
  const body = encode(nodeDefinitionSchema, node);
  if (existing?.body === body) return existing;
  const row: NodeRow = {
    node_key: key,
    id_key: node.ID === "" ? null : node.ID.toLowerCase(),
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    address_key: hexOfAddress(node.Address),
    body,
  };
  change.table(nodeTable).put(row);
  change.meta.bump(indexes.nodes, change.index);
  change.touch(catalogTopics.nodes, catalogTopics.node(key));
  touchAddress(change, existing, row);
  bumpServicesOfNode(change, key);
  return row;
}

/** Removes a node with its services, checks and sessions; false when there is none. */
export function removeNode(change: Change, name: string): boolean {
  const key = nameKey(name);
  const row = change.table(nodeTable).get(key);
  if (!row) return false;
  for (const service of servicesOfNode(change, key))
    removeService(change, key, service.service_key);
  for (const check of checksOfNode(change, key)) removeCheck(change, key, check.check_key);
  change.table(nodeTable).remove(key);
  change.meta.bump(indexes.nodes, change.index);
  change.touch(catalogTopics.nodes, catalogTopics.node(key));
  touchAddress(change, row, undefined);
  change.emit(nodeRemoved, key);
  return true;
}

/**
 * A name belongs to the node that has it while the servers see that node alive; one without an id may be taken
 * over by a node that is new. `renamed` is the node that has the id so far.
 */
function refuseTakenName(change: Change, node: NodeDefinition, renamed: NodeRow | undefined): void {
  const holder = change.table(nodeTable).get(nameKey(node.Node));
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
