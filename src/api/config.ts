// `/v1/config`: entries that operators write once for all services.

import { decodeEntry, invalidKind } from "../core/model/config-entry/decode.ts";
import { isConfigKind } from "../core/model/config-entry/schemas.ts";
import { DecodeError } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { limits } from "../core/model/limits.ts";
import type { ConfigEntry } from "../core/model/config-entry/types.ts";
import { parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { malformed } from "./errors.ts";
import { json, text } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { configRoutes } from "./openapi/routes/config.ts";

const style: ReadStyle = { kind: "plain" };

export function configArea(parts: ReadParts): AreaOf<typeof configRoutes> {
  return {
    "/v1/config": { PUT: (request) => put(parts, request) },
    "/v1/config/": {
      GET: (request) => get(parts, request),
      DELETE: (request) => remove(parts, request),
    },
  };
}

/** Entries belong to the primary datacenter, whatever `?dc=` says. */
async function put({ cluster }: ReadParts, request: ApiRequest): Promise<Reply> {
  const given = decoded(await request.text(limits.configEntryBytesMax));
  request.refuseNamespaces();
  const options = ownOptions(request);
  if (request.query.get("cas") === "") {
    await cluster.write({ type: "config.set", ...given }, options);
    return json("true");
  }
  const index = request.uint64("cas");
  return json(String(await cluster.write({ type: "config.cas", ...given, index }, options)));
}

function decoded(body: string): ConfigEntry {
  try {
    return decodeEntry(body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ServiceError("bad-request", `Request decoding failed: ${error.message}`);
  }
}

/** `kind/name`, or a kind, or nothing, which is all of them. */
async function get(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  request.refuseNamespaces();
  const { kind, name } = pathOf(request);
  if (name === null) return await readWith(parts, style, options, "config.list", { kind });
  const reply = await readWith(parts, style, options, "config.get", { kind, name });
  if (reply.status !== 404) return reply;
  const what = `${JSON.stringify(kind)} / ${JSON.stringify(name)}`;
  return text(404, `Config entry not found for ${what}`, reply.headers);
}

async function remove({ cluster }: ReadParts, request: ApiRequest): Promise<Reply> {
  const { kind, name } = pathOf(request);
  if (name === null) {
    throw new ServiceError("not-found", "Must provide both a kind and name to delete");
  }
  if (!isConfigKind(kind)) throw malformed(invalidKind(kind));
  request.refuseNamespaces();
  await cluster.write({ type: "config.delete", kind, name }, ownOptions(request));
  return json("{}");
}

function ownOptions({ token }: ApiRequest): { token?: string } {
  return token === undefined ? {} : { token };
}

function pathOf({ rest }: ApiRequest): { kind: string; name: string | null } {
  const at = rest.indexOf("/");
  return at < 0
    ? { kind: rest, name: null }
    : { kind: rest.slice(0, at), name: rest.slice(at + 1) };
}
