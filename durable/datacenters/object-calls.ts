// What servers say to servers of other datacenters, and to whichever of them answers first.

import type { CallAbroad } from "../../src/link/peer-tls.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { isSuccess, jsonOf, textOf } from "../platform/platform.ts";
import type { Directory, ServerTarget } from "./directory.ts";
import { askInTurn } from "./in-turn.ts";
import type { Reach } from "./reach.ts";

export interface DatacenterAccess {
  directory: Directory;
  reach: Reach;
  timers: Timers;
}

/** Must be safe to be done twice. Rejects when no server answers in time. */
export async function callDatacenter<Answer>(
  { directory, reach, timers }: DatacenterAccess,
  dc: string,
  { path, body, patienceMs, timeoutMs }: DatacenterCall,
): Promise<Answer> {
  const servers = directory.servers(dc);
  if (servers.length === 0) throw new Error(`there is no datacenter ${dc}`);
  return await askInTurn({
    timers,
    servers,
    patienceMs,
    timeoutMs,
    ask: async (server) => await callServer<Answer>(reach, server, path, body),
    isFinal: () => false,
    missed: () => undefined,
  });
}

/** Rejects as {@link Reach.call}, and with what a server that refuses says. */
export async function callServer<Answer>(
  reach: Reach,
  server: ServerTarget,
  path: CallAbroad,
  body: unknown,
): Promise<Answer> {
  const answer = await reach.call(server, path, JSON.stringify(body));
  if (!isSuccess(answer)) throw new Error(textOf(answer.body));
  return jsonOf<Answer>(answer);
}

export interface DatacenterCall {
  path: CallAbroad;
  body: unknown;
  /** How long one server is waited for before the next one is asked, too. */
  patienceMs: number;
  timeoutMs: number;
}
