// Leases at the Worker (docs/edge-checks.md): `/v1/agent/service/lease/ID`, a WebSocket that is held, or a PUT that is
// repeated. Beyond Consul, which has hosts.

import { DurationError, parseDurationMs } from "../../src/core/model/duration.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { edgeAgentObject } from "../platform/topology.ts";
import { AgentShards } from "./agent-shards.ts";
import type { ClusterAccess } from "../datacenters/server-calls.ts";
import { leaseSocket } from "./edge-leases.ts";

export const leasePath = "/v1/agent/service/lease/";
const graceMs = { initial: 10_000, min: 0, max: 600_000 };
const ttlMs = { initial: 60_000, min: 10_000, max: 86_400_000 };

export interface LeaseDoorParts {
  access: ClusterAccess;
  /** Whether who asks may write the service of this name. Rejects with ServiceError for a token that there is not. */
  mayWrite(service: string): Promise<boolean>;
  /** Hands the request on to an object. */
  forward(to: ReturnType<typeof edgeAgentObject>, pathAndQuery: string): Promise<Response>;
}

export async function answerLease(request: Request, parts: LeaseDoorParts): Promise<Response> {
  try {
    return await answer(request, parts);
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    return text(failure.code === "permission-denied" ? 403 : 500, failure.message);
  }
}

async function answer(request: Request, parts: LeaseDoorParts): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const isSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  if (!isSocket && request.method !== "PUT") {
    return text(405, "open a WebSocket, or PUT", { allow: "PUT" });
  }
  const id = decoded(pathname.slice(leasePath.length));
  const wished = isSocket
    ? milliseconds(searchParams.get("grace"), graceMs)
    : milliseconds(searchParams.get("ttl"), ttlMs);
  if (id === null || wished === null) {
    const what = isSocket
      ? "grace is a duration of 10m at most"
      : "ttl is a duration of 10s to 24h";
    return text(400, id === null ? "the service's id is malformed" : what);
  }
  const shards = new AgentShards(parts.access);
  const shard = await shards.ofService(id);
  const found = await shards.call<{ service: { Service: string } } | null>(shard, "service", id);
  if (!found) return text(404, `Unknown service "${id}"`);
  if (!(await parts.mayWrite(found.service.Service))) return text(403, "Permission denied");
  if (!isSocket) {
    const isHeld = await shards.call<boolean>(shard, "renewLease", id, wished);
    return isHeld ? text(200, "") : text(404, `Unknown service "${id}"`);
  }
  const query = new URLSearchParams({ service: id, grace: String(wished) }).toString();
  const object = edgeAgentObject(parts.access.settings.DEFAULT_DC, shard);
  return await parts.forward(object, `${leaseSocket}?${query}`);
}

/** Null for what is no duration, or too long or short a one. */
function milliseconds(
  given: string | null,
  { initial, min, max }: { initial: number; min: number; max: number },
): number | null {
  if (given === null) return initial;
  try {
    const ms = parseDurationMs(given);
    return ms >= min && ms <= max ? ms : null;
  } catch (failure) {
    if (failure instanceof DurationError) return null;
    throw failure;
  }
}

function decoded(segment: string): string | null {
  try {
    const id = decodeURIComponent(segment);
    return id === "" ? null : id;
  } catch {
    return null;
  }
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
