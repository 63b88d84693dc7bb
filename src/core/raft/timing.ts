// Timing presets. All durations are milliseconds of the local clock. The trade-off is always the
// same: short timeouts find a dead leader sooner and call needless elections more often.
//
// A lease is 0.75 of the smallest election timeout: clocks may drift apart by a third of their rate
// before a lease can outlive the promise of the voters it rests on.

export interface Timing {
  /** Leader's heartbeat period; null: none, the leader speaks only when it has something to say.
   * Costs (members - 1) messages each. */
  heartbeatMs: number | null;
  /** A voter that heard from its leader within this time refuses every other candidate. */
  electionMinMs: number;
  /** Election timers are drawn from [electionMinMs, electionMaxMs). */
  electionMaxMs: number;
  /** How long leadership holds after the send of a round that a majority confirmed. */
  leaseMs: number;
  /** First wait before an unanswered append or chunk is sent again; doubles up to retryMaxMs. */
  retryMinMs: number;
  retryMaxMs: number;
  /** Period after which a silent peer checks its leader or its followers; null: never. Jittered
   * by up to a half more. */
  watchdogMs: number | null;
  /** Quiescent mode: how long a call to the leader may take before it counts as unreachable. */
  leaderReachMs: number;
  /** An old instance may run on beside its successor (Durable Objects): a round that confirms
   * reads, or starts a lease, must be preceded by a durable write, which only the newest can do. */
  fenced: boolean;
}

const leaseShare = 0.75;

function timing(options: Omit<Timing, "leaseMs">): Timing {
  return { ...options, leaseMs: options.electionMinMs * leaseShare };
}

/** Self-hosted, separate processes: a killed leader is replaced within a second. */
export const lan: Timing = timing({
  heartbeatMs: 100,
  electionMinMs: 500,
  electionMaxMs: 1000,
  retryMinMs: 250,
  retryMaxMs: 5000,
  watchdogMs: null,
  leaderReachMs: 500,
  fenced: false,
});

/** All servers in one process and one thread: no failover is possible, so be patient. */
export const local: Timing = timing({
  heartbeatMs: 1000,
  electionMinMs: 5000,
  electionMaxMs: 10_000,
  retryMinMs: 2000,
  retryMaxMs: 20_000,
  watchdogMs: null,
  leaderReachMs: 5000,
  fenced: false,
});

/** Cloudflare: quiescent. No heartbeats, no election timers; failure is found by use. */
export const edge: Timing = timing({
  heartbeatMs: null,
  electionMinMs: 2000,
  electionMaxMs: 4000,
  retryMinMs: 1000,
  retryMaxMs: 600_000,
  watchdogMs: 600_000,
  leaderReachMs: 2000,
  fenced: true,
});

export function isQuiescent(timing: Timing): boolean {
  return timing.heartbeatMs === null;
}

/** A deadline for a voter's patience, different on every draw so that votes rarely split. */
export function electionTimeoutMs(timing: Timing, fraction: number): number {
  return timing.electionMinMs + fraction * (timing.electionMaxMs - timing.electionMinMs);
}

/** Between one and one and a half watchdog periods: never more often than the period says. */
export function watchdogDelayMs(watchdogMs: number, fraction: number): number {
  return watchdogMs * (1 + fraction / 2);
}
