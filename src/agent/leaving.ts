// How a node leaves its datacenter for good, instead of being called failed when its process ends. A server is taken
// out of its group first, so that the others count on it no longer; the last one stays what it is, as in Consul.

import { withTimeout } from "../ports/timers.ts";
import type { AntiEntropy } from "./anti-entropy.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import type { GossipClient } from "./link/gossip.ts";
import type { AgentLog } from "./log.ts";
import type { Servers } from "./servers/options.ts";
import { nodeTimers } from "./timers.ts";

/** Another server has to lead first, the group is changed one server at a time, and catalogs follow. */
const leaveTimeoutMs = 20_000;

export interface LeavingParts {
  config: Pick<ResolvedAgentConfig, "server" | "servers">;
  /** Null for an agent without. */
  servers: Pick<Servers, "rpc"> | null;
  gossip: Pick<GossipClient, "leave">;
  sync: Pick<AntiEntropy, "stop">;
  log: Pick<AgentLog, "info" | "error">;
}

/**
 * Resolves when the datacenter knows, or when it cannot be told, which the log says; with whether this node has left.
 * The caller ends the agent.
 */
export async function leaveDatacenter(parts: LeavingParts): Promise<boolean> {
  const { config, servers, gossip, sync, log } = parts;
  if (!config.server) {
    await gossip.leave();
    return true;
  }
  // Several servers of one process are a group of their own, which outlives it on its disk.
  if (!servers || config.servers > 1) return false;
  const late = (): Error => new Error(`no answer within ${leaveTimeoutMs / 1_000} s`);
  try {
    sync.stop();
    const answer = await withTimeout(
      nodeTimers,
      servers.rpc("/rpc/leave", ""),
      leaveTimeoutMs,
      late,
    );
    const hasLeft = JSON.parse(answer) === true;
    const stays = "stays in its group, in which no other server has a vote";
    log.info("agent.server", hasLeft ? "left the group of servers" : stays);
    return hasLeft;
  } catch (failure) {
    const error = (failure as Error).message;
    log.error("agent.server", "failed to remove ourself as raft peer", { error });
    return false;
  }
}
