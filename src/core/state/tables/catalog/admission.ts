// What is decided about a registration before it enters the log: is it whole, and may this token do it.

import { ServiceError } from "../../../model/errors.ts";
import { completeRegistration } from "../../../model/registration.ts";
import type { Deregistration, Registration } from "../../../model/types.ts";
import type { Admission } from "../../area.ts";
import type { State } from "../../state.ts";
import { findCheck } from "./check-rows.ts";
import { findNode, nodeOf } from "./node-rows.ts";
import { findService, serviceOf } from "./service-rows.ts";

type Permit = Admission["permit"];

export function admitRegistration(
  given: { registration: Registration },
  { permit, state }: Admission,
): { registration: Registration } {
  requireDatacenter(state, given.registration.Datacenter);
  const registration = completeRegistration(given.registration);
  permitRegistration(registration, permit, state);
  return { registration };
}

export function admitDeregistration(
  given: { deregistration: Deregistration },
  { permit, authorizer, state }: Admission,
): { deregistration: Deregistration } {
  const { Datacenter: datacenter, Node: node, ServiceID: service } = given.deregistration;
  requireDatacenter(state, datacenter);
  if (node === "") throw new ServiceError("invalid", "Must provide node");
  // Whoever may change the node may take anything from it.
  if (authorizer.allows("node", node, "write")) return given;
  if (service !== "") {
    const row = findService(state, node, service);
    if (!row) throw new ServiceError("invalid", `Unknown service '${service}'`);
    permit("service", serviceOf(row).Service, "write");
    return given;
  }
  const { CheckID: checkId } = given.deregistration;
  const check = checkId === "" ? undefined : findCheck(state, node, checkId);
  if (checkId !== "" && !check) throw new ServiceError("invalid", `Unknown check '${checkId}'`);
  const owner =
    check && check.service_key !== "" ? findService(state, node, check.service_key) : undefined;
  if (owner) permit("service", serviceOf(owner).Service, "write");
  else permit("node", node, "write");
  return given;
}

function requireDatacenter(state: State, datacenter: string): void {
  if (datacenter === "" || datacenter === state.datacenter) return;
  throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
}

/** Writing a node needs node:write only when the node changes; a check needs that of what it speaks about. */
function permitRegistration(registration: Registration, permit: Permit, state: State): void {
  const { Node: node, Service: service } = registration;
  if (changesNode(registration, state)) permit("node", node, "write");
  if (service) permit("service", service.Service, "write");
  if (service?.Kind === "connect-proxy" && service.Proxy) {
    permit("service", service.Proxy.DestinationServiceName, "write");
  }
  for (const check of registration.Checks ?? []) {
    const existing = findCheck(state, node, check.CheckID);
    const subject = check.ServiceID === "" ? undefined : findService(state, node, check.ServiceID);
    if (check.ServiceID === "" || (existing && existing.service_key === "")) {
      permit("node", node, "write");
    } else {
      permit("service", subject ? serviceOf(subject).Service : check.ServiceName, "write");
    }
  }
}

function changesNode(registration: Registration, state: State): boolean {
  const row = findNode(state, registration.Node);
  if (!row) return true;
  if (registration.SkipNodeUpdate) return false;
  const node = nodeOf(row);
  return (
    node.ID !== registration.ID ||
    node.Address !== registration.Address ||
    JSON.stringify(node.TaggedAddresses) !== JSON.stringify(registration.TaggedAddresses) ||
    JSON.stringify(node.Meta) !== JSON.stringify(registration.NodeMeta)
  );
}
