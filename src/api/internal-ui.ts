// `/v1/internal/ui`: what dashboards show first. Not a stable interface in Consul, but widely used.

import type { ReadArguments, ReadName } from "../core/state/reads.ts";
import { parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { filterArguments } from "./list-arguments.ts";
import { empty } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { internalUiRoutes } from "./openapi/routes/internal-ui.ts";

const style: ReadStyle = { kind: "session", staleWithoutLeader: true };

export interface InternalUiParts extends ReadParts {
  /** Zones in which services have names, each with a final dot; absent: Consul's default. */
  domains?: string[];
}

export function internalUiArea(parts: InternalUiParts): AreaOf<typeof internalUiRoutes> {
  return {
    "/v1/internal/ui/nodes": {
      GET: (request) => ask(parts, request, "ui.nodes", () => filterArguments(request)),
    },
    "/v1/internal/ui/node/": { GET: (request) => node(parts, request) },
    "/v1/internal/ui/services": {
      GET: (request) => ask(parts, request, "ui.services", () => servicesArguments(request)),
    },
    "/v1/internal/ui/gateway-services-nodes/": { GET: (request) => gateway(parts, request) },
  };
}

/** Consul's answer, unless somebody wants instances counted, which are more than its checks say. */
function servicesArguments(request: ApiRequest): ReadArguments["ui.services"] {
  return {
    ...filterArguments(request),
    ...(request.query.has("instances") && { instances: true as const }),
  };
}

/** A node that is not there is answered without any header. */
async function node(parts: InternalUiParts, request: ApiRequest): Promise<Reply> {
  const reply = await ask(parts, request, "ui.node", () => ({
    node: request.require("Missing node name"),
  }));
  return reply.status === 404 ? empty(404, {}) : reply;
}

async function gateway(parts: InternalUiParts, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const { domains = ["consul."] } = parts;
  return await ask(parts, request, "ui.gateway-services-nodes", () => ({
    gateway: request.require("Missing gateway name"),
    domains,
  }));
}

async function ask<Op extends ReadName>(
  parts: InternalUiParts,
  request: ApiRequest,
  op: Op,
  args: () => ReadArguments[Op],
): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  request.refuseNamespaces();
  return await readWith(parts, style, options, op, args());
}
