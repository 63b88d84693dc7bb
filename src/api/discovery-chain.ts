// `/v1/discovery-chain`: how requests for a service find its instances.

import { decodeWeakly, decodingErrors } from "../core/model/config-entry/weak-decode.ts";
import { DecodeError } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { parseRawJson, RawObject } from "../core/model/raw-json.ts";
import type { ReadArguments } from "../core/state/reads.ts";
import { parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { malformed } from "./errors.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { type discoveryChainRoutes, overridesSchema } from "./openapi/routes/discovery-chain.ts";

/** Like catalog and health, but for the default staleness and the headers of failed reads. */
const style: ReadStyle = { kind: "discovery", cacheable: true };

interface Overrides {
  OverrideMeshGateway: { Mode: string };
  OverrideProtocol: string;
  /** Nanoseconds. */
  OverrideConnectTimeout: number;
}

const meshGatewayModes = new Set(["", "none", "local", "remote"]);

export function discoveryChainArea(parts: ReadParts): AreaOf<typeof discoveryChainRoutes> {
  return {
    "/v1/discovery-chain/": {
      GET: (request) => chain(parts, request),
      POST: (request) => chain(parts, request),
    },
  };
}

async function chain(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  if (request.rest === "") throw new ServiceError("bad-request", "Missing chain name");
  request.refuseNamespaces();
  const overrides = request.raw.method === "POST" ? await overridesOf(request) : {};
  const datacenter = request.query.get("compile-dc");
  const args = { service: request.rest, ...(datacenter !== "" && { datacenter }), ...overrides };
  return await readWith(parts, style, options, "discovery-chain.get", args);
}

async function overridesOf(
  request: ApiRequest,
): Promise<Omit<ReadArguments["discovery-chain.get"], "service">> {
  const {
    OverrideMeshGateway: { Mode: meshGateway },
    OverrideProtocol: protocol,
    OverrideConnectTimeout: connectTimeoutNs,
  } = decoded(await request.text());
  if (!meshGatewayModes.has(meshGateway)) {
    throw malformed("Invalid OverrideMeshGateway.Mode parameter");
  }
  return {
    ...(meshGateway !== "" && { meshGateway }),
    ...(protocol !== "" && { protocol }),
    ...(connectTimeoutNs > 0 && { connectTimeoutNs }),
  };
}

function decoded(body: string): Overrides {
  const { value, errors } = decodeWeakly(overridesSchema, parsed(body));
  if (errors.length > 0) throw undecodable(decodingErrors(errors));
  return value as unknown as Overrides;
}

function parsed(body: string): RawObject {
  try {
    const raw = parseRawJson(body);
    if (raw instanceof RawObject) return raw;
    if (raw === null) return new RawObject([]);
    const kind = Array.isArray(raw) ? "array" : typeof raw === "boolean" ? "bool" : typeof raw;
    const target = "Go value of type map[string]interface {}";
    throw new DecodeError(
      `json: cannot unmarshal ${kind === "object" ? "number" : kind} into ${target}`,
    );
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw undecodable(error.message);
  }
}

function undecodable(reason: string): ServiceError {
  return new ServiceError("bad-request", `Request decoding failed: ${reason}`);
}
