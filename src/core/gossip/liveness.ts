// When a pool may call a member failed. Formulas only: the clock, the sockets and the rows are the pool's.
//
// The rule behind them (design §7): losing one's own memory or sockets is not evidence. Every deployment drops all
// sockets at once, so a pool is silent for a while after that, and while many members vanish together.

/** Consul's agents ping their gossip socket this often; the platform answers without waking the pool. */
export const gossipPingIntervalMs = 15_000;
/** More than this share of the members vanishing within the window is a storm. */
export const stormShare = 0.2;
export const stormWindowMs = 10_000;
/** Below this many vanished members nothing is called a storm: one of three is 33 %, and plain failure. */
export const stormMembersMin = 3;

export interface LivenessTiming {
  /** Between losing a member's socket and calling it failed, unless it comes back. */
  suspicionMs: number;
  /** A pool declares nobody failed until this long after it lost its sockets, or after a storm. */
  silenceMs: number;
  /** How often sockets that look open are checked for signs of life. Each check is an alarm, which costs money. */
  sweepIntervalMs: number;
}

/**
 * Alarms are free on one's own machine, and after a restart of the server its few agents are back within two seconds:
 * a failed host is found as fast as Consul finds it.
 */
export const hostedLiveness: LivenessTiming = {
  suspicionMs: 5_000,
  silenceMs: 10_000,
  sweepIntervalMs: 15_000,
};
/** A closed socket is noticed at once; the sweep only finds hosts that vanished without closing it. */
export const deployedLiveness: LivenessTiming = {
  suspicionMs: 30_000,
  silenceMs: 90_000,
  sweepIntervalMs: 300_000,
};

/** A socket on which three pings in a row were missed is dead. */
export function isOverdue(lastPingMs: number, nowMs: number): boolean {
  return nowMs - lastPingMs > 3 * gossipPingIntervalMs;
}

/** True when so many of `members` vanished within the window that the cause is rather on this side. */
export function isStorm(vanishedAtMs: readonly number[], members: number, nowMs: number): boolean {
  const recent = vanishedAtMs.filter((atMs) => nowMs - atMs <= stormWindowMs).length;
  return recent >= stormMembersMin && recent > members * stormShare;
}

/** The earliest time at which a member that vanished at `vanishedAtMs` may be called failed. */
export function verdictAtMs(options: {
  vanishedAtMs: number;
  /** End of the silence after many sockets were lost; 0 when there is none. */
  silentUntilMs: number;
  suspicionMs: number;
}): number {
  return Math.max(options.vanishedAtMs + options.suspicionMs, options.silentUntilMs);
}
