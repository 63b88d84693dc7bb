// Datacenters that were joined over the WAN, this one among them, each as its own leader describes it.

import type { SqlRow } from "../../../lib/sql.ts";
import type { FarServer, JoinedDatacenter } from "../../../model/datacenter.ts";
import { limits } from "../../../model/limits.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface DatacenterRow extends SqlRow {
  name: string;
  version: number;
  primary_dc: string;
  /** JSON of its {@link FarServer}s. */
  servers: string;
}

export const datacenterTable: TableDefinition<DatacenterRow> = {
  name: "datacenter",
  columns: {
    name: "TEXT NOT NULL",
    version: "INTEGER NOT NULL",
    primary_dc: "TEXT NOT NULL",
    servers: "TEXT NOT NULL",
  },
  key: ["name"],
};

/** By name. */
export function joinedDatacenters(state: State): JoinedDatacenter[] {
  return state.table(datacenterTable).select("ORDER BY name").map(described);
}

export function findDatacenter(state: State, name: string): JoinedDatacenter | null {
  const row = state.table(datacenterTable).get(name);
  return row ? described(row) : null;
}

/** Keeps what is newer than what is known; one datacenter too many is not taken in. */
export function learn(change: Change, found: JoinedDatacenter): void {
  const table = change.table(datacenterTable);
  const known = table.get(found.name);
  if (known && known.version >= found.version) return;
  if (!known && joinedDatacenters(change).length >= limits.datacentersJoinedMax) return;
  const { name, version, primary, servers } = found;
  table.put({ name, version, primary_dc: primary, servers: JSON.stringify(servers) });
}

export function forget(change: Change, name: string): void {
  change.table(datacenterTable).remove(name);
}

function described({
  name,
  version,
  primary_dc: primary,
  servers,
}: DatacenterRow): JoinedDatacenter {
  return { name, version, primary, servers: JSON.parse(servers) as FarServer[] };
}
