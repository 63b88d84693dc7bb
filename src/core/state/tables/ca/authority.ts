// Connect's certificate authority as rows: its configuration, its roots (one of them active), the private key that
// signs, and the counter that serial numbers come from. Keys and certificates are made by the leader before it
// proposes them. Keys stand in a table of their own, which no read looks at; those that no longer sign are forgotten.
// In a secondary datacenter the roots are the primary's, and the key that signs is that of an intermediate certificate
// (following.ts).

import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { JsonValue } from "../../../model/json.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface CaConfigurationRow extends SqlRow {
  /** There is one: "ca". */
  id: string;
  cluster_id: string;
  provider: string;
  /** JSON object, without the private key. */
  config: string;
  force: number;
  /** Newest serial number that was given out. */
  serial: number;
  create_index: number;
  modify_index: number;
}

export const caConfigurationTable: TableDefinition<CaConfigurationRow> = {
  name: "ca_configuration",
  columns: {
    id: "TEXT NOT NULL",
    cluster_id: "TEXT NOT NULL",
    provider: "TEXT NOT NULL",
    config: "TEXT NOT NULL",
    force: "INTEGER NOT NULL",
    serial: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
  },
  key: ["id"],
};

export interface CaRootRow extends SqlRow {
  id: string;
  active: number;
  /** Leader time at which it was replaced; 0 while it is active. */
  rotated_out_ms: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link CaRoot}. */
  body: string;
}

export const caRootTable: TableDefinition<CaRootRow> = {
  name: "ca_root",
  columns: {
    id: "TEXT NOT NULL",
    active: "INTEGER NOT NULL",
    rotated_out_ms: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
};

export interface CaKeyRow extends SqlRow {
  /** The root under which it signs. */
  root_id: string;
  /** PEM as somebody gave it, or as it was made. */
  private_key: string;
  /** Whether somebody gave it. */
  given: number;
}

export const caKeyTable: TableDefinition<CaKeyRow> = {
  name: "ca_key",
  columns: {
    root_id: "TEXT NOT NULL",
    given: "INTEGER NOT NULL",
    private_key: "TEXT NOT NULL",
  },
  key: ["root_id"],
};

/** By what the key signs, where that is not the root's own. */
export interface CaIntermediateRow extends SqlRow {
  root_id: string;
  /** Leader time from which another one is wanted. */
  renew_ms: number;
  /** PEM. */
  certificate: string;
}

export const caIntermediateTable: TableDefinition<CaIntermediateRow> = {
  name: "ca_intermediate",
  columns: {
    root_id: "TEXT NOT NULL",
    renew_ms: "INTEGER NOT NULL",
    certificate: "TEXT NOT NULL",
  },
  key: ["root_id"],
};

/** What everybody may know of a root. */
export interface CaRoot {
  /** SHA-1 of the certificate. */
  ID: string;
  Name: string;
  /** Decimal text of a uint64. */
  SerialNumber: string;
  SigningKeyID: string;
  ExternalTrustDomain: string;
  /** RFC 3339. */
  NotBefore: string;
  NotAfter: string;
  /** PEM. */
  RootCert: string;
  /** PEM; null for none. */
  IntermediateCerts: string[] | null;
  PrivateKeyType: string;
  PrivateKeyBits: number;
}

/** A root that begins to sign. */
export interface NewRoot {
  root: CaRoot;
  privateKey: string;
  /** The key was given, not made. */
  given: boolean;
}

/** A configuration as it is kept. */
export interface KeptConfiguration {
  provider: string;
  config: Record<string, JsonValue>;
  force: boolean;
}

export const caRootsIndex: TableIndex = { name: "connect-ca-roots" };
export const caConfigurationIndex: TableIndex = { name: "connect-ca-config" };

export const caTopic = "ca";
export const theOne = "ca";
/** The id of none. */
const noRoot = "";
/** Of the first root, unless it was given with a certificate. */
export const firstSerial = 1;

// Changes

/** Begins the authority, once. Answers whether this did. */
export function initializeCa(
  change: Change,
  clusterId: string,
  kept: KeptConfiguration,
  first: NewRoot,
): boolean {
  if (findCaConfiguration(change)) return false;
  storeConfiguration(change, kept, {
    cluster_id: clusterId,
    serial: firstSerial,
    create_index: change.index,
  });
  activate(change, first);
  return true;
}

/** Begins an authority that waits for the primary's roots, once. Answers whether this did. */
export function prepareCa(change: Change, clusterId: string, kept: KeptConfiguration): boolean {
  if (findCaConfiguration(change)) return false;
  storeConfiguration(change, kept, {
    cluster_id: clusterId,
    serial: 0,
    create_index: change.index,
  });
  return true;
}

/** Gives out serial numbers. Answers the first of them. */
export function takeSerials(change: Change, count: number): number {
  const row = requireCa(change);
  change.table(caConfigurationTable).put({ ...row, serial: row.serial + count });
  return row.serial + 1;
}

/**
 * Keeps a configuration, and with it a new root when there is one: the roots before it stay, for certificates that
 * they signed. `expected` is the root that was active when all this was made, "" for none; another one refuses it.
 */
export function configureCa(
  change: Change,
  expected: string,
  kept: KeptConfiguration,
  next: NewRoot | null,
): void {
  const row = requireCa(change);
  if ((findActiveRoot(change)?.id ?? noRoot) !== expected) {
    throw new ServiceError(
      "invalid",
      "the CA was configured by somebody else meanwhile: try again",
    );
  }
  storeConfiguration(change, kept, row);
  if (next) activate(change, next);
}

/** Forgets roots that were replaced at or before `untilMs` in leader time. Answers how many. */
export function pruneRoots(change: Change, untilMs: number): number {
  const removed = change
    .table(caRootTable)
    .removeWhere("active = 0 AND rotated_out_ms <= ?", untilMs).length;
  if (removed > 0) touchRoots(change);
  return removed;
}

export function storeConfiguration(
  change: Change,
  { provider, config, force }: KeptConfiguration,
  kept: Pick<CaConfigurationRow, "cluster_id" | "serial" | "create_index">,
): void {
  change.table(caConfigurationTable).put({
    id: theOne,
    cluster_id: kept.cluster_id,
    provider,
    config: JSON.stringify(config),
    force: force ? 1 : 0,
    serial: kept.serial,
    create_index: kept.create_index,
    modify_index: change.index,
  });
  change.meta.bump(caConfigurationIndex, change.index);
  change.touch(caTopic);
}

function activate(change: Change, { root, privateKey, given }: NewRoot): void {
  putActiveRoot(change, root);
  keepKey(change, { root_id: root.ID, given: given ? 1 : 0, private_key: privateKey }, null);
}

/** Every other root is a former one from now on. */
export function putActiveRoot(change: Change, root: CaRoot): void {
  const roots = change.table(caRootTable);
  for (const row of allRoots(change)) {
    const rotatedOut = row.active === 1 ? change.nowMs : row.rotated_out_ms;
    roots.put({ ...row, active: 0, rotated_out_ms: rotatedOut, modify_index: change.index });
  }
  const before = roots.get(root.ID);
  roots.put({
    id: root.ID,
    active: 1,
    rotated_out_ms: 0,
    create_index: before?.create_index ?? change.index,
    modify_index: change.index,
    body: JSON.stringify(root),
  });
  touchRoots(change);
}

/** The only key from now on, with the certificate by which it signs where that is not the root. */
export function keepKey(
  change: Change,
  key: CaKeyRow,
  intermediate: { renewMs: number; certificate: string } | null,
): void {
  const { root_id: id } = key;
  const keys = change.table(caKeyTable);
  keys.removeWhere("root_id != ?", id);
  keys.put(key);
  const intermediates = change.table(caIntermediateTable);
  intermediates.removeWhere("root_id != ?", intermediate ? id : noRoot);
  if (!intermediate) return;
  const { renewMs, certificate } = intermediate;
  intermediates.put({ root_id: id, renew_ms: renewMs, certificate });
}

function touchRoots(change: Change): void {
  change.meta.bump(caRootsIndex, change.index);
  change.touch(caTopic);
}

// Queries

export function findCaConfiguration(state: State): CaConfigurationRow | undefined {
  return state.table(caConfigurationTable).get(theOne);
}

/** Throws ServiceError in Consul's words while there is no authority. */
export function requireCa(state: State): CaConfigurationRow {
  const row = findCaConfiguration(state);
  if (row) return row;
  throw new ServiceError("invalid", "Connect must be enabled in order to use this endpoint");
}

export function allRoots(state: State): CaRootRow[] {
  return state.table(caRootTable).select("ORDER BY id");
}

export function findActiveRoot(state: State): CaRootRow | undefined {
  return state.table(caRootTable).select("WHERE active = 1 ORDER BY id")[0];
}

export function rootOf(row: CaRootRow): CaRoot {
  return JSON.parse(row.body) as CaRoot;
}

/** Everything that signing takes, for the leader. Never to be answered, logged or put into an error. */
export interface CaSigner {
  clusterId: string;
  configuration: KeptConfiguration;
  root: CaRoot;
  /** By what the key signs; null: the root. */
  intermediate: CaIntermediateRow | null;
  privateKey: string;
  given: boolean;
}

export function findSigner(state: State): CaSigner | null {
  const row = findCaConfiguration(state);
  const active = findActiveRoot(state);
  const key = active && state.table(caKeyTable).get(active.id);
  if (!row || !active || !key) return null;
  return {
    clusterId: row.cluster_id,
    configuration: configurationOf(row),
    root: rootOf(active),
    intermediate: state.table(caIntermediateTable).get(active.id) ?? null,
    privateKey: key.private_key,
    given: key.given === 1,
  };
}

/** Throws ServiceError in Consul's words while nothing can be signed. */
export function requireSigner(state: State): CaSigner {
  requireCa(state);
  const signer = findSigner(state);
  if (!signer) throw new ServiceError("invalid", "internal error: CA root is nil");
  return signer;
}

export function configurationOf({
  provider,
  config,
  force,
}: CaConfigurationRow): KeptConfiguration {
  return {
    provider,
    config: JSON.parse(config) as Record<string, JsonValue>,
    force: force === 1,
  };
}

/** Leader time at which the first of the replaced roots was replaced; null when there is none. */
export function oldestRotationMs(state: State): number | null {
  const [row] = state
    .table(caRootTable)
    .select("WHERE active = 0 ORDER BY rotated_out_ms, id LIMIT 1");
  return row?.rotated_out_ms ?? null;
}
