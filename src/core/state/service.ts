// Service instances: row, commands, queries. The primary key is the service's name, because "who offers web?"
// is what everybody asks; a secondary index finds an instance by node and id, a sparse one what is reachable
// through Connect under a name.

import type { SqlRow } from "../lib/sql.ts";
import { ServiceError } from "../model/errors.ts";
import { encode } from "../model/schema.ts";
import { nodeServiceDefinitionSchema } from "../model/schemas.ts";
import type { NodeService, NodeServiceDefinition } from "../model/types.ts";
import { checksOfService, removeCheck } from "./check.ts";
import { nameKey, withIndexes } from "./schema.ts";
import type { Change, State } from "./schema.ts";
import { bumpService, extinguishService, touchService } from "./service-index.ts";
import type { TableDefinition } from "./table.ts";
import { topics } from "./watch.ts";

export interface ServiceRow extends SqlRow {
  name_key: string;
  node_key: string;
  /** Of the instance's id. */
  service_key: string;
  /** Name under which Connect finds it: a proxy's destination, or its own when native. */
  connect_key: string | null;
  /** 1: Tags was not given at all. `body` says `[]` then, as all but transactions answer. */
  tags_absent: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link NodeServiceDefinition}. */
  body: string;
}

export const serviceTable: TableDefinition<ServiceRow> = {
  name: "service",
  columns: {
    name_key: "TEXT NOT NULL",
    node_key: "TEXT NOT NULL",
    service_key: "TEXT NOT NULL",
    connect_key: "TEXT",
    tags_absent: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["name_key", "node_key", "service_key"],
  indexes: {
    service_node: { unique: true, on: "ON service (node_key, service_key)" },
    service_connect: { on: "ON service (connect_key) WHERE connect_key IS NOT NULL" },
  },
};

// Commands

/** Inserts or updates an instance on a node that exists. */
export function putService(
  change: Change,
  node: string,
  service: NodeServiceDefinition,
): ServiceRow {
  if (service.ID === "" || service.Service === "") {
    throw new ServiceError("invalid", "failed inserting service: object missing primary index");
  }
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
    body,
  };
  if (existing && existing.name_key !== row.name_key) removeRow(change, existing);
  change.tables.service.put(row);
  // Whoever found the instance through Connect under another name must hear that it moved.
  if (existing && existing.connect_key !== row.connect_key)
    touchService(change, existing, "instances");
  bumpService(change, row, "instances");
  touchTables(change, row);
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
  // Whether it had checks or not.
  change.meta.bump("checks", change.index);
  return true;
}

function removeRow(change: Change, row: ServiceRow): void {
  change.tables.service.remove(row.name_key, row.node_key, row.service_key);
  const [another] = change.tables.service.select(
    "WHERE name_key = ? ORDER BY node_key LIMIT 1",
    row.name_key,
  );
  if (another) bumpService(change, row, "instances");
  else extinguishService(change, row);
}

function touchTables(change: Change, row: ServiceRow): void {
  change.meta.bump("services", change.index);
  change.touch(topics.services, topics.node(row.node_key));
}

function connectKey(service: NodeServiceDefinition): string | null {
  if (service.Kind === "connect-proxy") return nameKey(service.Proxy.DestinationServiceName);
  return service.Connect.Native ? nameKey(service.Service) : null;
}

// Queries

export function findService(state: State, node: string, id: string): ServiceRow | undefined {
  return state.tables.service.select(
    "WHERE node_key = ? AND service_key = ? ORDER BY name_key",
    nameKey(node),
    nameKey(id),
  )[0];
}

export function servicesOfNode(state: State, node: string): ServiceRow[] {
  return state.tables.service.select("WHERE node_key = ? ORDER BY service_key", nameKey(node));
}

export function instancesOf(state: State, name: string): ServiceRow[] {
  return state.tables.service.select(
    "WHERE name_key = ? ORDER BY node_key, service_key",
    nameKey(name),
  );
}

/** Proxies whose destination is `name`, and its native instances. */
export function connectInstancesOf(state: State, name: string): ServiceRow[] {
  return state.tables.service.select(
    "WHERE connect_key = ? ORDER BY node_key, service_key",
    nameKey(name),
  );
}

export function allServices(state: State): ServiceRow[] {
  return state.tables.service.select("ORDER BY name_key, node_key, service_key");
}

/** An instance as it is stored: what is empty may be missing. */
export type StoredService = Omit<NodeService, "Kind" | "TaggedAddresses"> &
  Partial<Pick<NodeService, "Kind" | "TaggedAddresses">>;

export function serviceOf(row: ServiceRow): StoredService {
  return JSON.parse(encodeServiceRow(row)) as StoredService;
}

export function encodeServiceRow(row: ServiceRow): string {
  return withIndexes(row.body, row);
}
