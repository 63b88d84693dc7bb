// `/v1/health`: checks, and service instances with all the checks that speak about them.

import type { ReadArguments } from "../core/state/reads.ts";
import { read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import type { Area } from "./endpoint.ts";
import { malformed } from "./errors.ts";
import { instanceArguments, namedArguments } from "./list-arguments.ts";
import { parseBoolean } from "./request.ts";
import type { ApiRequest } from "./request.ts";

const discovery: ReadStyle = { kind: "discovery" };
const cacheable: ReadStyle = { kind: "discovery", cacheable: true };

export function healthArea(parts: ReadParts): Area {
  return {
    "/v1/health/node/": {
      GET: (request) => {
        const { name, filter } = namedArguments(parts, request, "Missing node name");
        const args = { node: name, ...(filter !== undefined && { filter }) };
        return read(parts, request, discovery, "health.node", args);
      },
    },
    "/v1/health/checks/": {
      GET: (request) => {
        const { name, ...list } = namedArguments(parts, request, "Missing service name");
        return read(parts, request, discovery, "health.checks", { ...list, service: name });
      },
    },
    "/v1/health/state/": {
      GET: (request) => {
        const { name, ...list } = namedArguments(parts, request, "Missing check state");
        return read(parts, request, discovery, "health.state", { ...list, state: name });
      },
    },
    "/v1/health/service/": {
      GET: (request) =>
        read(parts, request, cacheable, "health.service", healthArguments(parts, request)),
    },
    "/v1/health/connect/": {
      GET: (request) =>
        read(parts, request, cacheable, "health.connect", healthArguments(parts, request)),
    },
  };
}

function healthArguments(parts: ReadParts, request: ApiRequest): ReadArguments["health.service"] {
  const args = instanceArguments(parts, request, "Missing service name");
  return parsePassing(request) ? { ...args, passing: true } : args;
}

/** `?passing` without a value means true. */
function parsePassing({ query }: ApiRequest): boolean {
  if (!query.has("passing")) return false;
  const given = query.get("passing");
  const passing = given === "" ? true : parseBoolean(given);
  if (passing === undefined) throw malformed("Invalid value for ?passing");
  return passing;
}
