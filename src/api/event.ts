// `/v1/event`: firing goes through the servers, which ask for permission; listing is the agent's own, from what reached
// it. The index of a list is not a place in an order: who waits, waits while it is equal (semantics §8).

import { encodeBase64 } from "../core/lib/base64.ts";
import { DurationError, parseDurationMs } from "../core/model/duration.ts";
import { ServiceError } from "../core/model/errors.ts";
import { limits } from "../core/model/limits.ts";
import { encode } from "../core/model/schema.ts";
import {
  encodeEvents,
  eventIndex,
  type UserEvent,
  userEventSchema,
  userEventVersion,
  validateEvent,
} from "../core/model/user-event.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { LocalAgent } from "../ports/local-agent.ts";
import { malformed } from "./errors.ts";
import { json, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { eventFireRoutes } from "./openapi/routes/event.ts";
import type { eventListRoutes } from "./openapi/routes/event.ts";

/** Of a list without events, so that nobody asks for it in a loop. */
const emptyIndex = "1";

export interface FireParts {
  cluster: Cluster;
  /** A random UUID. */
  uuid(): string;
}

export function eventFireArea(parts: FireParts): AreaOf<typeof eventFireRoutes> {
  return { "/v1/event/fire/": { PUT: (request) => fire(parts, request) } };
}

export function eventListArea(agent: LocalAgent): AreaOf<typeof eventListRoutes> {
  return { "/v1/event/list": { GET: (request) => list(agent, request) } };
}

async function fire({ cluster, uuid }: FireParts, request: ApiRequest): Promise<Reply> {
  const name = request.require("Missing name");
  const { query } = request;
  const event: UserEvent = {
    ID: uuid(),
    Name: name,
    Payload: encodeBase64(await request.bytes(limits.bodyBytesMax)),
    NodeFilter: query.get("node"),
    ServiceFilter: query.get("service"),
    TagFilter: query.get("tag"),
    Version: userEventVersion,
    LTime: 0,
  };
  validateEvent(event);
  try {
    await cluster.fireEvent(event, request.writeOptions);
  } catch (failure) {
    // An unknown token is 500 here, in Consul as well.
    const isUnknownToken =
      failure instanceof ServiceError &&
      failure.code === "permission-denied" &&
      failure.message !== "Permission denied";
    throw isUnknownToken ? new ServiceError("invalid", failure.message) : failure;
  }
  return json(encode(userEventSchema, event));
}

async function list(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const waitMs = waitOf(request.query.get("wait"));
  const held = indexOf(request.query.get("index"));
  const name = request.query.get("name");
  const { signal } = request.raw;
  for (let leftMs = waitMs; ;) {
    const { events, newest } = await agent.events();
    const shown = name === "" ? events : events.filter(({ Name }) => Name === name);
    const last = shown.at(-1);
    const index = last ? eventIndex(last.ID) : emptyIndex;
    if (index !== held || leftMs <= 0 || signal.aborted) {
      return json(encodeEvents(shown), { "X-Consul-Index": index });
    }
    leftMs = await agent.eventsMoved({ newest, waitMs: leftMs, signal });
  }
}

function waitOf(given: string): number {
  const longest = limits.blockingQueryWaitMsMax;
  if (given === "") return longest;
  try {
    const waitMs = parseDurationMs(given);
    return waitMs > 0 ? Math.min(waitMs, longest) : longest;
  } catch (failure) {
    if (failure instanceof DurationError) throw malformed("Invalid wait time");
    throw failure;
  }
}

/** As text without leading zeros; it does not fit a number. */
function indexOf(given: string): string {
  if (given === "") return "0";
  if (!/^\d+$/.test(given) || BigInt(given) >= 2n ** 64n) throw malformed("Invalid index");
  return BigInt(given).toString();
}
