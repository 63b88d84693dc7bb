// `/v1/health`: checks, and service instances with all the checks that speak about them.

import type { ReadArguments } from "../core/state/reads.ts";
import { read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { malformed } from "./errors.ts";
import { filterArguments, instanceArguments, listArguments } from "./list-arguments.ts";
import { parseBoolean } from "./request.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { healthRoutes } from "./openapi/routes/health.ts";

const discovery: ReadStyle = { kind: "discovery", refusesNamespaces: true };
const cacheable: ReadStyle = { ...discovery, cacheable: true };

export function healthArea(parts: ReadParts): AreaOf<typeof healthRoutes> {
  return {
    "/v1/health/node/": {
      GET: (request) => read(parts, request, discovery, "health.node", ofNode),
    },
    "/v1/health/checks/": {
      GET: (request) => read(parts, request, discovery, "health.checks", ofService),
    },
    "/v1/health/state/": {
      GET: (request) => read(parts, request, discovery, "health.state", inState),
    },
    "/v1/health/service/": {
      GET: (request) => read(parts, request, cacheable, "health.service", instances),
    },
    "/v1/health/connect/": {
      GET: (request) => read(parts, request, cacheable, "health.connect", instances),
    },
    "/v1/health/ingress/": { GET: (request) => ingress(parts, request) },
  };
}

function ofNode(request: ApiRequest): ReadArguments["health.node"] {
  return { node: request.require("Missing node name"), ...filterArguments(request) };
}

function ofService(request: ApiRequest, parts: ReadParts): ReadArguments["health.checks"] {
  return { service: request.require("Missing service name"), ...listArguments(request, parts) };
}

function inState(request: ApiRequest, parts: ReadParts): ReadArguments["health.state"] {
  return { state: request.require("Missing check state"), ...listArguments(request, parts) };
}

function instances(request: ApiRequest, parts: ReadParts): ReadArguments["health.service"] {
  const args = instanceArguments(request, parts, "Missing service name");
  return parsePassing(request) ? { ...args, passing: true } : args;
}

/** Consul looks for the service itself when it is asked for a tag. */
async function ingress(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const op = request.query.has("tag") ? "health.service" : "health.ingress";
  return await read(parts, request, cacheable, op, instances);
}

/** `?passing` without a value means true. */
function parsePassing({ query }: ApiRequest): boolean {
  if (!query.has("passing")) return false;
  const given = query.get("passing");
  const passing = given === "" ? true : parseBoolean(given);
  if (passing === undefined) throw malformed("Invalid value for ?passing");
  return passing;
}
