// A service as a transaction's body carries it: all that an agent answers about one is read, so that what is wrong with
// it is said, but what kind of proxy it is and for whom does not enter the catalog this way, as in Consul 1.8.

import { flag, integer, raftIndex, stringList, stringMap, text } from "./schema.ts";
import type { Field, StructType } from "./schema.ts";
import type { NodeServiceDefinition } from "./types.ts";

const struct = (goName: string, fields: Record<string, Field>, nullable?: true): Field => ({
  type: { kind: "struct", goName, fields, ...(nullable && { nullable }) },
});
const list = (item: Field): Field => ({ type: { kind: "list", item: item.type } });
const named = (goName: string): Field => ({ type: { kind: "string", goName } });
const anyMap: Field = { type: { kind: "map", value: { kind: "any" } } };
const anything: Field = { type: { kind: "any" } };
const uint64: Field = { type: { kind: "uint64" } };

const meshGateway = struct("api.MeshGatewayConfig", { Mode: named("api.MeshGatewayMode") });
const serviceAddress = struct("api.ServiceAddress", { Address: text, Port: integer });

const upstream = struct("api.Upstream", {
  DestinationType: named("api.UpstreamDestType"),
  DestinationNamespace: text,
  DestinationName: text,
  Datacenter: text,
  LocalBindAddress: text,
  LocalBindPort: integer,
  Config: anyMap,
  MeshGateway: meshGateway,
});

const exposePath = struct("api.ExposePath", {
  ListenerPort: integer,
  Path: text,
  LocalPathPort: integer,
  Protocol: text,
  ParsedFromCheck: flag,
});

const proxy = struct(
  "api.AgentServiceConnectProxyConfig",
  {
    DestinationServiceName: text,
    DestinationServiceID: text,
    LocalServiceAddress: text,
    LocalServicePort: integer,
    Config: anyMap,
    Upstreams: list(upstream),
    MeshGateway: meshGateway,
    Expose: struct("api.ExposeConfig", { Checks: flag, Paths: list(exposePath) }),
  },
  true,
);

/** What of it becomes part of the catalog. */
const kept = {
  ID: text,
  Service: text,
  Tags: { type: stringList },
  Meta: { type: stringMap },
  Port: integer,
  Address: text,
  Weights: struct("api.AgentWeights", { Passing: integer, Warning: integer }, true),
  EnableTagOverride: flag,
} as const satisfies Partial<Record<keyof NodeServiceDefinition, Field>>;

export type TxnService = Pick<NodeServiceDefinition, keyof typeof kept>;

export const txnServiceSchema: StructType = {
  kind: "struct",
  goName: "api.AgentService",
  fields: {
    ...kept,
    Kind: named("api.ServiceKind"),
    TaggedAddresses: { type: { kind: "map", value: serviceAddress.type } },
    CreateIndex: raftIndex,
    ModifyIndex: uint64,
    ContentHash: text,
    Proxy: proxy,
    Connect: struct("api.AgentServiceConnect", { Native: flag, SidecarService: anything }, true),
    Namespace: text,
  },
};

/** The part of a decoded service that the catalog is given. */
export function keptPart(decoded: TxnService): TxnService {
  const names = Object.keys(kept) as (keyof TxnService)[];
  return Object.fromEntries(names.map((name) => [name, decoded[name]])) as unknown as TxnService;
}
