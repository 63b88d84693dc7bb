// A call to whichever server of another datacenter answers first, for what servers say to servers.

import { isSuccess, jsonOf, textOf } from "../platform/platform.ts";
import { serverCount, serverObject } from "../platform/topology.ts";
import { askInTurn } from "./in-turn.ts";
import type { ClusterAccess } from "./server-calls.ts";

/** Must be safe to be done twice. Rejects when no server answers in time. */
export async function callDatacenter<Answer>(
  { objects, timers, settings }: Pick<ClusterAccess, "objects" | "timers" | "settings">,
  dc: string,
  { path, body, patienceMs, timeoutMs }: DatacenterCall,
): Promise<Answer> {
  const count = serverCount(settings, dc);
  if (count === 0) throw new Error(`there is no datacenter ${dc}`);
  return await askInTurn({
    timers,
    servers: Array.from({ length: count }, (_, n) => n),
    patienceMs,
    timeoutMs,
    ask: async (n) => {
      const answer = await objects.call(serverObject(dc, n), path, JSON.stringify(body), null);
      if (!isSuccess(answer)) throw new Error(textOf(answer.body));
      return jsonOf<Answer>(answer);
    },
    isFinal: () => false,
    missed: () => undefined,
  });
}

export interface DatacenterCall {
  path: string;
  body: unknown;
  /** How long one server is waited for before the next one is asked, too. */
  patienceMs: number;
  timeoutMs: number;
}
