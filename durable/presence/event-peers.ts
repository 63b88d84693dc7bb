// Whom a pool tells of user events beside its members: the other pools, and the agent at the Worker's URL.

import { isSuccess, type Objects, type Platform } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { edgeAgentObject } from "../platform/topology.ts";
import { type EventPeer, PoolEvents, type PoolEventsParts } from "./pool-events.ts";
import type { PoolPeers } from "./pool-peers.ts";

const tellTimeoutMs = 5_000;

export function poolEvents(
  platform: Platform,
  settings: Settings,
  peers: PoolPeers,
  hooks: Pick<PoolEventsParts, "deliver" | "repairIn">,
): PoolEvents {
  const { HOST, DEFAULT_DC: dc } = settings;
  // On Cloudflare the pool at which an event is fired tells that agent; on hosts, each pool its own. It is the agent of
  // one datacenter: events of the others are nothing to it.
  const isItsOwn = platform.objectName.startsWith(`${dc}/`);
  const hasEdge = isItsOwn && (!HOST || HOST.edge === true);
  return new PoolEvents({
    ...hooks,
    sql: platform.sql,
    others: () => peers.eventPeers(),
    local: hasEdge ? edgePeer(platform.objects, dc) : null,
    isHosted: HOST !== undefined,
    waitUntil: (work) => platform.waitUntil(work),
  });
}

function edgePeer(objects: Objects, datacenter: string): EventPeer {
  const edge = edgeAgentObject(datacenter);
  return {
    key: edge.name,
    compares: false,
    send: async ({ events = [] }) => {
      const body = JSON.stringify({ method: "hear", args: [events] });
      const answer = await objects.call(edge, "/call", body, tellTimeoutMs);
      if (!isSuccess(answer)) throw new Error(`the agent answered ${answer.status}`);
    },
  };
}
