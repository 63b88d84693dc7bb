// The authority of a secondary datacenter: it takes over the primary's roots, with the certificate by which the primary
// vouches for the key that signs here.

import type { Change, State } from "../../state.ts";
import { adoptIdentity } from "../cluster/identity.ts";
import {
  allRoots,
  caRootTable,
  configurationOf,
  findCaConfiguration,
  keepKey,
  putActiveRoot,
  requireCa,
  rootOf,
  storeConfiguration,
} from "./authority.ts";
import type { CaRoot, KeptConfiguration } from "./authority.ts";

/** More replaced roots than these are not told to secondaries: the newest are. */
const replacedRootsMax = 50;

export interface ReplacedRoot {
  root: CaRoot;
  /** Leader time at which it was replaced. */
  rotatedOutMs: number;
}

/** What a primary tells of its roots. */
export interface PrimaryRoots {
  clusterId: string;
  active: CaRoot;
  /** The newest first. */
  replaced: ReplacedRoot[];
}

/** A key of this datacenter, and the certificate that the primary made for it. */
export interface NewIntermediate {
  privateKey: string;
  /** The key was given, not made. */
  given: boolean;
  /** PEM. */
  certificate: string;
  /** Leader time from which another one is wanted. */
  renewMs: number;
}

export interface Followed {
  /** As the primary told them, but for the active one, whose certificates end with the intermediate. */
  roots: PrimaryRoots;
  intermediate: NewIntermediate;
  /** None, or one that somebody has set. */
  configuration: KeptConfiguration[];
}

/** Roots that are known here stay as they are, with the intermediate certificates that they had here. */
export function followPrimary(
  change: Change,
  { roots: { clusterId, active, replaced }, intermediate, configuration: [wanted] }: Followed,
): void {
  const row = requireCa(change);
  adoptIdentity(change, clusterId);
  if (wanted || row.cluster_id !== clusterId) {
    const kept = wanted ?? configurationOf(row);
    storeConfiguration(change, kept, { ...row, cluster_id: clusterId });
  }
  putActiveRoot(change, active);
  for (const { root, rotatedOutMs } of replaced) {
    if (change.table(caRootTable).get(root.ID)) continue;
    change.table(caRootTable).put({
      id: root.ID,
      active: 0,
      rotated_out_ms: rotatedOutMs,
      create_index: change.index,
      modify_index: change.index,
      body: JSON.stringify(root),
    });
  }
  const { privateKey, given, certificate, renewMs } = intermediate;
  const key = { root_id: active.ID, given: given ? 1 : 0, private_key: privateKey };
  keepKey(change, key, { renewMs, certificate });
}

/** Null while there is no active root. */
export function primaryRoots(state: State): PrimaryRoots | null {
  const rows = allRoots(state);
  const active = rows.find((row) => row.active === 1);
  const clusterId = findCaConfiguration(state)?.cluster_id;
  if (!active || clusterId === undefined) return null;
  const replaced = rows
    .filter((row) => row !== active)
    .toSorted((a, b) => b.rotated_out_ms - a.rotated_out_ms)
    .slice(0, replacedRootsMax)
    .map((row) => ({ root: rootOf(row), rotatedOutMs: row.rotated_out_ms }));
  return { clusterId, active: rootOf(active), replaced };
}
