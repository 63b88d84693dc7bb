// Service instances as rows: the table and its queries. The primary key is the service's name, because "who offers
// web?" is what everybody asks; a secondary index finds an instance by node and id, a sparse one what is reachable
// through Connect under a name.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import type { SqlRow } from "../../../lib/sql.ts";
import type { NodeService, NodeServiceDefinition } from "../../../model/types.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface ServiceRow extends SqlRow {
  name_key: string;
  node_key: string;
  /** Of the instance's id. */
  service_key: string;
  /** Name under which Connect finds it: a proxy's destination, or its own when native. */
  connect_key: string | null;
  /** 1: Tags was not given at all. `body` says `[]` then, as most answers do; see {@link encodeGivenService}. */
  tags_absent: number;
  create_index: number;
  modify_index: number;
  /** Its own address in one spelling; null when it has none or a host name. */
  address_key: string | null;
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
    address_key: "TEXT",
    body: "TEXT NOT NULL",
  },
  key: ["name_key", "node_key", "service_key"],
  indexes: {
    service_node: { unique: true, on: "ON service (node_key, service_key)" },
    service_connect: { on: "ON service (connect_key) WHERE connect_key IS NOT NULL" },
    service_address: { on: "ON service (address_key) WHERE address_key IS NOT NULL" },
  },
  derived: ["address_key"],
  complete: (row) => ({ ...row, address_key: hexOfAddress(serviceOf(row).Address) }),
};

export function findService(state: State, node: string, id: string): ServiceRow | undefined {
  return state
    .table(serviceTable)
    .select(
      "WHERE node_key = ? AND service_key = ? ORDER BY name_key",
      nameKey(node),
      nameKey(id),
    )[0];
}

export function servicesOfNode(state: State, node: string): ServiceRow[] {
  return state.table(serviceTable).select("WHERE node_key = ? ORDER BY service_key", nameKey(node));
}

export function instancesOf(state: State, name: string): ServiceRow[] {
  return state
    .table(serviceTable)
    .select("WHERE name_key = ? ORDER BY node_key, service_key", nameKey(name));
}

/** Proxies whose destination is `name`, and its native instances. */
export function connectInstancesOf(state: State, name: string): ServiceRow[] {
  return state
    .table(serviceTable)
    .select("WHERE connect_key = ? ORDER BY node_key, service_key", nameKey(name));
}

/** Instances with an address of their own; `addressKey` is its one spelling. */
export function servicesAt(state: State, addressKey: string): ServiceRow[] {
  return state
    .table(serviceTable)
    .select("WHERE address_key = ? ORDER BY name_key, node_key, service_key", addressKey);
}

export function allServices(state: State): ServiceRow[] {
  return state.table(serviceTable).select("ORDER BY name_key, node_key, service_key");
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

/** The same with `null` for tags that were not given, as transactions and prepared queries show it. */
export function encodeGivenService(row: ServiceRow): string {
  const text = encodeServiceRow(row);
  return row.tags_absent ? text.replace('"Tags":[]', '"Tags":null') : text;
}

/** For {@link ServiceRow.connect_key}. */
export function connectKey(service: NodeServiceDefinition): string | null {
  if (service.Kind === "connect-proxy") return nameKey(service.Proxy.DestinationServiceName);
  return service.Connect.Native ? nameKey(service.Service) : null;
}
