// The worst of several check statuses, as weights see it.

export type HealthCheckStatus = "passing" | "warning" | "critical";

export function aggregatedStatus(statuses: readonly string[]): HealthCheckStatus {
  if (statuses.includes("critical")) return "critical";
  return statuses.includes("warning") ? "warning" : "passing";
}
