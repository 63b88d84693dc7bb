// How services are, by one rule for every page: what their instances together still serve.

import type { InstanceState } from "../../core/model/instance-state.ts";

export type ServiceState = InstanceState | "degraded" | "down" | "empty";

export function serves(state: InstanceState): boolean {
  return state === "passing" || state === "warning";
}

/** How many instances are in each state. */
export type InstanceCounts = Readonly<Record<InstanceState, number>>;

export function countStates(states: readonly InstanceState[]): InstanceCounts {
  const counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 };
  for (const state of states) counts[state] += 1;
  return counts;
}

export function serviceState(counts: InstanceCounts): ServiceState {
  const { passing, warning, critical, maintenance } = counts;
  const serving = passing + warning;
  if (serving + critical + maintenance === 0) return "empty";
  if (serving === 0) return critical === 0 ? "maintenance" : "down";
  if (critical > 0) return "degraded";
  return warning > 0 ? "warning" : "passing";
}

/** What is read of a service in a list. */
export interface SummaryFacts {
  InstanceCount: number;
  ChecksPassing: number;
  ChecksWarning: number;
  ChecksCritical: number;
  InstancesPassing?: number;
  InstancesWarning?: number;
  InstancesCritical?: number;
  InstancesMaintenance?: number;
}

/** Null where the API counts checks only, as Consul's does. */
export function countsOf(summary: SummaryFacts): InstanceCounts | null {
  const {
    InstancesPassing: passing = 0,
    InstancesWarning: warning = 0,
    InstancesCritical: critical = 0,
    InstancesMaintenance: maintenance = 0,
  } = summary;
  const known = passing + warning + critical + maintenance;
  return known === 0 && summary.InstanceCount > 0
    ? null
    : { passing, warning, critical, maintenance };
}

/** From counts of checks nobody can say whether anything still serves: the worst that there is. */
export function summaryState(summary: SummaryFacts): ServiceState {
  const counts = countsOf(summary);
  if (counts) return serviceState(counts);
  if (summary.ChecksCritical > 0) return "critical";
  return summary.ChecksWarning > 0 ? "warning" : "passing";
}

/** Worst first. */
export const stateOrder: Readonly<Record<ServiceState, number>> = {
  down: 0,
  critical: 1,
  degraded: 2,
  warning: 3,
  maintenance: 4,
  empty: 5,
  passing: 6,
};
