// `/v1/status/leader` and `/v1/status/peers` of a deployment: Consul never protects them and load balancers poll them,
// so they are answered without the secret, but from a copy in the Worker's memory: a stranger can cause one request to
// an object in ten seconds and isolate (in one, while there is no leader).

import type { Cluster, ClusterStatus } from "../../src/ports/cluster.ts";

const keptMs = 10_000;
/** Whoever deploys, or has just lost a leader, wants to see the next one soon. */
const leaderlessKeptMs = 1_000;

/** A value, never a promise: what one request awaits must not be another request's I/O. */
let kept: { status: ClusterStatus; untilMs: number } | null = null;

const fields: Record<string, keyof ClusterStatus> = {
  "/v1/status/leader": "leader",
  "/v1/status/peers": "peers",
};

/** The answer, or null when the request asks for something else. */
export async function publicStatus(
  request: Request,
  cluster: Cluster,
  nowMs: number,
): Promise<Response | null> {
  const { pathname, search } = new URL(request.url);
  const field = Object.hasOwn(fields, pathname) ? fields[pathname] : undefined;
  if (!field || request.method !== "GET" || search !== "") return null;
  if (!kept || kept.untilMs <= nowMs) {
    const status = await cluster.status({});
    kept = { status, untilMs: nowMs + (status.leader === "" ? leaderlessKeptMs : keptMs) };
  }
  return new Response(JSON.stringify(kept.status[field]), {
    headers: { "content-type": "application/json", vary: "Accept-Encoding" },
  });
}
