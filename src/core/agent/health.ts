// Verdicts about several checks at once: the aggregated status of a service, as
// `/v1/agent/health/service/*` tells it, and the result of an alias check, which takes the worst
// status of the checks it stands for.

import type { HealthCheck } from "../model/types.ts";
import { isAlias, type CheckDefinition, type CheckStatus } from "./definitions.ts";

export type AggregatedStatus = CheckStatus | "maintenance";

export const nodeMaintenanceId = "_node_maintenance";
export const serviceMaintenancePrefix = "_service_maintenance:";

const severity: Record<AggregatedStatus, number> = {
  passing: 0,
  warning: 1,
  critical: 2,
  maintenance: 3,
};

/** `maintenance` for a check that maintenance mode put there, whatever its status. */
export function effectiveStatus(check: HealthCheck): AggregatedStatus {
  const { CheckID: id, Status: status } = check;
  if (id === nodeMaintenanceId || id.startsWith(serviceMaintenancePrefix)) return "maintenance";
  // The catalog takes any word for a status; one that nobody knows is not counted, as in Consul.
  return status === "warning" || status === "critical" ? status : "passing";
}

/** The worst of the checks; passing when there are none. */
export function aggregateStatus(checks: Iterable<HealthCheck>): AggregatedStatus {
  let worst: AggregatedStatus = "passing";
  for (const check of checks) {
    const status = effectiveStatus(check);
    if (severity[status] > severity[worst]) worst = status;
  }
  return worst;
}

export interface AliasResult {
  status: CheckStatus;
  output: string;
}

/**
 * What an alias check says, given all checks of the node it looks at. Checks of the node count as
 * well as those of the service; the alias itself does not, or it could never recover.
 */
export function aliasResult(
  alias: { checkId: string; aliasService: string; aliasNode: string },
  target: { checks: Iterable<HealthCheck>; serviceExists: boolean },
): AliasResult {
  if (alias.aliasService !== "" && !target.serviceExists) {
    return {
      status: "critical",
      output: `Service ${alias.aliasService} could not be found on node ${alias.aliasNode}`,
    };
  }
  let result: AliasResult = { status: "passing", output: "No checks found." };
  for (const check of target.checks) {
    if (check.CheckID === alias.checkId) continue;
    if (check.ServiceID !== "" && check.ServiceID !== alias.aliasService) continue;
    if (check.Status === "critical" || check.Status === "warning") {
      const output = `Aliased check "${check.Name}" failing: ${check.Output}`;
      if (check.Status === "critical") return { status: "critical", output };
      result = { status: "warning", output };
    } else if (result.status === "passing") {
      result.output = "All checks passing.";
    }
  }
  return result;
}

/** True when the alias looks at this very node, so that local changes decide it at once. */
export function isLocalAlias(check: CheckDefinition, nodeName: string): boolean {
  return isAlias(check) && (check.aliasNode === "" || check.aliasNode === nodeName);
}
