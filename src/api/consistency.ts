// The options that all reads share: which datacenter, how consistent, how long to wait for something new; and
// the headers by which an answer says what it is. Blocking itself happens behind the Cluster port.

import type { Cluster, Consistency, ReadOptions, ReadReply } from "../ports/cluster.ts";
import { DurationError, parseDurationMs } from "../core/model/duration.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { JsonValue } from "../core/model/json.ts";
import { limits } from "../core/model/limits.ts";
import type { ReadArguments, ReadName } from "../core/state/reads.ts";
import { errorReply, malformed } from "./errors.ts";
import { translated } from "./far-addresses.ts";
import type { Reply } from "./reply.ts";
import { empty, json } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

/** What reads need of the app. */
export interface ReadParts {
  cluster: Cluster;
  /** Node of the agent that is asked: what `near=_agent` means. */
  nodeName: string;
  /** In [0, 1). */
  random(): number;
  /** Catalog and health answers may be this old unless a request says otherwise; 0: never. */
  discoveryMaxStaleMs: number;
  /** `?cached` is understood; absent: yes. */
  usesCache?: boolean;
  /** How long a blocking read waits unless it says, and at most; absent: Consul's own. */
  defaultQueryTimeMs?: number;
  maxQueryTimeMs?: number;
  /** Own datacenter of an agent that shows others at their addresses in the WAN; absent: it shows what they say. */
  translatesFrom?: string;
}

type ReadSettings = Omit<ReadParts, "cluster" | "nodeName">;

export interface ReadStyle {
  /**
   * All but `plain`: failed reads carry index 1. `discovery` and `query`: answers carry X-Consul-Effective-Consistency.
   * `discovery`: they may be as old as the agent is configured to.
   */
  kind: "plain" | "session" | "discovery" | "query";
  /** `?cached` is understood. */
  cacheable?: true;
  /** Namespaces are refused before anything else is looked at. */
  refusesNamespaces?: true;
  /** What of an answer is shown; absent: all. */
  shown?(answer: ReadReply, options: ReadOptions): ReadReply;
  /** Any server's answer is better than none. */
  staleWithoutLeader?: true;
}

/**
 * Asks the cluster and answers with its body and headers; 404 without body when there is nothing. `args` is
 * called once the shared options were found to be fine.
 */
export async function read<Op extends ReadName>(
  parts: ReadParts,
  request: ApiRequest,
  style: ReadStyle,
  op: Op,
  args: (request: ApiRequest, parts: ReadParts) => ReadArguments[Op],
): Promise<Reply> {
  if (style.refusesNamespaces) request.refuseNamespaces();
  const options = parseReadOptions(parts, request, style);
  return await readWith(parts, style, options, op, args(request, parts));
}

/** The same with options that were parsed before. */
export async function readWith<Op extends ReadName>(
  parts: Pick<ReadParts, "cluster" | "translatesFrom">,
  style: ReadStyle,
  options: ReadOptions,
  op: Op,
  args: ReadArguments[Op],
): Promise<Reply> {
  const { cluster, translatesFrom } = parts;
  let answer: ReadReply;
  try {
    answer = await cluster.read(op, args as Record<string, JsonValue>, options);
    if (style.shown) answer = style.shown(answer, options);
    if (translatesFrom !== undefined) answer = translated(op, answer, options, translatesFrom);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (style.staleWithoutLeader && error.code === "no-leader") {
      const { staleWithoutLeader: _once, ...again } = style;
      return await readWith(parts, again, { ...options, consistency: "stale" }, op, args);
    }
    if (style.kind === "plain") throw error;
    const failed = errorReply(error);
    return { ...failed, headers: { ...failed.headers, ...failedHeaders } };
  }
  const headers = metaHeaders(answer);
  if (style.kind === "discovery" || style.kind === "query") {
    headers["X-Consul-Effective-Consistency"] = effectiveConsistency(options);
  }
  if (options.cached) Object.assign(headers, cacheHeaders(answer.cache));
  if (answer.body === null) return empty(404, headers);
  const reply = json(answer.body, headers);
  const { cache } = answer;
  // The first answer says MISS, those after it HIT.
  return cache?.hit ? { ...reply, isCurrent: cache.isCurrent } : reply;
}

/** What a read that failed says about itself, where Consul says anything. */
const failedHeaders = {
  "X-Consul-Index": "1",
  "X-Consul-Knownleader": "false",
  "X-Consul-Lastcontact": "0",
};

export function metaHeaders(answer: ReadReply): Record<string, string> {
  return {
    "X-Consul-Index": String(answer.index),
    ...leaderHeaders(answer),
    ...(answer.isFiltered && { "X-Consul-Results-Filtered-By-ACLs": "true" }),
  };
}

/** The part of {@link metaHeaders} that is not about the index. */
export function leaderHeaders(answer: ReadReply): Record<string, string> {
  return {
    "X-Consul-Knownleader": String(answer.knownLeader),
    "X-Consul-Lastcontact": String(Math.max(0, Math.round(answer.lastContactMs))),
  };
}

/** Whether a local copy answered, and how old it may be. */
export function cacheHeaders(
  cache: Pick<NonNullable<ReadReply["cache"]>, "hit" | "ageSeconds"> | undefined,
): Record<string, string> {
  return cache?.hit ? { "X-Cache": "HIT", Age: String(cache.ageSeconds) } : { "X-Cache": "MISS" };
}

const consistencyWords: Record<Consistency, string> = {
  default: "leader",
  consistent: "consistent",
  stale: "stale",
};

/** In Consul's words. */
export function effectiveConsistency({ consistency = "default" }: ReadOptions): string {
  return consistencyWords[consistency];
}

/** Parses everything in the order in which Consul complains. Throws ServiceError. */
export function parseReadOptions(
  parts: ReadSettings,
  request: ApiRequest,
  style: ReadStyle,
): ReadOptions {
  const options = parseAnswerOptions(parts, request, style);
  const blocking = parseBlocking(parts, request);
  return {
    ...options,
    ...blocking,
    // Asking for the signal has a price, and only who waits can go away.
    ...(blocking.minIndex !== undefined && { signal: request.raw.signal }),
  };
}

/** The same of what is answered at once, which does not look at `index` and `wait`. */
export function parseAnswerOptions(
  parts: ReadSettings,
  request: ApiRequest,
  style: ReadStyle,
): ReadOptions {
  const { token, datacenter } = request;
  checkCacheControl(request.header("Cache-Control"));
  return {
    ...(token !== undefined && { token }),
    ...(datacenter !== undefined && { dc: datacenter }),
    ...parseConsistency(parts, request, style),
  };
}

function parseConsistency(
  { discoveryMaxStaleMs, usesCache = true }: ReadSettings,
  { query }: ApiRequest,
  style: ReadStyle,
): Pick<ReadOptions, "consistency" | "maxStaleMs" | "cached"> {
  const isConsistent = query.has("consistent");
  const isCached = usesCache && query.has("cached");
  let maxStaleMs = parseMaxStale(query.get("max_stale"));
  let isStale = query.has("stale") || maxStaleMs > 0;
  const isPlain = !isStale && !isConsistent && !isCached && !query.has("leader");
  if (isPlain && style.kind === "discovery" && discoveryMaxStaleMs > 0) {
    isStale = true;
    maxStaleMs = discoveryMaxStaleMs;
  }
  if (isConsistent && isStale) {
    throw malformed("Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  if (isConsistent && isCached) {
    throw malformed("Cannot specify ?cached with ?consistent, conflicting semantics.");
  }
  return {
    consistency: isConsistent ? "consistent" : isStale ? "stale" : "default",
    ...(maxStaleMs > 0 && { maxStaleMs }),
    ...(isCached && style.cacheable && { cached: true }),
  };
}

function parseMaxStale(given: string): number {
  if (given === "") return 0;
  return durationMs(given, `Invalid max_stale value ${JSON.stringify(given)}`);
}

function parseBlocking(
  {
    random,
    defaultQueryTimeMs = limits.blockingQueryWaitMsDefault,
    maxQueryTimeMs = limits.blockingQueryWaitMsMax,
  }: ReadSettings,
  { query }: ApiRequest,
): Pick<ReadOptions, "minIndex" | "waitMs"> {
  const index = query.get("index");
  if (index !== "" && !(/^\d+$/.test(index) && BigInt(index) < 2n ** 64n)) {
    throw malformed("Invalid index");
  }
  const wait = query.get("wait");
  const givenMs = wait === "" ? 0 : durationMs(wait, "Invalid wait time");
  const minIndex = Number(index);
  if (minIndex === 0) return {};
  const waitMs = Math.min(givenMs <= 0 ? defaultQueryTimeMs : givenMs, maxQueryTimeMs);
  // Spreads out those who ask in step.
  const jitterMs = (random() * waitMs) / limits.blockingQueryJitterDivisor;
  return { minIndex, waitMs: Math.round(waitMs + jitterMs) };
}

function durationMs(given: string, message: string): number {
  try {
    return parseDurationMs(given);
  } catch (error) {
    if (error instanceof DurationError) throw malformed(message);
    throw error;
  }
}

/** Whether a request with this Cache-Control wants an answer that is fetched for it. */
export function mustRevalidate(header: string): boolean {
  return directivesOf(header).some(
    ([name, value]) => name === "must-revalidate" || (name === "max-age" && Number(value) === 0),
  );
}

function directivesOf(header: string): [name: string, value: string][] {
  return header
    .toLowerCase()
    .split(",")
    .map((directive) => {
      const [name = "", value = ""] = directive.trim().split("=");
      return [name, value];
    });
}

function checkCacheControl(header: string): void {
  if (header === "") return;
  for (const [name, value] of directivesOf(header)) {
    const hasSeconds = name === "max-age" || name === "stale-if-error";
    if (hasSeconds && !/^\d+$/.test(value)) throw malformed("Invalid Cache-Control header.");
  }
}
