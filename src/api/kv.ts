// `/v1/kv`: the key-value store. The key is everything after `/v1/kv/`, decoded; values are raw bytes here and
// base64 everywhere behind the port.

import { decodeBase64, encodeBase64 } from "../core/lib/base64.ts";
import { limits } from "../core/model/limits.ts";
import type { Command } from "../core/state/commands.ts";
import { parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { malformed } from "./errors.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { kvRoutes } from "./openapi/routes/kv.ts";

const style: ReadStyle = { kind: "plain" };
const missingKey = "Missing key name";

export interface KvParts extends ReadParts {
  /** Longest value, before base64; absent: Consul's default. */
  kvValueBytesMax?: number;
}

export function kvArea(parts: KvParts): AreaOf<typeof kvRoutes> {
  return {
    "/v1/kv/": {
      GET: (request) => get(parts, request),
      PUT: (request) => put(parts, request),
      DELETE: (request) => remove(parts, request),
    },
  };
}

async function get(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const { query, rest: key } = request;
  const options = parseReadOptions(parts, request, style);
  if (query.has("keys")) {
    request.refuseNamespaces();
    const separator = query.get("separator") || query.get("seperator");
    const args = { prefix: key, ...(separator !== "" && { separator }) };
    return await readWith(parts, style, options, "kv.keys", args);
  }
  if (query.has("recurse")) {
    request.refuseNamespaces();
    return await readWith(parts, style, options, "kv.list", { prefix: key });
  }
  request.require(missingKey);
  request.refuseNamespaces();
  const reply = await readWith(parts, style, options, "kv.get", { key });
  return query.has("raw") && reply.status === 200 ? rawValue(reply) : reply;
}

/** The bytes of the one entry in `reply`, made harmless for browsers. */
function rawValue(reply: Reply): Reply {
  const [entry] = JSON.parse(reply.body as string) as [{ Value: string | null }];
  return {
    status: 200,
    headers: {
      ...reply.headers,
      "Content-Type": "text/plain",
      "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": "sandbox",
    },
    body: decodeBase64(entry.Value ?? ""),
    isJson: false,
  };
}

async function put(parts: KvParts, request: ApiRequest): Promise<Reply> {
  const key = request.require(missingKey);
  refuseConflict(request, "cas", "acquire", "release");
  request.refuseNamespaces();
  const flags = request.query.has("flags") ? request.uint64("flags") : "0";
  const index = request.query.has("cas") ? request.uint64("cas") : null;
  const { kvValueBytesMax: bytesMax = limits.kvValueBytesMax } = parts;
  const value = encodeBase64(
    await request.bytes(bytesMax, (bytes) => valueTooLarge(bytes, bytesMax)),
  );
  const write = { key, value, flags };
  const result = await parts.cluster.write(putCommand(request, write, index), request.writeOptions);
  return json(String(result));
}

type PutCommand = Extract<Command, { type: "kv.set" | "kv.cas" | "kv.lock" | "kv.unlock" }>;

function putCommand(
  { query }: ApiRequest,
  write: { key: string; value: string; flags: string },
  index: string | null,
): PutCommand {
  if (index !== null) return { type: "kv.cas", ...write, index };
  if (query.has("acquire")) return { type: "kv.lock", ...write, session: query.get("acquire") };
  if (query.has("release")) return { type: "kv.unlock", ...write, session: query.get("release") };
  return { type: "kv.set", ...write };
}

async function remove(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const { query, rest: key } = request;
  const isTree = query.has("recurse");
  if (!isTree) request.require(missingKey);
  refuseConflict(request, "recurse", "cas");
  request.refuseNamespaces();
  const options = request.writeOptions;
  if (isTree) {
    await parts.cluster.write({ type: "kv.delete-tree", prefix: key }, options);
    return json("true");
  }
  if (query.has("cas")) {
    const index = request.uint64("cas");
    return json(String(await parts.cluster.write({ type: "kv.delete-cas", key, index }, options)));
  }
  await parts.cluster.write({ type: "kv.delete", key }, options);
  return json("true");
}

/** Only one of these flags may be given. */
function refuseConflict({ query }: ApiRequest, ...flags: string[]): void {
  if (flags.filter((flag) => query.has(flag)).length > 1) {
    throw malformed(`Conflicting flags: ${query.encode()}`);
  }
}

function valueTooLarge(bytes: number, bytesMax: number): string {
  return (
    `Request body(${bytes} bytes) too large, max size: ${bytesMax} bytes. ` +
    "See https://www.consul.io/docs/agent/options.html#kv_max_value_size."
  );
}
