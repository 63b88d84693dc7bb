// Who this cluster is among all clusters: an id that its first leader draws, once and for ever; a datacenter whose
// certificates another one vouches for takes that one's. The mesh's trust domain is made of it, so certificates and
// the names of targets agree whoever issues certificates.

import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface IdentityRow extends SqlRow {
  id: number;
  cluster_id: string;
}

export const identityTable: TableDefinition<IdentityRow> = {
  name: "cluster_identity",
  columns: { id: "INTEGER NOT NULL", cluster_id: "TEXT NOT NULL" },
  key: ["id"],
};

export const identityTopic = "cluster-identity";

/** A UUID; null until the first leader has drawn one. */
export function clusterId(state: State): string | null {
  return state.table(identityTable).get(1)?.cluster_id ?? null;
}

/** Domain of all identities in the mesh; null until the cluster has an id. */
export function trustDomain(state: State): string | null {
  const id = clusterId(state);
  return id === null ? null : `${id}.consul`;
}

/** Keeps the first id that is offered; answers the one that counts. */
export function identify(change: Change, id: string): string {
  const known = clusterId(change);
  if (known !== null) return known;
  adoptIdentity(change, id);
  return id;
}

/** Takes another cluster's id. */
export function adoptIdentity(change: Change, id: string): void {
  if (clusterId(change) === id) return;
  change.table(identityTable).put({ id: 1, cluster_id: id });
  change.touch(identityTopic);
}

/** Throws ServiceError `invalid` for what is no UUID. */
export function requireUuid(id: string): void {
  const problem = uuidProblem(id);
  if (problem !== null) throw new ServiceError("invalid", `Bad cluster ID: ${problem}`);
}
