// `/v1/agent/connect`: what a proxy asks of the agent beside it: whom to trust, its service's certificate, and whether
// a connection is allowed. Answered from what the agent keeps.

import { ServiceError } from "../core/model/errors.ts";
import { concernsSource, defaultNamespace, describeIntention } from "../core/model/intention.ts";
import type { Intention } from "../core/model/intention.ts";
import { encodeJson, encodeString } from "../core/model/json.ts";
import { parseSpiffeId } from "../core/model/spiffe.ts";
import type { LeafSource } from "../ports/leaf-source.ts";
import { withoutLeader } from "./ca.ts";
import { cacheHeaders, parseReadOptions, readWith } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { type agentConnectRoutes, authorizeSchema } from "./openapi/routes/agent-connect.ts";

export interface AgentConnectParts extends ReadParts {
  leaves: LeafSource;
}

const style: ReadStyle = { kind: "plain", cacheable: true };

export function agentConnectArea(parts: AgentConnectParts): AreaOf<typeof agentConnectRoutes> {
  return {
    "/v1/agent/connect/authorize": { POST: (request) => authorize(parts, request) },
    "/v1/agent/connect/ca/roots": { GET: (request) => roots(parts, request) },
    "/v1/agent/connect/ca/leaf/": { GET: (request) => leaf(parts, request) },
  };
}

async function roots(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  const reply = await readWith(parts, style, { ...options, cached: true }, "ca.roots", {});
  return withoutLeader(reply);
}

async function leaf(parts: AgentConnectParts, request: ApiRequest): Promise<Reply> {
  const { dc, token, minIndex, waitMs, signal } = parseReadOptions(parts, request, style);
  const { leaf: held, ...found } = await parts.leaves.leaf(request.rest, {
    ...(dc !== undefined && { dc }),
    ...(token !== undefined && { token }),
    ...(minIndex !== undefined && { minIndex }),
    ...(waitMs !== undefined && { waitMs }),
    ...(signal && { signal }),
  });
  const members: [string, string | number][] = [
    ["SerialNumber", held.serialNumber],
    ["CertPEM", held.certPem],
    ["PrivateKeyPEM", held.privateKeyPem],
    ["Service", held.service],
    ["ServiceURI", held.serviceUri],
    ["ValidAfter", held.validAfter],
    ["ValidBefore", held.validBefore],
    ["CreateIndex", held.index],
    ["ModifyIndex", held.index],
  ];
  const body = members.map(([name, value]) => `${encodeString(name)}:${encodeJson(value)}`);
  const headers = { "X-Consul-Index": String(held.index), ...cacheHeaders(found) };
  return json(`{${body.join(",")}}`, headers);
}

interface Authorize {
  Target: string;
  ClientCertURI: string;
}

/** What the servers say of a target. */
interface About {
  Intentions: Intention[];
  Default: { Allowed: boolean; Reason: string };
}

/** Asked for each new connection, so what the servers say of the target is followed, not fetched. */
async function authorize(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const prefix = "Bad request: Request decode failed: ";
  const { Target: name, ClientCertURI: uri } = (await request.decode(
    authorizeSchema,
    "refuse",
    prefix,
  )) as Authorize;
  if (name === "") throw new ServiceError("bad-request", "Target service must be specified");
  const id = parseSpiffeId(uri);
  if (!id) throw notValid("Connect");
  if (id.kind !== "service") throw notValid("Service");
  const source = { ns: id.namespace, name: id.service };
  const { token } = request;
  const target = { ns: defaultNamespace, name };
  const options = { cached: true, ...(token !== undefined && { token }) };
  const { body, cache } = await parts.cluster.read("intention.about", { target }, options);
  const about = JSON.parse(body ?? "{}") as About;
  const decisive = about.Intentions.find((intention) => concernsSource(intention, source));
  const authorized = decisive ? decisive.Action === "allow" : about.Default.Allowed;
  const reason = decisive
    ? `Matched intention: ${describeIntention(decisive)}`
    : about.Default.Reason;
  const headers = cacheHeaders(cache ?? { hit: false, ageSeconds: 0 });
  return json(`{"Authorized":${authorized},"Reason":${encodeString(reason)}}`, headers);
}

function notValid(what: "Connect" | "Service"): ServiceError {
  return new ServiceError("bad-request", `ClientCertURI not a valid ${what} identifier`);
}
