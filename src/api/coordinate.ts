// `/v1/coordinate`: where nodes stand in the space of round-trip times, and telling so.

import { ServiceError } from "../core/model/errors.ts";
import type { CoordinateUpdate } from "../core/state/tables/coordinate/updates.ts";
import type { Cluster } from "../ports/cluster.ts";
import { read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import type { Handler } from "./endpoint.ts";
import { empty, json, text } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { type coordinateRoutes, updateSchema } from "./openapi/routes/coordinate.ts";

const style: ReadStyle = { kind: "session" };

export interface CoordinateParts extends ReadParts {
  /** Absent: yes. */
  coordinates?: boolean;
}

export function coordinateArea(parts: CoordinateParts): AreaOf<typeof coordinateRoutes> {
  const unless = (handler: Handler): Handler => (parts.coordinates === false ? disabled : handler);
  return {
    "/v1/coordinate/datacenters": { GET: unless(() => datacenters(parts)) },
    "/v1/coordinate/nodes": {
      GET: unless((request) => read(parts, request, style, "coordinate.nodes", segmentOf)),
    },
    "/v1/coordinate/node/": { GET: unless((request) => node(parts, request)) },
    "/v1/coordinate/update": { PUT: unless((request) => putCoordinate(parts, request)) },
  };
}

function disabled(): Reply {
  return text(401, "Coordinate support disabled");
}

/** Answered by any server, for all datacenters, without an index, and whatever token is shown. */
async function datacenters({ cluster }: ReadParts): Promise<Reply> {
  const names = (await cluster.datacenters()).toSorted();
  const maps = await Promise.all(names.map(async (dc) => await coordinatesIn(cluster, dc)));
  return json(`[${maps.flat().join(",")}]`);
}

/** The entry of one datacenter, or nothing where it cannot be asked. */
async function coordinatesIn(cluster: Cluster, dc: string): Promise<string[]> {
  try {
    const options = { consistency: "stale", dc } as const;
    const { body } = await cluster.read("coordinate.datacenters", {}, options);
    return [(body ?? "[]").slice(1, -1)];
  } catch (failure) {
    if (failure instanceof ServiceError) return [];
    throw failure;
  }
}

/** A node without a coordinate is answered without any header. */
async function node(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const reply = await read(parts, request, style, "coordinate.node", (given) => ({
    node: given.rest,
    ...segmentOf(given),
  }));
  return reply.status === 404 ? empty(404, {}) : reply;
}

async function putCoordinate(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const body = await request.decode(updateSchema, "refuse", "Request decode failed: ");
  const { Datacenter: dc, ...update } = body as CoordinateUpdate & { Datacenter: string };
  const options = { ...request.writeOptions, ...(dc !== "" && { dc }) };
  await parts.cluster.write({ type: "coordinate.update", update }, options);
  return empty(200, {});
}

function segmentOf({ query }: ApiRequest): { segment?: string } {
  return query.has("segment") ? { segment: query.get("segment") } : {};
}
