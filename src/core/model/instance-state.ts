// How an instance of a service is, by one rule for overviews and for the web UI: as bad as the worst check that decides
// about it, which are its own, its sidecar's and its node's.

export type InstanceState = "passing" | "warning" | "critical" | "maintenance";

/** What decides about a check. */
export interface StatedCheck {
  CheckID: string;
  Status: string;
}

const nodeMaintenance = "_node_maintenance";
const serviceMaintenance = "_service_maintenance:";

export function isMaintenance({ CheckID }: Pick<StatedCheck, "CheckID">): boolean {
  return CheckID === nodeMaintenance || CheckID.startsWith(serviceMaintenance);
}

/** A state that nobody knows counts as critical, as discovery does. */
export function checkState(check: StatedCheck): InstanceState {
  const { Status: status } = check;
  if (status === "passing" || status === "warning") return status;
  return isMaintenance(check) ? "maintenance" : "critical";
}

const badness: Readonly<Record<InstanceState, number>> = {
  passing: 0,
  warning: 1,
  critical: 2,
  maintenance: 3,
};

/** Maintenance is somebody's wish, and hides what else is wrong. */
export function instanceState(checks: readonly StatedCheck[]): InstanceState {
  let worst: InstanceState = "passing";
  for (const check of checks) {
    const state = checkState(check);
    if (badness[state] > badness[worst]) worst = state;
  }
  return worst;
}
