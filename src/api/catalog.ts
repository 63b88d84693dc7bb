// `/v1/catalog`: nodes and services as they are registered, and registering them without an agent.

import { encodeJson } from "../core/model/json.ts";
import { deregistrationSchema, registrationSchema } from "../core/model/schemas.ts";
import type { Deregistration, Registration } from "../core/model/types.ts";
import type { ReadArguments } from "../core/state/reads.ts";
import type { WriteOptions } from "../ports/cluster.ts";
import { parseAnswerOptions, read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import {
  filterArguments,
  instanceArguments,
  listArguments,
  servicesArguments,
} from "./list-arguments.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { catalogRoutes } from "./openapi/routes/catalog.ts";

const nodes: ReadStyle = { kind: "discovery" };
const discovery: ReadStyle = { kind: "discovery", refusesNamespaces: true };
const cacheable: ReadStyle = { ...discovery, cacheable: true };
const decodeFailed = "Request decode failed: ";

export function catalogArea(parts: ReadParts): AreaOf<typeof catalogRoutes> {
  return {
    "/v1/catalog/register": { PUT: (request) => register(parts, request) },
    "/v1/catalog/deregister": { PUT: (request) => deregister(parts, request) },
    "/v1/catalog/datacenters": { GET: (request) => datacenters(parts, request) },
    "/v1/catalog/nodes": {
      GET: (request) => read(parts, request, nodes, "catalog.nodes", listArguments),
    },
    "/v1/catalog/services": {
      GET: (request) => read(parts, request, cacheable, "catalog.services", servicesArguments),
    },
    "/v1/catalog/service/": {
      GET: (request) => read(parts, request, cacheable, "catalog.service", instances),
    },
    "/v1/catalog/connect/": {
      GET: (request) => read(parts, request, cacheable, "catalog.connect", instances),
    },
    "/v1/catalog/gateway-services/": {
      GET: (request) => read(parts, request, discovery, "catalog.gateway-services", gateway),
    },
    "/v1/catalog/node/": {
      GET: (request) => read(parts, request, discovery, "catalog.node", oneNode),
    },
    "/v1/catalog/node-services/": {
      GET: (request) => read(parts, request, discovery, "catalog.node-services", oneNode),
    },
  };
}

function instances(request: ApiRequest, parts: ReadParts): ReadArguments["catalog.service"] {
  return instanceArguments(request, parts, "Missing service name");
}

function gateway(request: ApiRequest): ReadArguments["catalog.gateway-services"] {
  return { gateway: request.require("Missing gateway name") };
}

function oneNode(request: ApiRequest): ReadArguments["catalog.node"] {
  return { node: request.require("Missing node name"), ...filterArguments(request) };
}

/** The body names the datacenter; `?dc=` is ignored. */
async function register({ cluster }: ReadParts, request: ApiRequest): Promise<Reply> {
  const body = await request.decode(registrationSchema, "refuse", decodeFailed);
  const registration = body as Registration;
  const options = bodyOptions(request, registration);
  await cluster.write({ type: "catalog.register", registration }, options);
  return json("true");
}

async function deregister({ cluster }: ReadParts, request: ApiRequest): Promise<Reply> {
  const body = await request.decode(deregistrationSchema, "refuse", decodeFailed);
  const deregistration = body as Deregistration;
  const options = bodyOptions(request, deregistration);
  await cluster.write({ type: "catalog.deregister", deregistration }, options);
  return json("true");
}

function bodyOptions(
  { token }: ApiRequest,
  { Datacenter: dc }: { Datacenter: string },
): WriteOptions {
  return { ...(token !== undefined && { token }), ...(dc !== "" && { dc }) };
}

async function datacenters(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const { cached } = parseAnswerOptions(parts, request, cacheable);
  const names = await parts.cluster.datacenters();
  return json(encodeJson(names), cached ? { "X-Cache": "MISS" } : {});
}
