// `/v1/status`: who leads and who votes. Answered by any server, with or without a leader. The smallest area,
// and the one to copy: an area is a function from what it needs to a table of endpoints.

import { encodeJson } from "../core/model/json.ts";
import { parseReadOptions } from "./consistency.ts";
import type { ReadParts } from "./consistency.ts";
import { json } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { statusRoutes } from "./openapi/routes/status.ts";

export function statusArea(parts: ReadParts): AreaOf<typeof statusRoutes> {
  const status = async (request: ApiRequest) => {
    const { dc } = parseReadOptions(parts, request, { kind: "plain" });
    return await parts.cluster.status(dc === undefined ? {} : { dc });
  };
  return {
    "/v1/status/leader": {
      GET: async (request) => json(encodeJson((await status(request)).leader)),
    },
    "/v1/status/peers": {
      GET: async (request) => json(encodeJson((await status(request)).peers)),
    },
  };
}
