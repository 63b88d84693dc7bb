// `/v1/connect/ca`: roots and configuration of Connect's certificate authority.

import type { CaConfiguration } from "../core/model/ca-configuration.ts";
import { decodeBody } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { parseReadOptions, read } from "./consistency.ts";
import type { ReadParts, ReadStyle } from "./consistency.ts";
import { empty, json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { decoding, parseBoolean } from "./request.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { bodySchema, type caRoutes } from "./openapi/routes/ca.ts";

const style: ReadStyle = { kind: "session" };

export function caArea(parts: ReadParts): AreaOf<typeof caRoutes> {
  return {
    "/v1/connect/ca/roots": { GET: (request) => roots(parts, request) },
    "/v1/connect/ca/configuration": {
      GET: (request) => configuration(parts, request),
      PUT: (request) => configure(parts, request),
    },
  };
}

async function roots(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const given = request.query.get("pem");
  const pem = given === "" ? false : parseBoolean(given);
  if (pem === undefined) {
    const reason = "The 'pem' query parameter must be a boolean value";
    throw new ServiceError("bad-request", reason);
  }
  const reply = await read(parts, request, style, "ca.roots", () => ({}));
  if (reply.status !== 200) return reply;
  return pem ? chain(reply.body as string) : withoutLeader(reply);
}

/** Consul does not say here that it knows a leader. */
export function withoutLeader(reply: Reply): Reply {
  const headers = { ...reply.headers, "X-Consul-Knownleader": "false" };
  return { ...reply, headers: { ...headers, "X-Consul-Lastcontact": "0" } };
}

function chain(body: string): Reply {
  const { Roots: list } = JSON.parse(body) as {
    Roots: { RootCert: string; IntermediateCerts: string[] | null }[];
  };
  const certificates = list.flatMap(({ RootCert: root, IntermediateCerts: others }) => [
    root,
    ...(others ?? []),
  ]);
  const headers = { "Content-Type": "application/pem-certificate-chain" };
  return { status: 200, headers, body: certificates.join(""), isJson: false };
}

/** May wait like any read, but answers without an index. */
async function configuration(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, style);
  const { body } = await parts.cluster.read("ca.configuration", {}, options);
  return json(body ?? "{}");
}

async function configure({ cluster }: ReadParts, request: ApiRequest): Promise<Reply> {
  const body = await request.text();
  const prefix = "Bad request: Request decode failed: ";
  const given = decoding(prefix, () => decodeBody(bodySchema, body, "refuse")) as Body;
  const wanted: CaConfiguration = {
    Provider: given.Provider,
    Config: given.Config,
    ForceWithoutCrossSigning: given.ForceWithoutCrossSigning || given.force_without_cross_signing,
  };
  await cluster.configureCa(wanted, request.writeOptions);
  return empty();
}

type Body = CaConfiguration & { force_without_cross_signing: boolean };
