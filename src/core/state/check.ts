// Health checks: row, commands, queries. The primary key leads from a node and one of its instances to their
// checks (instance "" means the node itself), because that is how health is read; a secondary index finds a
// check by its id.

import type { SqlRow } from "../lib/sql.ts";
import { ServiceError } from "../model/errors.ts";
import { encode } from "../model/schema.ts";
import { healthCheckFieldsSchema } from "../model/schemas.ts";
import type { HealthCheck, HealthCheckFields } from "../model/types.ts";
import { nameKey, withIndexes } from "./schema.ts";
import type { Change, State } from "./schema.ts";
import { bumpService, bumpServicesOfNodeCheck } from "./service-index.ts";
import { findService, serviceOf } from "./service.ts";
import type { ServiceRow } from "./service.ts";
import { invalidateSessionsOfCheck } from "./session.ts";
import type { TableDefinition } from "./table.ts";
import { topics } from "./watch.ts";

export interface CheckRow extends SqlRow {
  node_key: string;
  /** Of the instance it speaks about; "" for the whole node. */
  service_key: string;
  check_key: string;
  /** Of the service's name; "" for the whole node. */
  name_key: string;
  status: string;
  /** 1: ServiceTags is null, which only transactions show. */
  tags_absent: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link HealthCheckFields}. */
  body: string;
}

export const checkTable: TableDefinition<CheckRow> = {
  name: "health_check",
  columns: {
    node_key: "TEXT NOT NULL",
    service_key: "TEXT NOT NULL",
    check_key: "TEXT NOT NULL",
    name_key: "TEXT NOT NULL",
    status: "TEXT NOT NULL",
    tags_absent: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["node_key", "service_key", "check_key"],
  indexes: { health_check_id: { unique: true, on: "ON health_check (node_key, check_key)" } },
};

// Commands

/**
 * Inserts or updates a check on a node that exists; an identical one moves only the table's index. Throws
 * ServiceError when the instance it speaks about is not registered.
 */
export function putCheck(change: Change, check: HealthCheckFields): CheckRow {
  if (check.CheckID === "") {
    throw new ServiceError("invalid", "failed inserting check: object missing primary index");
  }
  const nodeKey = nameKey(check.Node);
  const existing = findCheck(change, nodeKey, check.CheckID);
  const service = check.ServiceID === "" ? null : findService(change, nodeKey, check.ServiceID);
  if (service === undefined) throw new ServiceError("invalid", "Missing service registration");
  const row = checkRow(change, check, existing, service);
  const changed = existing?.body !== row.body || existing.tags_absent !== row.tags_absent;
  if (changed) {
    // The service it spoke about so far must hear that it moved away.
    if (existing && existing.service_key !== row.service_key) {
      change.tables.check.remove(nodeKey, existing.service_key, existing.check_key);
      bumpSubject(change, existing);
    }
    change.tables.check.put(row);
    bumpSubject(change, row, service);
  }
  touchCheck(change, row, existing);
  if (row.status === "critical" && existing?.status !== "critical") {
    invalidateSessionsOfCheck(change, nodeKey, check.CheckID);
  }
  return changed ? row : (existing ?? row);
}

/** Removes a check and the sessions bound to it; false when there is none. */
export function removeCheck(change: Change, node: string, check: string): boolean {
  const row = findCheck(change, node, check);
  if (!row) return false;
  change.tables.check.remove(row.node_key, row.service_key, row.check_key);
  bumpSubject(change, row);
  if (row.service_key === "") change.meta.bump("services", change.index);
  touchCheck(change, row);
  invalidateSessionsOfCheck(change, row.node_key, row.check_key);
  return true;
}

function checkRow(
  change: Change,
  check: HealthCheckFields,
  existing: CheckRow | undefined,
  service: ServiceRow | null,
): CheckRow {
  const status = check.Status === "" ? "critical" : check.Status;
  const subject = service && serviceOf(service);
  const tags = subject && service.tags_absent === 0 ? subject.Tags : null;
  const serviceTags = subject ? tags : check.ServiceTags;
  const body = encode(healthCheckFieldsSchema, {
    ...check,
    Status: status,
    ServiceName: subject?.Service ?? check.ServiceName,
    ServiceTags: serviceTags ?? [],
  });
  return {
    node_key: nameKey(check.Node),
    service_key: service?.service_key ?? "",
    check_key: nameKey(check.CheckID),
    name_key: nameKey(subject?.Service ?? check.ServiceName),
    status,
    tags_absent: serviceTags === null ? 1 : 0,
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    body,
  };
}

/** Moves the index of the service the check speaks about, or of all services of its node. */
function bumpSubject(change: Change, row: CheckRow, service?: ServiceRow | null): void {
  if (row.service_key === "") {
    bumpServicesOfNodeCheck(change, row.node_key);
    return;
  }
  const subject = service ?? findService(change, row.node_key, row.service_key);
  if (subject) bumpService(change, subject, "checks");
}

function touchCheck(change: Change, row: CheckRow, before?: CheckRow): void {
  change.meta.bump("checks", change.index);
  change.touch(
    topics.checks,
    topics.checksOfNode(row.node_key),
    topics.checksOfService(row.name_key),
    topics.checksInState(row.status),
  );
  if (before && before.status !== row.status) change.touch(topics.checksInState(before.status));
  if (before && before.name_key !== row.name_key) {
    change.touch(topics.checksOfService(before.name_key));
  }
}

// Queries

export function findCheck(state: State, node: string, check: string): CheckRow | undefined {
  return state.tables.check.select(
    "WHERE node_key = ? AND check_key = ? ORDER BY service_key",
    nameKey(node),
    nameKey(check),
  )[0];
}

export function checksOfNode(state: State, node: string): CheckRow[] {
  return state.tables.check.select("WHERE node_key = ? ORDER BY check_key", nameKey(node));
}

/** Checks of one instance; `service` "" for those of the node itself. */
export function checksOfService(state: State, node: string, service: string): CheckRow[] {
  return state.tables.check.select(
    "WHERE node_key = ? AND service_key = ? ORDER BY check_key",
    nameKey(node),
    nameKey(service),
  );
}

/** Checks that name a service as what they speak about, in any case. Looks at every check. */
export function checksOfServiceName(state: State, name: string): CheckRow[] {
  return state.tables.check.select(
    "WHERE name_key = ? ORDER BY node_key, check_key",
    nameKey(name),
  );
}

/** Checks in one state; all of them for `any`. */
export function checksInState(state: State, status: string): CheckRow[] {
  return status === "any"
    ? state.tables.check.select("ORDER BY node_key, check_key")
    : state.tables.check.select("WHERE status = ? ORDER BY node_key, check_key", status);
}

export function checkOf(row: CheckRow): HealthCheck {
  return JSON.parse(encodeCheckRow(row)) as HealthCheck;
}

export function encodeCheckRow(row: CheckRow): string {
  return withIndexes(row.body, row);
}
