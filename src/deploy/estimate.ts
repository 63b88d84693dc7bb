// What a deployment will cost, from what test/worker/cost.test.ts measures and from Cloudflare's prices.

import {
  billedDollars,
  grossDollars,
  sum,
  times,
  usage,
  type Usage,
} from "../core/model/prices.ts";
import type { Deployment } from "./deployment.ts";

const daysPerMonth = 30;
const minutesPerMonth = daysPerMonth * 24 * 60;
const secondsPerMonth = minutesPerMonth * 60;
/** For which an object that was asked something is awake, in s; generous. */
const secondsPerRequest = 0.02;

/** Each server looks after the others every 10 min, a leader half as often (decision 2). */
function watchdogs(servers: number): Usage {
  return objects(servers * (minutesPerMonth / 10) * 2, servers * (minutesPerMonth / 10));
}

/** A pool with agents looks at their pings every 25 s at most. */
const sweeps = objects(secondsPerMonth / 25, secondsPerMonth / 25);

/** Commands that agents cause by coming and going, and by coordinates that moved: a few an hour. */
function agentsOf(count: number): Usage {
  return times(write(3), count * daysPerMonth * 2);
}

/** A lone write: what asks, an append and its stand-down to every other server, about 2.5 rows at each. */
function write(servers: number): Usage {
  const requests = 2 + 2 * (servers - 1);
  return sum(objects(requests, 2.5 * servers), usage({ workerRequests: 1, workerCpuMs: 1 }));
}

/** An answer that a server gives on its own: a stale read, a question of DNS. */
const read = sum(objects(1, 0), usage({ workerRequests: 1, workerCpuMs: 1 }));

function objects(requests: number, rowsWritten: number): Usage {
  return usage({
    objectRequests: requests,
    objectSeconds: requests * secondsPerRequest,
    rowsWritten,
  });
}

export interface Month {
  what: string;
  /** As if the plan included nothing. */
  gross: number;
  /** With the plan, if the account does nothing else. */
  billed: number;
}

export function estimate({ datacenters }: Deployment): Month[] {
  const counts = Object.values(datacenters).map(({ regions }) => regions.length);
  const idle = sum(...counts.map(watchdogs));
  const agents = sum(idle, times(sweeps, counts.length), agentsOf(1_000));
  const largest = Math.max(...counts);
  const busy = sum(
    agents,
    times(write(largest), secondsPerMonth / 10),
    times(read, secondsPerMonth * 10),
  );
  return [
    month("idle", idle),
    month("1,000 hosts with agents, idle", agents),
    month("the same with a write every 10 s and 10 reads or DNS questions every second", busy),
  ];
}

function month(what: string, work: Usage): Month {
  return { what, gross: grossDollars(work), billed: billedDollars(work) };
}
