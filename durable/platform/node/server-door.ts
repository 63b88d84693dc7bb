// What a server's ports lead to where servers run in an agent's process tree, whether in the agent's own thread
// (node-host.ts) or in one beside it (thread-host.ts).

import { linkAbroad } from "../../../src/link/peer-tls.ts";
import type { FrameCarrier } from "../host/host-socket.ts";
import type { SocketInput } from "../host/object-host.ts";
import { type Answer, type ObjectAddress, refusal } from "../platform.ts";
import type { Settings } from "../settings.ts";
import { lanPoolObject, serverCount, serverObject } from "../topology.ts";

export interface ServerDoor {
  /** Answers POST `path`, which is below /rpc. Rejects when the object could not. */
  rpc(path: string, body: Uint8Array): Promise<Answer>;
  /** Null when somebody answers at `path`; else why not. */
  refusal(path: string, query: string): Answer | null;
  /** Opens a socket whose frames `carrier` takes to the other end; closes it where the object refuses. */
  open(pathAndQuery: string, carrier: FrameCarrier): SocketInput;
}

/** The object that a socket to `path` is for, or why there is none. */
export function socketTarget(
  settings: Settings,
  path: string,
  query: string,
): ObjectAddress | Answer {
  const dc = settings.DEFAULT_DC;
  // Agents name theirs; those of older versions do not.
  if ((new URLSearchParams(query).get("dc") ?? dc) !== dc) {
    return refusal(404, `these servers are those of datacenter ${dc}, which is not the agent's`);
  }
  if (path === "/gossip") return lanPoolObject(dc);
  if (path !== "/link" && path !== linkAbroad) return refusal(404, "no such path");
  const n = Number(new URLSearchParams(query).get("server") ?? 0);
  const exists = Number.isInteger(n) && n >= 0 && n < serverCount(settings, dc);
  return exists ? serverObject(dc, n) : refusal(404, "no such server");
}

export const policyViolationCode = 1_008;
