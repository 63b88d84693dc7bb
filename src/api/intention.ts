// `/v1/connect/intentions`: which services may connect to which. By id as in Consul 1.8, by source and destination
// (`exact`) as in 1.9.

import { DecodeError, decodeBody } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { consulSource, intentionRequestSchema, parseServiceName } from "../core/model/intention.ts";
import type { IntentionDefinition, ServiceName } from "../core/model/intention.ts";
import { encodeString } from "../core/model/json.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { ReadArguments } from "../core/state/reads.ts";
import { parseReadOptions, read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { filterArguments } from "./list-arguments.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { intentionRoutes } from "./openapi/routes/intention.ts";

export interface IntentionParts extends ReadParts {
  /** A random UUID in lower case. */
  uuid(): string;
}

const style: ReadStyle = { kind: "session" };

export function intentionArea(parts: IntentionParts): AreaOf<typeof intentionRoutes> {
  const { cluster } = parts;
  return {
    "/v1/connect/intentions": {
      GET: (request) => read(parts, request, style, "intention.list", filterArguments),
      POST: (request) => create(parts, request),
    },
    "/v1/connect/intentions/match": { GET: (request) => match(parts, request) },
    "/v1/connect/intentions/check": { GET: (request) => check(parts, request) },
    "/v1/connect/intentions/exact": {
      GET: (request) => one(parts, request, "intention.exact", pairOf),
      PUT: (request) => upsert(parts, request),
      DELETE: async (request) => {
        const pair = pairOf(request);
        const write = { type: "intention.delete-exact", ...pair } as const;
        return json(String(await cluster.write(write, request.writeOptions)));
      },
    },
    "/v1/connect/intentions/": {
      GET: (request) => one(parts, request, "intention.get", ({ rest: id }) => ({ id })),
      PUT: (request) => update(parts, request),
      DELETE: async (request) => {
        const write = { type: "intention.delete", id: request.rest } as const;
        return json(String(await cluster.write(write, request.writeOptions)));
      },
    },
  };
}

async function create({ cluster, uuid }: IntentionParts, request: ApiRequest): Promise<Reply> {
  const intention = await decodeIntention(request, (reason) =>
    refused(`Failed to decode request body: ${reason}`),
  );
  const write = { type: "intention.create", id: uuid(), intention } as const;
  return idReply(await cluster.write(write, request.writeOptions));
}

async function update({ cluster }: IntentionParts, request: ApiRequest): Promise<Reply> {
  const { rest: id } = request;
  const intention = await decodeIntention(request, undecodable);
  await cluster.write({ type: "intention.update", id, intention }, request.writeOptions);
  return idReply(id);
}

async function upsert({ cluster, uuid }: IntentionParts, request: ApiRequest): Promise<Reply> {
  const { source, destination } = pairOf(request);
  const given = await decodeIntention(request, undecodable);
  const intention = {
    ...given,
    ID: "",
    SourceNS: source.ns,
    SourceName: source.name,
    DestinationNS: destination.ns,
    DestinationName: destination.name,
  };
  const write = { type: "intention.upsert", id: uuid(), intention } as const;
  return json(String(await cluster.write(write, request.writeOptions)));
}

function idReply(id: string): Reply {
  return json(`{"ID":${encodeString(id)}}`);
}

async function decodeIntention(
  request: ApiRequest,
  refuse: (reason: string) => ServiceError,
): Promise<IntentionDefinition> {
  const body = await request.text();
  try {
    return decodeBody(intentionRequestSchema, body, "refuse") as IntentionDefinition;
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}

function undecodable(reason: string): ServiceError {
  return new ServiceError("bad-request", `Request decode failed: ${reason}`);
}

/** May wait like any read, but answers without an index. */
async function one<Op extends "intention.get" | "intention.exact">(
  parts: IntentionParts,
  request: ApiRequest,
  op: Op,
  args: (request: ApiRequest) => ReadArguments[Op],
): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  const given = args(request) as Record<string, JsonValue>;
  const { body } = await parts.cluster.read(op, given, options);
  return json(body ?? "null");
}

async function match(parts: IntentionParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  const { query } = request;
  const by = single(request, "by");
  if (by !== "source" && by !== "destination") {
    throw refused("'by' parameter must be one of 'source' or 'destination'");
  }
  const given = query.getAll("name");
  if (given.length === 0) throw missing("name");
  const names = Object.fromEntries(given.map((name) => [name, { ...serviceName("name", name) }]));
  const { body } = await parts.cluster.read("intention.match", { by, names }, options);
  return json(body ?? "{}");
}

async function check(parts: IntentionParts, request: ApiRequest): Promise<Reply> {
  const { minIndex: _, ...options } = parseReadOptions(parts, request, style);
  const source = single(request, "source");
  const destination = single(request, "destination");
  const type = request.query.has("source-type") ? request.query.get("source-type") : consulSource;
  const pair = {
    source: { ...serviceName("source", source) },
    destination: { ...serviceName("destination", destination) },
  };
  if (type !== consulSource) throw refused(`unsupported SourceType: ${JSON.stringify(type)}`);
  const { body } = await parts.cluster.read("intention.check", pair, options);
  return json(body ?? "{}");
}

function pairOf(request: ApiRequest): { source: ServiceName; destination: ServiceName } {
  const source = single(request, "source");
  const destination = single(request, "destination");
  return {
    source: serviceName("source", source),
    destination: serviceName("destination", destination),
  };
}

/** A parameter that must be there exactly once. */
function single({ query }: ApiRequest, name: string): string {
  const [value, ...more] = query.getAll(name);
  if (value === undefined || more.length > 0) throw missing(name);
  return value;
}

function serviceName(parameter: string, given: string): ServiceName {
  const name = parseServiceName(given);
  if (name) return name;
  const quoted = JSON.stringify(given);
  throw refused(`${parameter} ${quoted} is invalid: input can contain at most one '/'`);
}

function missing(name: string): ServiceError {
  return refused(`required query parameter '${name}' not set`);
}

function refused(reason: string): ServiceError {
  return new ServiceError("invalid", reason);
}
