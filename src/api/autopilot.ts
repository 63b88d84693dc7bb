// `/v1/operator/autopilot`: how the group of servers sees to itself, and how it is. Nothing here is waited for, and no
// answer carries an index.

import {
  autopilotConfigSchema,
  type AutopilotConfig,
  type GroupHealth,
  groupHealthSchema,
  type ServerHealth,
} from "../core/model/autopilot.ts";
import { formatDuration } from "../core/model/duration.ts";
import { ServiceError } from "../core/model/errors.ts";
import { encodeJson, type JsonValue } from "../core/model/json.ts";
import { encode } from "../core/model/schema.ts";
import type { ServiceNode } from "../core/model/types.ts";
import type { ReadOptions } from "../ports/cluster.ts";
import { parseReadOptions } from "./consistency.ts";
import type { ReadParts } from "./consistency.ts";
import { asBadRequest } from "./errors.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { autopilotRoutes } from "./openapi/routes/autopilot.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

const unhealthy = 429;
const plainText = "text/plain; charset=utf-8";

export function autopilotArea(parts: ReadParts): AreaOf<typeof autopilotRoutes> {
  return {
    "/v1/operator/autopilot/configuration": {
      GET: (request) => configuration(parts, request),
      PUT: (request) => configure(parts, request),
    },
    "/v1/operator/autopilot/health": { GET: (request) => health(parts, request) },
    "/v1/operator/autopilot/state": { GET: (request) => state(parts, request) },
  };
}

/** The options of a read that answers at once, whatever index it is given. */
export function withoutWaiting(options: ReadOptions): ReadOptions {
  const { minIndex: _index, waitMs: _wait, signal: _signal, ...others } = options;
  return others;
}

async function configuration(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = withoutWaiting(parseReadOptions(parts, request, { kind: "plain" }));
  const { body } = await parts.cluster.read("autopilot.config", {}, options);
  // A leader writes it as soon as it is one.
  if (body === null) throw new ServiceError("invalid", "autopilot config not initialized yet");
  return json(body);
}

async function configure(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const prefix = "Error parsing autopilot config: ";
  const config = (await asBadRequest(
    request.decode(autopilotConfigSchema, "refuse-plainly", prefix),
  )) as AutopilotConfig;
  const command = { type: "autopilot.set", config, index: indexOf(request) } as const;
  const written = await parts.cluster.write(command, request.writeOptions);
  return json(String(written));
}

/** The ModifyIndex that `?cas=` names; "" for any. */
function indexOf(request: ApiRequest): string {
  if (!request.query.has("cas")) return "";
  try {
    return request.uint64("cas");
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    throw new ServiceError("bad-request", `Error parsing cas value: ${failure.message}`);
  }
}

async function health(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const found = await groupHealth(parts, request);
  const body = encode(groupHealthSchema, found);
  // Consul sends the status before it says what follows.
  return found.Healthy ? json(body) : json(body, { "Content-Type": plainText }, unhealthy);
}

async function groupHealth(parts: ReadParts, request: ApiRequest): Promise<GroupHealth> {
  const { token, dc } = parseReadOptions(parts, request, { kind: "plain" });
  return await parts.cluster.autopilotHealth({
    ...(token !== undefined && { token }),
    ...(dc !== undefined && { dc }),
  });
}

/** The form of later Consuls, which knows servers by their ids. */
async function state(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const { Healthy, FailureTolerance, Servers } = await groupHealth(parts, request);
  const options = withoutWaiting(parseReadOptions(parts, request, { kind: "plain" }));
  const { body } = await parts.cluster.read("catalog.service", { service: "consul" }, options);
  const registered = JSON.parse(body ?? "[]") as ServiceNode[];
  const metas = new Map(registered.map(({ Node, ServiceMeta }) => [Node, ServiceMeta]));
  const answer = {
    Healthy,
    FailureTolerance,
    OptimisticFailureTolerance: FailureTolerance,
    Servers: Object.fromEntries(
      Servers.map((server) => [server.ID, serverState(server, metas.get(server.Name) ?? {})]),
    ),
    Leader: Servers.find(({ Leader }) => Leader)?.ID ?? "",
    Voters: Servers.filter(({ Voter }) => Voter).map(({ ID }) => ID),
  };
  return json(encodeJson(answer));
}

function serverState(server: ServerHealth, meta: Record<string, string>): JsonValue {
  const { ID, Name, Address, SerfStatus, Version, LastTerm, LastIndex } = server;
  return {
    ...{ ID, Name, Address, NodeStatus: SerfStatus, Version },
    LastContact: formatDuration(server.LastContact),
    ...{ LastTerm, LastIndex },
    Healthy: server.Healthy,
    StableSince: server.StableSince,
    ReadReplica: false,
    Status: server.Leader ? "leader" : server.Voter ? "voter" : "non-voter",
    Meta: meta,
    NodeType: "voter",
  };
}
