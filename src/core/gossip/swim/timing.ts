// How long SWIM waits, and how often it says something. Formulas only, after SWIM (Das, Gupta, Motivala 2002) and
// Lifeguard (Dadgar, Phillips, Currey 2017); the clock is the agent's.

export interface SwimTiming {
  /** Between two probes while there is any doubt; {@link calmFactor} times as long while there is none. */
  probeIntervalMs: number;
  /** An answer that takes longer is asked for through others. */
  probeTimeoutMs: number;
  suspicionMult: number;
  retransmitMult: number;
  /** Between two rounds of telling others what is new. */
  gossipIntervalMs: number;
  /** How many are told in one round. */
  gossipNodes: number;
}

/** Consul's `gossip_lan`. */
export const lanTiming: SwimTiming = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  suspicionMult: 4,
  retransmitMult: 4,
  gossipIntervalMs: 200,
  gossipNodes: 3,
};

/** While nobody is in doubt, an agent probes one other every 20 s: 1 to 1.2 kB a minute, as simulated (decision 22). */
export const calmFactor = 20;
/** Through so many others a silent member is asked again (SWIM §3.1, k). */
export const indirectProbes = 3;
/** Lifeguard's S: the local health's worst. */
export const healthMax = 8;
/** Lifeguard's K: with so many independent confirmations a suspicion is as short as it gets. */
const confirmationsMax = 3;
/** Lifeguard's beta. */
const longestSuspicion = 6;

/** What an interval or a timeout becomes at an agent that has reason to doubt itself (LHA-Probe). */
export function scaled(ms: number, health: number): number {
  return ms * (health + 1);
}

/** How many others could confirm a suspicion among so many members. */
export function confirmationsWanted(members: number): number {
  return Math.max(0, Math.min(confirmationsMax, members - 2));
}

/** Ms from the beginning of a suspicion to the verdict, after so many independent confirmations (LHA-Suspicion). */
export function suspicionMs(timing: SwimTiming, members: number, confirmations: number): number {
  const { suspicionMult, probeIntervalMs } = timing;
  const minMs = suspicionMult * Math.max(1, Math.log10(Math.max(1, members))) * probeIntervalMs;
  const wanted = confirmationsWanted(members);
  if (wanted === 0) return minMs;
  const maxMs = longestSuspicion * minMs;
  const share = Math.log(confirmations + 1) / Math.log(wanted + 1);
  return Math.max(minMs, maxMs - (maxMs - minMs) * share);
}

/** How often one piece of news is passed on by each who has it. */
export function transmitLimit(retransmitMult: number, members: number): number {
  return retransmitMult * Math.ceil(Math.log10(members + 1));
}
