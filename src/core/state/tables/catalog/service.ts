// Changes of service instances.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import { ServiceError } from "../../../model/errors.ts";
import * as indexes from "./indexes.ts";
import { encode } from "../../../model/schema.ts";
import { nodeServiceDefinitionSchema } from "../../../model/schemas.ts";
import type { NodeServiceDefinition } from "../../../model/types.ts";
import { checksOfService } from "./check-rows.ts";
import { removeCheck } from "./check.ts";
import { coverService, uncoverService } from "./gateway-mapping.ts";
import { nameKey } from "../../rows.ts";
import type { Change } from "../../state.ts";
import { bumpService, extinguishService, touchService } from "./service-index.ts";
import { connectKey, findService, serviceTable } from "./service-rows.ts";
import type { ServiceRow } from "./service-rows.ts";
import { touchAddress } from "./address.ts";
import { catalogTopics } from "./topics.ts";

/** Inserts or updates an instance on a node that exists. */
export function putService(
  change: Change,
  node: string,
  service: NodeServiceDefinition,
): ServiceRow {
  if (service.ID === "" || service.Service === "") {
    throw new ServiceError("invalid", "failed inserting service: object missing primary index");
  }
  // Consul does so whether the instance is new, changed or the same as before.
  coverService(change, service.Service, service.Kind);
  const nodeKey = nameKey(node);
  const existing = findService(change, nodeKey, service.ID);
  const body = encode(nodeServiceDefinitionSchema, { ...service, Tags: service.Tags ?? [] });
  const tagsAbsent = service.Tags === null ? 1 : 0;
  if (existing?.body === body && existing.tags_absent === tagsAbsent) return existing;
  const row: ServiceRow = {
    name_key: nameKey(service.Service),
    node_key: nodeKey,
    service_key: nameKey(service.ID),
    connect_key: connectKey(service),
    tags_absent: tagsAbsent,
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    address_key: hexOfAddress(service.Address),
    body,
  };
  if (existing && existing.name_key !== row.name_key) removeRow(change, existing);
  change.table(serviceTable).put(row);
  // Whoever found the instance through Connect under another name must hear that it moved.
  if (existing && existing.connect_key !== row.connect_key)
    touchService(change, existing, "instances");
  bumpService(change, row, "instances");
  touchTables(change, row);
  touchAddress(change, existing, row);
  return row;
}

/** Removes an instance with its checks; false when there is none. */
export function removeService(change: Change, node: string, id: string): boolean {
  const row = findService(change, node, id);
  if (!row) return false;
  for (const check of checksOfService(change, row.node_key, row.service_key)) {
    removeCheck(change, row.node_key, check.check_key);
  }
  removeRow(change, row);
  touchTables(change, row);
  touchAddress(change, row, undefined);
  // Whether it had checks or not.
  change.meta.bump(indexes.checks, change.index);
  return true;
}

function removeRow(change: Change, row: ServiceRow): void {
  change.table(serviceTable).remove(row.name_key, row.node_key, row.service_key);
  const [another] = change
    .table(serviceTable)
    .select("WHERE name_key = ? ORDER BY node_key LIMIT 1", row.name_key);
  if (another) return bumpService(change, row, "instances");
  extinguishService(change, row);
  uncoverService(change, row.name_key);
}

function touchTables(change: Change, row: ServiceRow): void {
  change.meta.bump(indexes.services, change.index);
  change.touch(catalogTopics.services, catalogTopics.node(row.node_key));
}
