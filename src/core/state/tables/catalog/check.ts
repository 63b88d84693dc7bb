// Changes of health checks. A check belongs to one of its node's instances or to the node itself.

import { ServiceError } from "../../../model/errors.ts";
import * as indexes from "./indexes.ts";
import { encode } from "../../../model/schema.ts";
import { healthCheckFieldsSchema } from "../../../model/schemas.ts";
import type { HealthCheckFields } from "../../../model/types.ts";
import { checkTable, findCheck } from "./check-rows.ts";
import type { CheckRow } from "./check-rows.ts";
import { checkLost } from "./events.ts";
import { nameKey } from "../../rows.ts";
import type { Change } from "../../state.ts";
import { bumpService, bumpServicesOfNodeCheck } from "./service-index.ts";
import { findService, serviceOf } from "./service-rows.ts";
import type { ServiceRow } from "./service-rows.ts";
import { catalogTopics } from "./topics.ts";

/**
 * Inserts or updates a check on a node that exists; an identical one moves only the table's index. Throws
 * ServiceError when the instance it speaks about is not registered.
 */
export function putCheck(change: Change, check: HealthCheckFields): CheckRow {
  const nodeKey = nameKey(check.Node);
  const service = check.ServiceID === "" ? null : findService(change, nodeKey, check.ServiceID);
  if (service === undefined) throw new ServiceError("invalid", "Missing service registration");
  if (check.CheckID === "") {
    throw new ServiceError("invalid", "failed inserting check: object missing primary index");
  }
  const existing = findCheck(change, nodeKey, check.CheckID);
  const row = checkRow(change, check, existing, service);
  const changed = existing?.body !== row.body || existing.tags_absent !== row.tags_absent;
  if (changed) {
    // The service it spoke about so far must hear that it moved away.
    if (existing && existing.service_key !== row.service_key) {
      change.table(checkTable).remove(nodeKey, existing.service_key, existing.check_key);
      bumpSubject(change, existing);
    }
    change.table(checkTable).put(row);
    bumpSubject(change, row, service);
  }
  touchCheck(change, row, existing);
  if (row.status === "critical" && existing?.status !== "critical") {
    change.emit(checkLost, { node: nodeKey, check: check.CheckID });
  }
  return changed ? row : (existing ?? row);
}

/** Removes a check; false when there is none. */
export function removeCheck(change: Change, node: string, check: string): boolean {
  const row = findCheck(change, node, check);
  if (!row) return false;
  change.table(checkTable).remove(row.node_key, row.service_key, row.check_key);
  bumpSubject(change, row);
  if (row.service_key === "") change.meta.bump(indexes.services, change.index);
  touchCheck(change, row);
  change.emit(checkLost, { node: row.node_key, check: row.check_key });
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
  change.meta.bump(indexes.checks, change.index);
  change.touch(
    catalogTopics.checks,
    catalogTopics.checksOfNode(row.node_key),
    catalogTopics.checksOfService(row.name_key),
    catalogTopics.checksInState(row.status),
  );
  if (before && before.status !== row.status)
    change.touch(catalogTopics.checksInState(before.status));
  if (before && before.name_key !== row.name_key) {
    change.touch(catalogTopics.checksOfService(before.name_key));
  }
}
