// Turns definitions into the rows that the catalog is to hold: fills in what Consul fills in (ids,
// names, weights, tagged addresses), and the check of maintenance mode.

import { healthCheckDefinitionSchema } from "../model/schemas.ts";
import { zeroStruct } from "../model/schema.ts";
import type { HealthCheck, HealthCheckDefinition, NodeServiceDefinition } from "../model/types.ts";
import { checkType, type CheckDefinition, type ServiceDefinition } from "./definitions.ts";
import { nodeMaintenanceId, serviceMaintenancePrefix } from "./health.ts";
import { isIpv4, isIpv6 } from "./ip-address.ts";

/** A service as the catalog gets it. */
export function filledService(wanted: NodeServiceDefinition): NodeServiceDefinition {
  const service = {
    ...wanted,
    ID: wanted.ID === "" ? wanted.Service : wanted.ID,
    Tags: wanted.Tags ?? [],
    Weights: wanted.Weights ?? { Passing: 1, Warning: 1 },
  };
  const tagged = taggedAddresses(service);
  return { ...service, TaggedAddresses: Object.keys(tagged).length > 0 ? tagged : null };
}

function taggedAddresses(
  service: NodeServiceDefinition,
): NonNullable<NodeServiceDefinition["TaggedAddresses"]> {
  const { Address, Port } = service;
  const family = isIpv4(Address) ? "ipv4" : isIpv6(Address) ? "ipv6" : null;
  const own = { Address, Port };
  const derived = family === null ? {} : { [`lan_${family}`]: own, [`wan_${family}`]: own };
  return { ...derived, ...service.TaggedAddresses };
}

/** The checks of a service, each with its id, name, service and token filled in. */
export function filledServiceChecks(
  definition: ServiceDefinition,
  service: NodeServiceDefinition,
): CheckDefinition[] {
  const several = definition.checks.length > 1;
  return definition.checks.map((check, index) => ({
    ...check,
    checkId: check.checkId || `service:${service.ID}${several ? `:${index + 1}` : ""}`,
    name: check.name || `Service '${service.Service}' check`,
    serviceId: service.ID,
    token: check.token || definition.token,
  }));
}

const noDefinition = zeroStruct(healthCheckDefinitionSchema) as unknown as HealthCheckDefinition;

interface CheckRow {
  node: string;
  id: string;
  name: string;
  notes: string;
  type: string;
  /** Null for a check of the node. */
  service: NodeServiceDefinition | null;
}

function checkRow(row: CheckRow, status: string): HealthCheck {
  return {
    Node: row.node,
    CheckID: row.id,
    Name: row.name,
    Status: status,
    Notes: row.notes,
    Output: "",
    ServiceID: row.service?.ID ?? "",
    ServiceName: row.service?.Service ?? "",
    ServiceTags: row.service?.Tags ?? [],
    Type: row.type,
    // How an agent runs its checks is its own affair: Consul does not tell the catalog either.
    Definition: noDefinition,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** The row of a check whose definition has been filled. */
export function definedCheck(
  definition: CheckDefinition,
  node: string,
  service: NodeServiceDefinition | null,
): HealthCheck {
  const { checkId: id, name, notes } = definition;
  const type = checkType(definition) ?? "";
  return checkRow({ node, id, name, notes, type, service }, definition.status || "critical");
}

function defaultReason(subject: "node" | "service"): string {
  return (
    `Maintenance mode is enabled for this ${subject}, but no reason was provided. ` +
    "This is a default message."
  );
}

/** The check that keeps a service, or with null the whole node, out of use. `reason` may be "". */
export function maintenanceCheck(
  node: string,
  service: NodeServiceDefinition | null,
  reason: string,
): HealthCheck {
  const subject = service === null ? "node" : "service";
  return checkRow(
    {
      node,
      id: maintenanceId(service),
      name: service === null ? "Node Maintenance Mode" : "Service Maintenance Mode",
      notes: reason === "" ? defaultReason(subject) : reason,
      type: "maintenance",
      service,
    },
    "critical",
  );
}

export function maintenanceId(service: NodeServiceDefinition | null): string {
  return service === null ? nodeMaintenanceId : serviceMaintenancePrefix + service.ID;
}
