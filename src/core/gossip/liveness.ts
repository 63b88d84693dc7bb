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

/** Silence on an open socket for this long is death: two pings were missed, and the third is late. */
export const overdueMs = 2 * gossipPingIntervalMs + 10_000;
/** On hosts a socket is doubted so much sooner (decision 22): one ping is late. */
export const doubtfulMs = gossipPingIntervalMs + 5_000;
/** Whoever is doubted gives a sign of life within this time. */
export const doubtAnswerMs = 3_000;
/** A doubt that others dispelled is looked into again after this long. */
export const doubtAgainMs = 10_000;
/** How many others are asked whether they can reach a member, and how long they may take. */
export const reachAskers = 3;
export const reachAnswerMs = 3_000;
/** So many members are asked about at once. */
export const reachAtOnce = 128;
/** Whoever has no socket but can be reached is asked about at least this often. */
export const reachAgainMaxMs = 60_000;
/** Consul's `reconnect_timeout`: whoever has been failed for so long is forgotten. */
export const reconnectTimeoutMs = 72 * 3_600_000;
/** Opening a socket may take this long. */
const dialMs = 4_000;
/** So many agents a second may come back to one pool. */
const reconnectsPerSecond = 100;

export interface LivenessTiming {
  /** Between losing a member's socket and calling it failed, unless it comes back. More in a large pool. */
  suspicionMs: number;
  /** Agents that lost their socket come back within this time, however few they are. */
  reconnectMs: number;
  /** Whoever is not back so long after that is missing. */
  settleMs: number;
  /**
   * Sockets that look open are checked for signs of life when one of them may be overdue, which is 25 to 40 s after the
   * last check while all are well, and at most this often while some are not. Each check is an alarm.
   */
  sweepIntervalMs: number;
  /**
   * Silence on an open socket for this long is reason to look for the second sign; null: agents cannot reach each
   * other.
   */
  doubtMs: number | null;
}

/**
 * Alarms are free on one's own machine, and after a restart of the server its few agents are back within two seconds:
 * a failed host is found as fast as Consul finds it.
 */
export const hostedLiveness: LivenessTiming = {
  suspicionMs: 5_000,
  reconnectMs: 1_000,
  settleMs: 9_000,
  sweepIntervalMs: 2_000,
  doubtMs: doubtfulMs,
};
/**
 * A closed socket is noticed at once, and is a death within 20 s. Sweeps, which find hosts that vanished without
 * closing it within 60 s, are an object request and a row written each, every 25 to 40 s: about $0.10 a month for a
 * pool.
 */
export const deployedLiveness: LivenessTiming = {
  suspicionMs: 15_000,
  reconnectMs: 5_000,
  settleMs: 15_000,
  sweepIntervalMs: 4_000,
  doubtMs: null,
};

export function isOverdue(heardMs: number, nowMs: number): boolean {
  return nowMs - heardMs >= overdueMs;
}

/** Too long silent to be asked about others. */
export function isDoubtful(heardMs: number, nowMs: number): boolean {
  return nowMs - heardMs >= doubtfulMs;
}

/** When to look again at sockets that were last heard at these times: not before one of them can be too silent. */
export function nextSweepMs(
  heardMs: readonly number[],
  { sweepIntervalMs, doubtMs }: Pick<LivenessTiming, "sweepIntervalMs" | "doubtMs">,
  nowMs: number,
): number {
  const oldestMs = heardMs.reduce((oldest, one) => Math.min(oldest, one), nowMs);
  return Math.max(nowMs + sweepIntervalMs, oldestMs + (doubtMs ?? overdueMs));
}

/** Agents that lost their socket to a pool come back at a random time within this window, as its hello tells them. */
export function reconnectWindowMs(
  { reconnectMs }: Pick<LivenessTiming, "reconnectMs">,
  members: number,
): number {
  return Math.max(reconnectMs, (members / reconnectsPerSecond) * 1_000);
}

/** The suspicion in a pool of so many: whoever only reconnects must have had the time to. */
export function suspicionOf(timing: LivenessTiming, members: number): number {
  return Math.max(timing.suspicionMs, reconnectWindowMs(timing, members) + dialMs);
}

/** A pool declares nobody failed until this long after it lost its sockets, or after a storm. */
export function silenceMs(timing: LivenessTiming, members: number): number {
  return reconnectWindowMs(timing, members) + timing.settleMs;
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
