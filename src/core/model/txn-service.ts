// A service as a transaction's body carries it: all that an agent answers about one is read, so that what is wrong with
// it is said, but what kind of proxy it is and for whom does not enter the catalog this way, as in Consul 1.8.

import { flag, integer, raftIndex, stringList, stringMap, struct, text } from "./schema.ts";
import type { Field, StructType } from "./schema.ts";
import type { NodeServiceDefinition } from "./types.ts";

type Nullable = Pick<StructType, "nullable">;

const nullable = { nullable: true } as const;
const nested = <const Given extends StructType["fields"], const Said extends Nullable = object>(
  goName: string,
  fields: Given,
  options?: Said,
) => ({ type: struct(goName, fields, options) });
const list = <const Item extends Field>(item: Item) =>
  ({ type: { kind: "list", item: item.type } }) as const;
const named = (goName: string) => ({ type: { kind: "string", goName } }) as const satisfies Field;
const anyMap = { type: { kind: "map", value: { kind: "any" } } } as const satisfies Field;
const anything = { type: { kind: "any" } } as const satisfies Field;
const uint64 = { type: { kind: "uint64" } } as const satisfies Field;

const meshGateway = nested("api.MeshGatewayConfig", { Mode: named("api.MeshGatewayMode") });
const serviceAddress = nested("api.ServiceAddress", { Address: text, Port: integer });

const upstream = nested("api.Upstream", {
  DestinationType: named("api.UpstreamDestType"),
  DestinationNamespace: text,
  DestinationName: text,
  Datacenter: text,
  LocalBindAddress: text,
  LocalBindPort: integer,
  Config: anyMap,
  MeshGateway: meshGateway,
});

const exposePath = nested("api.ExposePath", {
  ListenerPort: integer,
  Path: text,
  LocalPathPort: integer,
  Protocol: text,
  ParsedFromCheck: flag,
});

const proxy = nested(
  "api.AgentServiceConnectProxyConfig",
  {
    DestinationServiceName: text,
    DestinationServiceID: text,
    LocalServiceAddress: text,
    LocalServicePort: integer,
    Config: anyMap,
    Upstreams: list(upstream),
    MeshGateway: meshGateway,
    Expose: nested("api.ExposeConfig", { Checks: flag, Paths: list(exposePath) }),
  },
  nullable,
);

/** What of it becomes part of the catalog. */
const kept = {
  ID: text,
  Service: text,
  Tags: { type: stringList },
  Meta: { type: stringMap },
  Port: integer,
  Address: text,
  Weights: nested("api.AgentWeights", { Passing: integer, Warning: integer }, nullable),
  EnableTagOverride: flag,
} as const satisfies Partial<Record<keyof NodeServiceDefinition, Field>>;

export type TxnService = Pick<NodeServiceDefinition, keyof typeof kept>;

export const txnServiceSchema = {
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
    Connect: nested(
      "api.AgentServiceConnect",
      { Native: flag, SidecarService: anything },
      nullable,
    ),
    Namespace: text,
  },
} as const satisfies StructType;

/** The part of a decoded service that the catalog is given. */
export function keptPart(decoded: TxnService): TxnService {
  const names = Object.keys(kept) as (keyof TxnService)[];
  return Object.fromEntries(names.map((name) => [name, decoded[name]])) as unknown as TxnService;
}
