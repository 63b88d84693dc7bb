// The index of one service: what `health/service/web` answers with and waits on. It moves with the service's
// instances, their nodes, and every check that speaks about them; when the last instance goes the row goes
// too, and the index of the last such extinction stands in for services that do not exist.

import type { SqlRow } from "../lib/sql.ts";
import type { Change, State } from "./schema.ts";
import { servicesOfNode } from "./service.ts";
import type { ServiceRow } from "./service.ts";
import type { TableDefinition } from "./table.ts";
import { topics } from "./watch.ts";

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
  change.tables.serviceIndex.put({ name_key: row.name_key, modify_index: change.index });
  touchService(change, row, part);
}

/** Wakes those who wait for the service of an instance, without moving its index. */
export function touchService(change: Change, row: ServiceRow, part: ServicePart): void {
  change.touch(topics.service(row.name_key));
  if (part === "instances") change.touch(topics.instances(row.name_key));
  if (row.connect_key === null) return;
  change.touch(topics.connect(row.connect_key));
  if (part === "instances") change.touch(topics.connectInstances(row.connect_key));
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
  change.tables.serviceIndex.remove(row.name_key);
  touchService(change, row, "instances");
  change.meta.bump("extinction", change.index);
  change.touch(topics.extinction);
}

/** Tables whose newest index stands in for a service that has none. */
export type ServiceTables = readonly ("nodes" | "services" | "checks")[];

/** Index of a service by name; `exists`: whether what was asked for has any instance. */
export function serviceIndex(
  state: State,
  nameKey: string,
  tables: ServiceTables,
  exists?: boolean,
): number {
  const row = state.tables.serviceIndex.get(nameKey);
  const extinction = state.meta.index("extinction");
  if (!(exists ?? row !== undefined) && extinction > 0) return extinction;
  return row?.modify_index ?? state.meta.maxIndex(...tables);
}
