// How often an agent compares itself with the catalog. The larger the datacenter, the longer the
// spread, so that ten thousand agents do not ask in the same second. Formulas of Consul 1.8; the
// host of the agent owns the timer.

import type { Random } from "../lib/random.ts";

const fullSyncMs = 60_000;
const retryMs = 15_000;
/** Up to this many nodes the intervals are not stretched. */
const nodesUnscaled = 128;

/** 1 for at most 128 nodes, then one more for each doubling. */
export function scaleFactor(nodes: number): number {
  if (nodes <= nodesUnscaled) return 1;
  return Math.ceil(Math.log2(nodes) - Math.log2(nodesUnscaled)) + 1;
}

/** Time until the next full sync. */
export function intervalMs(nodes: number, random: Random): number {
  return fullSyncMs + random.next() * fullSyncMs * scaleFactor(nodes);
}

/** Time until a failed full sync is tried again. */
export function retryIntervalMs(nodes: number, random: Random): number {
  return retryMs + random.next() * retryMs * scaleFactor(nodes);
}
