// The index of one service: what `health/service/web` answers with and waits on. It moves with the service's
// instances, their nodes, and every check that speaks about them; when the last instance goes the row goes
// too, and the index of the last such extinction stands in for services that do not exist.

import type { SqlRow } from "../../../lib/sql.ts";
import * as indexes from "./indexes.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import { servicesOfNode } from "./service-rows.ts";
import type { ServiceRow } from "./service-rows.ts";
import type { TableDefinition } from "../../table.ts";
import { catalogTopics } from "./topics.ts";

export interface ServiceIndexRow extends SqlRow {
  name_key: string;
  modify_index: number;
}

export const serviceIndexTable: TableDefinition<ServiceIndexRow> = {
  name: "service_index",
  columns: { name_key: "TEXT NOT NULL", modify_index: "INTEGER NOT NULL" },
  key: ["name_key"],
};

/** What moved: `checks` is not heard by those who only look at instances. */
export type ServicePart = "instances" | "checks";

/** Moves the index of the service that an instance belongs to. */
export function bumpService(change: Change, row: ServiceRow, part: ServicePart): void {
  change.table(serviceIndexTable).put({ name_key: row.name_key, modify_index: change.index });
  touchService(change, row, part);
}

/** Wakes those who wait for the service of an instance, without moving its index. */
export function touchService(change: Change, row: ServiceRow, part: ServicePart): void {
  change.touch(catalogTopics.service(row.name_key));
  if (part === "instances") change.touch(catalogTopics.instances(row.name_key));
  if (row.connect_key === null) return;
  change.touch(catalogTopics.connect(row.connect_key));
  if (part === "instances") change.touch(catalogTopics.connectInstances(row.connect_key));
}

/** Moves the index of every service with an instance on a node, because its row changed. */
export function bumpServicesOfNode(change: Change, nodeKey: string): void {
  bumpEach(change, nodeKey, "instances");
}

/** The same because of a check that speaks about the whole node. */
export function bumpServicesOfNodeCheck(change: Change, nodeKey: string): void {
  bumpEach(change, nodeKey, "checks");
}

function bumpEach(change: Change, nodeKey: string, part: ServicePart): void {
  const seen = new Set<string>();
  for (const row of servicesOfNode(change, nodeKey)) {
    const which = `${row.name_key}\0${row.connect_key ?? ""}`;
    if (seen.has(which)) continue;
    seen.add(which);
    bumpService(change, row, part);
  }
}

/** Drops the index of a service whose last instance went. */
export function extinguishService(change: Change, row: ServiceRow): void {
  change.table(serviceIndexTable).remove(row.name_key);
  touchService(change, row, "instances");
  change.meta.bump(indexes.extinction, change.index);
  change.touch(catalogTopics.extinction);
}

/** Tables whose newest index stands in for a service that has none. */
export type ServiceTables = readonly TableIndex[];

/** Index of a service by name; `exists`: whether what was asked for has any instance. */
export function serviceIndex(
  state: State,
  nameKey: string,
  tables: ServiceTables,
  exists?: boolean,
): number {
  const row = state.table(serviceIndexTable).get(nameKey);
  const extinction = state.meta.index(indexes.extinction);
  if (!(exists ?? row !== undefined) && extinction > 0) return extinction;
  return row?.modify_index ?? state.meta.maxIndex(...tables);
}
