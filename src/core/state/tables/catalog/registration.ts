// Registering and deregistering: what `PUT /v1/catalog/register` does to nodes, services and checks, all of it
// or nothing. What a registration must look like is `core/model/registration.ts`.

import { ServiceError } from "../../../model/errors.ts";
import { metaProblem } from "../../../model/registration.ts";
import type {
  Deregistration,
  HealthCheckFields,
  NodeServiceDefinition,
} from "../../../model/types.ts";
import type { Registration } from "../../../model/types.ts";
import type { CheckRow } from "./check-rows.ts";
import { putCheck, removeCheck } from "./check.ts";
import { findNode } from "./node-rows.ts";
import { putNode, removeNode } from "./node.ts";
import type { Change } from "../../state.ts";
import { putService, removeService } from "./service.ts";
import type { ServiceRow } from "./service-rows.ts";

/** Applies a registration that `completeRegistration` has completed. Throws ServiceError: nothing was done. */
export function register(change: Change, registration: Registration): void {
  const { Node: node } = registration;
  if (!registration.SkipNodeUpdate || !findNode(change, node)) {
    prefixed("failed inserting node", () =>
      putNode(change, {
        ID: registration.ID,
        Node: node,
        Address: registration.Address,
        Datacenter: registration.Datacenter === "" ? change.datacenter : registration.Datacenter,
        TaggedAddresses: registration.TaggedAddresses,
        Meta: registration.NodeMeta,
      }),
    );
  }
  const { Service: service } = registration;
  if (service) {
    prefixed("failed inserting service", () => registerService(change, node, service));
  }
  for (const check of registration.Checks ?? []) {
    if (check.Node !== node) {
      const names = `${JSON.stringify(check.Node)} does not match node ${JSON.stringify(node)}`;
      throw new ServiceError("invalid", `check node ${names}`);
    }
    prefixed(
      "failed inserting check",
      () => registerCheck(change, check),
      ` on node ${JSON.stringify(node)}`,
    );
  }
}

/** Puts an instance on a node, which must be registered. */
export function registerService(
  change: Change,
  node: string,
  service: NodeServiceDefinition,
): ServiceRow {
  const problem = metaProblem(service.Meta);
  if (problem !== null) {
    const where = `for node ${node} and serviceID ${service.ID}`;
    throw new ServiceError("invalid", `Invalid Service Meta ${where}: ${problem}`);
  }
  if (!findNode(change, node)) throw new ServiceError("invalid", "Missing node registration");
  return putService(change, node, service);
}

/** Puts a check on its node, which must be registered. */
export function registerCheck(change: Change, check: HealthCheckFields): CheckRow {
  if (!findNode(change, check.Node)) throw new ServiceError("invalid", "Missing node registration");
  return putCheck(change, check);
}

/** Removes one service, one check, or the whole node; what is not there is no error. */
export function deregister(change: Change, deregistration: Deregistration): void {
  const { Node: node, ServiceID: service, CheckID: check } = deregistration;
  if (service !== "") removeService(change, node, service);
  else if (check !== "") removeCheck(change, node, check);
  else removeNode(change, node);
}

/** Runs one step of a registration; its refusal is reported as that step's. */
function prefixed(prefix: string, step: () => unknown, suffix = ""): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError(error.code, `${prefix}: ${error.message}${suffix}`);
  }
}
