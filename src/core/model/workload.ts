// What a deployment has to do, in the units that Cloudflare bills, as an upper bound of what tests of costs measure:
// test/worker/idle-cost.test.ts, cost.test.ts and checker-cost.test.ts compare it with what objects really did.

import { secondsPerRequest, sum, times, type Usage, usage } from "./prices.ts";

const minutesPerMonth = 30 * 24 * 60;
export const secondsPerMonth = minutesPerMonth * 60;
/** What a server reads when it wakes up, before what it is asked for. */
const rowsPerWake = 50;
/** Sweeps of a pool whose agents are well: one every 25 s at the most, when their pings are spread evenly. */
const sweepSeconds = 25;
/** Frames that an agent of a deployment sends a month while nothing happens: full syncs, and waits begun anew. */
export const framesPerAgentMax = 450;

/** A month of a datacenter in which nothing happens: each server looks after the others every 10 min. */
export function idleDatacenter(servers: number): Usage {
  const wakes = servers * (minutesPerMonth / 10);
  return sum(objects(2 * wakes, wakes), usage({ rowsRead: 2 * wakes * rowsPerWake }));
}

/** A month of so many agents that are well: pools look at their pings, and a leader that wakes up at their checks. */
export function idleAgents(agents: number, { servers, pools }: Group): Usage {
  const sweeps = pools * (secondsPerMonth / sweepSeconds);
  const frames = agents * framesPerAgentMax;
  return sum(
    objects(sweeps, sweeps),
    usage({ rowsRead: (sweeps * agents) / pools }),
    usage({ rowsRead: idleDatacenter(servers).objectRequests * agents }),
    // Most of them make a follower ask its leader how far it is.
    usage({ objectRequests: frames / 20 + frames, objectSeconds: 2 * frames * secondsPerRequest }),
    usage({ rowsRead: 2 * frames * rowsPerWake }),
  );
}

export interface Group {
  servers: number;
  pools: number;
}

/** A lone write: what asks, an append and its stand-down to every other server, about 3 rows at each, and alarms. */
export function loneWrite(servers: number): Usage {
  const requests = 2 + 2 * (servers - 1);
  return sum(
    objects(requests, 4 * servers),
    usage({ workerRequests: 1, workerCpuMs: 1, rowsRead: servers * rowsPerWake }),
  );
}

/** An answer that a server gives on its own: a stale read, a question of DNS. */
export const plainRead: Usage = sum(
  objects(1, 0),
  usage({ workerRequests: 1, workerCpuMs: 1, rowsRead: rowsPerWake }),
);

/** A month of an HTTP check once a minute, from so many regions: a lookup now and then, and a service's own time. */
export function edgeCheck(regions: number): Usage {
  const secondsPerRun = 0.25;
  const each = objects(minutesPerMonth, 1.1 * minutesPerMonth);
  const awake = usage({ objectSeconds: minutesPerMonth * secondsPerRun });
  return times(sum(each, awake, usage({ rowsRead: minutesPerMonth * 10 })), regions);
}

function objects(requests: number, rowsWritten: number): Usage {
  return usage({
    objectRequests: requests,
    objectSeconds: requests * secondsPerRequest,
    rowsWritten,
  });
}
