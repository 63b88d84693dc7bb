// What every page needs to know of a datacenter, followed once for all of them.

import type { Body } from "../../client/index.ts";
import type { Live } from "../live/client.ts";
import { servers } from "../model/verdict.ts";
import type { ServerFacts } from "../model/verdict.ts";
import { apiPath, useLive } from "./live.ts";

export type Summary = Body<"/v1/internal/ui/services", "GET">[number];
type HealthRows = Body<"/v1/health/service/{service}", "GET">;

const datacentersPollMs = 300_000;
const leaderPollMs = 60_000;

export function servicesPath(dc: string): string {
  return apiPath("internal/ui/services", { dc, instances: "true" });
}

export function useServices(dc: string): Live<Summary[]> {
  return useLive<Summary[]>(servicesPath(dc), { rowKey: "Name" });
}

/** Null while nothing is known. */
export function useServers(dc: string): ServerFacts | null {
  const leader = useLive<string>(apiPath("status/leader", { dc }), {
    priority: 2,
    pollMs: leaderPollMs,
  });
  const rows = useLive<HealthRows>(apiPath("health/service/consul", { dc }), { priority: 2 });
  if (leader.body === undefined) return null;
  return servers(leader.body, rows.body ?? []);
}

export function useDatacenters(): Live<string[]> {
  return useLive<string[]>("v1/catalog/datacenters", { priority: 2, pollMs: datacentersPollMs });
}
