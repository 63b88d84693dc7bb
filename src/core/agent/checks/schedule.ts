// When things about a check are due: its first run, the end of its TTL, the sync of an output that
// changed without its status, and the removal of a service that stayed critical too long. Formulas
// only; whoever hosts an agent owns the clock.

import type { Random } from "../../lib/random.ts";

/**
 * A service is removed no sooner than this after it turned critical, whatever its check asks for.
 */
export const deregisterAfterMsMin = 60_000;
/** The reaper looks this often. */
export const reapIntervalMs = 30_000;

/** Spreads the first runs of many checks over their interval. */
export function firstRunDelayMs(intervalMs: number, random: Random): number {
  return Math.floor(random.next() * intervalMs);
}

/**
 * Delay after which an output-only change is synced: uniform in [1/2, 3/2) of the configured
 * interval.
 */
export function outputSyncDelayMs(checkUpdateIntervalMs: number, random: Random): number {
  return checkUpdateIntervalMs / 2 + random.next() * checkUpdateIntervalMs;
}

/**
 * The reaper's first look (it counts from `startMs`) at which the check has been critical for long
 * enough.
 */
export function reapAtMs(criticalSinceMs: number, afterMs: number, startMs: number): number {
  const dueMs = criticalSinceMs + Math.max(afterMs, deregisterAfterMsMin);
  return startMs + Math.ceil((dueMs - startMs) / reapIntervalMs) * reapIntervalMs;
}

/** Output of a TTL check that was not renewed in time. */
export function ttlExpiredOutput(lastOutput: string): string {
  return lastOutput === ""
    ? "TTL expired"
    : `TTL expired (last output before timeout follows): ${lastOutput}`;
}
