// Dead servers leave the group by themselves, as Consul's autopilot has it: once others have taken their place. One
// that nobody replaced stays, for it may come back with its log.

import type { AutopilotConfig } from "../../src/core/model/autopilot.ts";
import type { Member } from "../../src/core/raft/types.ts";

export interface DeadServer {
  member: Member;
  /** Index at which the catalog took its failure. */
  failedIndex: number;
  /** When it last answered this leader, or when this one began to lead. */
  silentSinceMs: number;
}

/** A server that is alive, and the index at which the catalog took it in. */
export interface LiveServer {
  member: Member;
  sinceIndex: number;
  /** When this leader gave it its vote; null: another one did. */
  votesSinceMs: number | null;
}

/**
 * Which of `dead` may go: for each there is a voter that came after its failure, or got its vote while the dead one was
 * silent already. None may while that would take half of the voters, or leave fewer than the configuration's least.
 */
export function replacedServers(
  dead: readonly DeadServer[],
  live: readonly LiveServer[],
  config: Pick<AutopilotConfig, "CleanupDeadServers" | "MinQuorum">,
): Member[] {
  if (!config.CleanupDeadServers) return [];
  const newcomers = live
    .filter(({ member }) => member.voter)
    .toSorted((one, other) => one.sinceIndex - other.sinceIndex);
  const replaced: Member[] = [];
  for (const { member, failedIndex, silentSinceMs } of byFailure(dead)) {
    const at = newcomers.findIndex(
      ({ sinceIndex, votesSinceMs }) =>
        sinceIndex > failedIndex || (votesSinceMs !== null && votesSinceMs > silentSinceMs),
    );
    if (at < 0) continue;
    newcomers.splice(at, 1);
    replaced.push(member);
  }
  const voters = [...dead, ...live].filter(({ member }) => member.voter).length;
  const lost = replaced.filter(({ voter }) => voter).length;
  const isFew = lost === 0 || (lost < Math.floor(voters / 2) && voters - lost >= config.MinQuorum);
  return isFew ? replaced : [];
}

function byFailure(dead: readonly DeadServer[]): DeadServer[] {
  return dead.toSorted((one, other) => one.failedIndex - other.failedIndex);
}
