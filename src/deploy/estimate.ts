// What a deployment will cost, from its work (workload.ts) and from Cloudflare's prices.

import { billedDollars, grossDollars, sum, times, type Usage } from "../core/model/prices.ts";
import {
  edgeCheck,
  idleAgents,
  idleDatacenter,
  loneWrite,
  plainRead,
  secondsPerMonth,
} from "../core/model/workload.ts";
import type { Deployment } from "./deployment.ts";

export interface Month {
  what: string;
  /** As if the plan included nothing. */
  gross: number;
  /** With the plan, if the account does nothing else. */
  billed: number;
}

const agents = 1_000;

export function estimate({ datacenters }: Deployment): Month[] {
  const counts = Object.values(datacenters).map(({ regions }) => regions.length);
  const idle = sum(...counts.map(idleDatacenter));
  const hosts = counts.map((servers) => idleAgents(agents, { servers, pools: 1 }));
  const withHosts = sum(idle, ...hosts);
  const busy = sum(
    withHosts,
    times(loneWrite(Math.max(...counts)), secondsPerMonth / 10),
    times(plainRead, secondsPerMonth * 10),
  );
  return [
    month("idle", idle),
    month("1,000 hosts with agents, idle", withHosts),
    month("the same with a write every 10 s and 10 reads or DNS questions every second", busy),
    month("one HTTP check a minute from the edge, for each region", edgeCheck(1)),
  ];
}

function month(what: string, work: Usage): Month {
  return { what, gross: grossDollars(work), billed: billedDollars(work) };
}
