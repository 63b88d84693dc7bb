// Is everything all right? One line for a whole datacenter.

import { countsOf, summaryState } from "./status.ts";
import type { ServiceState, SummaryFacts } from "./status.ts";

export interface Verdict {
  services: number;
  byState: Readonly<Record<ServiceState, number>>;
  /** The API counts instances, so that it is known whether a service still serves. */
  countsInstances: boolean;
}

export function verdict(summaries: readonly SummaryFacts[]): Verdict {
  const byState: Record<ServiceState, number> = {
    passing: 0,
    warning: 0,
    critical: 0,
    maintenance: 0,
    degraded: 0,
    down: 0,
    empty: 0,
  };
  for (const summary of summaries) byState[summaryState(summary)] += 1;
  const countsInstances = summaries.every((summary) => countsOf(summary) !== null);
  return { services: summaries.length, byState, countsInstances };
}

/** What is wrong, worst first. */
export const wrongStates = ["down", "critical", "degraded", "warning"] as const;

export interface ServerFacts {
  /** Name of the leader's node, or its address where no node has it; "" for none. */
  leader: string;
  well: number;
  all: number;
}

export interface ServerRow {
  Node: { Node: string; Address: string };
  Service: { Address: string; Port: number };
  Checks: readonly { Status: string }[] | null;
}

/** `leader`: its address, as `/v1/status/leader` says it. `rows`: instances of the service `consul`. */
export function servers(leader: string, rows: readonly ServerRow[]): ServerFacts {
  const isWell = ({ Checks }: ServerRow): boolean =>
    (Checks ?? []).every(({ Status }) => Status === "passing");
  const found = rows.find(({ Node, Service }) => {
    const host = Service.Address === "" ? Node.Address : Service.Address;
    return `${host.includes(":") ? `[${host}]` : host}:${Service.Port}` === leader;
  });
  return {
    leader: found?.Node.Node ?? leader,
    well: rows.filter(isWell).length,
    all: rows.length,
  };
}
