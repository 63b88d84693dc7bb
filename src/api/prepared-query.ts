// `/v1/query`: prepared queries, kept by id, executed and explained by id or name.

import { decodeBody } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { queryBodySchema } from "../core/model/prepared-query.ts";
import type { PreparedQuery } from "../core/model/prepared-query.ts";
import type { ReadArguments } from "../core/state/reads.ts";
import type { ReadOptions, ReadReply } from "../ports/cluster.ts";
import {
  effectiveConsistency,
  mustRevalidate,
  parseReadOptions,
  read,
  readWith,
} from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { notAllowed, otherMethods } from "./endpoint.ts";
import { nearArguments } from "./list-arguments.ts";
import { empty, json, text } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { decoding, parseBoolean } from "./request.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { preparedQueryRoutes } from "./openapi/routes/prepared-query.ts";

export interface PreparedQueryParts extends ReadParts {
  /** A random UUID in lower case. */
  uuid(): string;
}

const style: ReadStyle = { kind: "query" };
const described: ReadStyle = { ...style, shown: describe };
const executed: ReadStyle = { ...described, cacheable: true };
const executeSuffix = "/execute";
const explainSuffix = "/explain";
const integerMax = 2n ** 63n - 1n;

export function preparedQueryArea(parts: PreparedQueryParts): AreaOf<typeof preparedQueryRoutes> {
  const one = new OneQuery(parts);
  return {
    "/v1/query": {
      GET: (request) => read(parts, request, style, "query.list", () => ({})),
      POST: (request) => create(parts, request),
    },
    "/v1/query/": {
      GET: (request) => one.get(request),
      PUT: (request) => only(request, () => one.update(request)),
      DELETE: (request) => only(request, () => one.remove(request)),
      [otherMethods]: withoutHandler,
    },
  };
}

async function create(parts: PreparedQueryParts, request: ApiRequest): Promise<Reply> {
  const query = bodyOf(await request.text());
  const id = parts.uuid();
  await parts.cluster.write({ type: "query.create", id, query }, request.writeOptions);
  return json(`{"ID":"${id}"}`);
}

function bodyOf(body: string): PreparedQuery {
  return decoding(
    "Request decode failed: ",
    () => decodeBody(queryBodySchema, body, "refuse-plainly") as PreparedQuery,
  );
}

/** What stands below `/v1/query/`: an id, or a name or an id and what to do with it. */
class OneQuery {
  readonly #parts: ReadParts;
  /** Answers that are followed have one order for all who ask this agent: another agent's has its own. */
  readonly #followedSeed: number;

  constructor(parts: ReadParts) {
    this.#parts = parts;
    this.#followedSeed = seedOf(parts);
  }

  async get(request: ApiRequest): Promise<Reply> {
    const { rest } = request;
    if (rest.endsWith(executeSuffix) || rest === "execute") return await this.#execute(request);
    if (rest.endsWith(explainSuffix) || rest === "explain") return await this.#explain(request);
    return notFoundPlainly(
      await read(this.#parts, request, style, "query.get", () => ({ id: rest })),
    );
  }

  async #explain(request: ApiRequest): Promise<Reply> {
    const options = this.#options(request, described);
    const args = { query: without(request.rest, explainSuffix) };
    return notFoundPlainly(await readWith(this.#parts, described, options, "query.explain", args));
  }

  /** Neither waits for anything: an index is only looked at. */
  #options(request: ApiRequest, of: ReadStyle): ReadOptions {
    const parsed = parseReadOptions(this.#parts, request, of);
    const { minIndex: _index, waitMs: _wait, signal: _signal, ...options } = parsed;
    return options;
  }

  async #execute(request: ApiRequest): Promise<Reply> {
    const options = this.#options(request, executed);
    const { cached = false, ...fetching } = options;
    // Other answers from a cache stay as they are; for these Consul obeys.
    const isFetched = !cached || mustRevalidate(request.header("Cache-Control"));
    const args = this.#executeArguments(request, isFetched);
    const { isCurrent: _current, ...reply } = await readWith(
      this.#parts,
      executed,
      isFetched ? fetching : options,
      "query.execute",
      args,
    );
    if (!cached) return notFoundPlainly(reply);
    if (reply.status === 404) return { ...reply, status: 500 };
    const isMiss = isFetched && reply.status === 200;
    return isMiss ? { ...reply, headers: { ...reply.headers, "X-Cache": "MISS" } } : reply;
  }

  #executeArguments(request: ApiRequest, isFetched: boolean): ReadArguments["query.execute"] {
    const limit = parseLimit(request.query.get("limit"));
    const connect = parseConnect(request.query.get("connect"));
    return {
      query: without(request.rest, executeSuffix),
      seed: isFetched ? seedOf(this.#parts) : this.#followedSeed,
      agent: this.#parts.nodeName,
      ip: request.clientAddress,
      ...nearArguments(request, this.#parts),
      ...(limit > 0 && { limit }),
      ...(connect && { connect }),
    };
  }

  /** Without a body nothing is asked for, which is refused. */
  async update(request: ApiRequest): Promise<Reply> {
    const { rest: id } = request;
    const body = await request.text();
    const query = bodyOf(body === "" ? "{}" : body);
    await this.#parts.cluster.write({ type: "query.update", id, query }, request.writeOptions);
    return empty();
  }

  async remove(request: ApiRequest): Promise<Reply> {
    const { rest: id } = request;
    await this.#parts.cluster.write({ type: "query.delete", id }, request.writeOptions);
    return empty();
  }
}

function seedOf({ random }: ReadParts): number {
  return Math.floor(random() * 2 ** 32);
}

function without(rest: string, suffix: string): string {
  return rest.endsWith(suffix) ? rest.slice(0, -suffix.length) : rest;
}

/** What Consul puts behind the answer of a query; the index that it has here is not shown. */
function describe(answer: ReadReply, options: ReadOptions): ReadReply {
  const { body, lastContactMs, knownLeader } = answer;
  const members = [
    '"Index":0',
    `"LastContact":${Math.max(0, Math.round(lastContactMs)) * 1_000_000}`,
    `"KnownLeader":${knownLeader}`,
    `"ConsistencyLevel":"${effectiveConsistency(options)}"`,
  ];
  return { ...answer, index: 1, body: body && `${body.slice(0, -1)},${members.join(",")}}` };
}

/** A query that does not exist is answered without any header. */
function notFoundPlainly(reply: Reply): Reply {
  return reply.status === 404 ? text(404, "Query not found") : reply;
}

// Methods

function methodsOf(rest: string): readonly string[] {
  const isAction = [executeSuffix, explainSuffix].some((suffix) => `/${rest}`.endsWith(suffix));
  return isAction ? ["GET"] : ["GET", "PUT", "DELETE"];
}

function only({ raw, rest }: ApiRequest, handle: () => Promise<Reply>): Promise<Reply> | Reply {
  const allowed = methodsOf(rest);
  return allowed.includes(raw.method) ? handle() : notAllowed(raw.method, allowed);
}

/** Here Consul forgets OPTIONS in `Allow`, and answers OPTIONS with a body. */
function withoutHandler(method: string, rest: string): Reply {
  const allowed = methodsOf(rest);
  if (method !== "OPTIONS") return notAllowed(method, allowed);
  return json("{}", { Allow: ["OPTIONS", ...allowed].join(",") });
}

// Parameters

/** 0 when absent. */
function parseLimit(given: string): number {
  if (given === "") return 0;
  const problem = !/^[+-]?\d+$/.test(given)
    ? "invalid syntax"
    : isInt64(BigInt(given.replace("+", "")))
      ? null
      : "value out of range";
  if (problem === null) return Number(given);
  const quoted = JSON.stringify(given);
  throw new ServiceError("invalid", `Bad limit: strconv.Atoi: parsing ${quoted}: ${problem}`);
}

function isInt64(value: bigint): boolean {
  return value <= integerMax && value >= -integerMax - 1n;
}

function parseConnect(given: string): boolean {
  if (given === "") return false;
  const connect = parseBoolean(given);
  if (connect !== undefined) return connect;
  const problem = `strconv.ParseBool: parsing ${JSON.stringify(given)}: invalid syntax`;
  throw new ServiceError("invalid", `Error parsing 'connect' value: ${problem}`);
}
