// How often an agent compares itself with the catalog. The larger the datacenter, the longer the
// spread, so that ten thousand agents do not ask in the same second. Formulas of Consul 1.8; the
// host of the agent owns the timer.

import type { Random } from "../lib/random.ts";

const hourMs = 3_600_000;

/** How often an agent asks for what it would be told anyway. */
export interface SyncPace {
  /** The shortest time between two full syncs. */
  fullSyncMs: number;
  /** How long one wait for a change lasts before it is begun anew. */
  waitMs: number;
  /** Waits for changes of its node's checks, as it does for those of services: then no full sync has to find them. */
  watchesChecks: boolean;
}

/** With servers of one's own, as Consul does it. */
export const hostedPace: SyncPace = { fullSyncMs: 60_000, waitMs: 600_000, watchesChecks: false };

/**
 * With a deployment, where every question wakes objects that sleep: a full sync a minute is $5 a month for a thousand
 * agents. A change elsewhere ends a wait, and a link that opens begins with a full sync, so the clock is for mistakes.
 */
export const deployedPace: SyncPace = {
  fullSyncMs: 6 * hourMs,
  waitMs: 12 * hourMs,
  watchesChecks: true,
};

const retryMs = 15_000;
/** Up to this many nodes the intervals are not stretched. */
const nodesUnscaled = 128;

/** 1 for at most 128 nodes, then one more for each doubling. */
export function scaleFactor(nodes: number): number {
  if (nodes <= nodesUnscaled) return 1;
  return Math.ceil(Math.log2(nodes) - Math.log2(nodesUnscaled)) + 1;
}

/** Time until the next full sync. */
export function intervalMs(
  nodes: number,
  random: Random,
  { fullSyncMs }: Pick<SyncPace, "fullSyncMs"> = hostedPace,
): number {
  return fullSyncMs + random.next() * fullSyncMs * scaleFactor(nodes);
}

/** Time until a failed full sync is tried again. */
export function retryIntervalMs(nodes: number, random: Random): number {
  return retryMs + random.next() * retryMs * scaleFactor(nodes);
}
