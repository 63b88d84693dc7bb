// Says who leads once somebody does, because people and test suites wait for that line.

import { joinHostPort } from "../core/lib/host-port.ts";
import type { Cluster } from "../ports/cluster.ts";
import { sleep } from "../ports/timers.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import type { AgentLog } from "./log.ts";
import { nodeTimers } from "./timers.ts";

const pollMs = 25;

export interface LeaderLogParts {
  config: Pick<ResolvedAgentConfig, "advertiseAddress" | "nodeName" | "ports">;
  cluster: Pick<Cluster, "status">;
  log: Pick<AgentLog, "info">;
}

/** Resolves when it was said, or when `isOver`. */
export async function logLeader(
  { config, cluster, log }: LeaderLogParts,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const { leader } = await cluster.status({}).catch(() => ({ leader: "" }));
    if (leader !== "") {
      const own = leader === joinHostPort(config.advertiseAddress, config.ports.server);
      if (own) log.info("agent.server", "cluster leadership acquired");
      log.info("agent.server", "New leader elected", { payload: own ? config.nodeName : leader });
      return;
    }
    await sleep(nodeTimers, pollMs);
  }
}
