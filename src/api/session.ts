// `/v1/session`: creating, renewing, destroying and listing sessions.

import { limits } from "../core/model/limits.ts";
import { defaultSession, decodeSession, validateSession } from "../core/model/session.ts";
import type { ReadArguments } from "../core/state/reads.ts";
import { parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { decoding } from "./request.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { sessionRoutes } from "./openapi/routes/session.ts";

/** Sessions that name no node are bound to the agent's. */
export interface SessionParts extends ReadParts {
  /** Shortest TTL; absent: Consul's default. */
  sessionTtlMsMin?: number;
  /** A random UUID in lower case. */
  uuid(): string;
}

const style: ReadStyle = { kind: "session" };
const missingSession = "Missing session";

export function sessionArea(parts: SessionParts): AreaOf<typeof sessionRoutes> {
  return {
    "/v1/session/create": { PUT: (request) => create(parts, request) },
    "/v1/session/destroy/": { PUT: (request) => destroy(parts, request) },
    "/v1/session/renew/": { PUT: (request) => renew(parts, request) },
    "/v1/session/info/": {
      GET: (request) =>
        ask(parts, request, "session.info", () => ({ id: request.require(missingSession) })),
    },
    "/v1/session/node/": {
      GET: (request) =>
        ask(parts, request, "session.node", () => ({
          node: request.require("Missing node name"),
        })),
    },
    "/v1/session/list": { GET: (request) => ask(parts, request, "session.list", () => ({})) },
  };
}

async function create(parts: SessionParts, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const body = await request.text();
  const session = decoding("Request decode failed: ", () =>
    decodeSession(body, defaultSession(parts.uuid(), parts.nodeName)),
  );
  validateSession(session, parts.sessionTtlMsMin ?? limits.sessionTtlMsMin);
  const id = await parts.cluster.write({ type: "session.create", session }, request.writeOptions);
  return json(`{"ID":"${id}"}`);
}

async function destroy(parts: SessionParts, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const id = request.require(missingSession);
  await parts.cluster.write({ type: "session.destroy", id }, request.writeOptions);
  return json("true");
}

async function renew(parts: SessionParts, request: ApiRequest): Promise<Reply> {
  // Consul reads them, and does nothing with them.
  parseReadOptions(parts, request, style);
  request.refuseNamespaces();
  const id = request.require(missingSession);
  return json(await parts.cluster.renewSession(id, request.writeOptions));
}

async function ask<Op extends "session.info" | "session.node" | "session.list">(
  parts: SessionParts,
  request: ApiRequest,
  op: Op,
  args: () => ReadArguments[Op],
): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  const given = args();
  request.refuseNamespaces();
  return await readWith(parts, style, options, op, given);
}
