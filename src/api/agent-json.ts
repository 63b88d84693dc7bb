// How `/v1/agent/*` writes what an agent holds: fields and order are those of Consul's API package,
// which differ from the catalog's.

import {
  encode,
  flag,
  integer,
  omitEachEmpty,
  omitEmpty,
  stringList,
  stringMap,
  struct,
  text,
  type StructType,
} from "../core/model/schema.ts";
import {
  connectProxySchema,
  nodeServiceDefinitionSchema,
  serviceConnectSchema,
  weightsSchema,
  unsaidDefinition,
} from "../core/model/schemas.ts";
import type { HealthCheck, NodeService } from "../core/model/types.ts";
import type { AggregatedStatus, ServiceHealth } from "../ports/local-agent.ts";
import { encodeOrdered } from "./ordered-json.ts";

/** The catalog writes nearly every field of an upstream, the agent its name and what is set. */
const upstreamSchema = struct("api.Upstream", {
  ...omitEachEmpty(connectProxySchema.fields.Upstreams.type.item.fields),
  DestinationName: text,
});

const agentProxySchema = struct("api.AgentServiceConnectProxyConfig", {
  ...connectProxySchema.fields,
  Upstreams: omitEmpty({ type: { kind: "list", item: upstreamSchema } }),
});

export const agentServiceSchema = {
  kind: "struct",
  goName: "api.AgentService",
  fields: {
    Kind: omitEmpty(text),
    ID: text,
    Service: text,
    Tags: { type: stringList },
    Meta: { type: stringMap },
    Port: integer,
    Address: text,
    TaggedAddresses: nodeServiceDefinitionSchema.fields.TaggedAddresses,
    Weights: { type: weightsSchema },
    EnableTagOverride: flag,
    ContentHash: omitEmpty(text),
    Proxy: omitEmpty({ type: agentProxySchema }),
    Connect: omitEmpty({ type: serviceConnectSchema }),
  },
} as const satisfies StructType;

/** Kinds whose proxy configuration is shown. */
const proxyKinds: readonly string[] = [
  "connect-proxy",
  "mesh-gateway",
  "terminating-gateway",
  "ingress-gateway",
];

/** `hash` "" leaves the content hash out. */
export function agentService(service: NodeService, hash = ""): string {
  const { Proxy: proxy, Connect: connect, ...rest } = service;
  return encode(agentServiceSchema, {
    ...rest,
    Meta: service.Meta ?? {},
    ContentHash: hash,
    ...(proxyKinds.includes(service.Kind) && { Proxy: proxy }),
    ...(connect.Native && { Connect: connect }),
  });
}

function healthCheck(check: HealthCheck): object {
  return {
    Node: check.Node,
    CheckID: check.CheckID,
    Name: check.Name,
    Status: check.Status,
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: check.ServiceID,
    ServiceName: check.ServiceName,
    ServiceTags: check.ServiceTags?.length ? check.ServiceTags : null,
    Type: "",
    Definition: unsaidDefinition,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

export function serviceHealth({ status, service, checks }: ServiceHealth): string {
  const encoded = encodeOrdered(checks.map(healthCheck));
  return `{"AggregatedStatus":"${status}","Service":${agentService(service)},"Checks":${encoded}}`;
}

/** From best to worst. */
const severity: readonly AggregatedStatus[] = ["passing", "warning", "critical", "maintenance"];

export function worstStatus(healths: readonly ServiceHealth[]): AggregatedStatus {
  const worst = Math.max(0, ...healths.map(({ status }) => severity.indexOf(status)));
  return severity[worst] ?? "critical";
}
