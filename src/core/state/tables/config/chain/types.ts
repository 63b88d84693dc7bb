// A compiled discovery chain: how requests for a service find its instances, as a graph of routers, splitters and
// resolvers that ends at targets. Shapes and field order are Consul's.

import type { ResolverSubset, ServiceRoute } from "../../../../model/config-entry/types.ts";
import {
  routeSchema,
  subsetSchema,
  meshGatewaySchema,
} from "../../../../model/config-entry/schemas.ts";
import { flag, float, omitEmpty, stringList, struct, text } from "../../../../model/schema.ts";
import type { StructType } from "../../../../model/schema.ts";

export interface ChainRoute {
  Definition: ServiceRoute;
  NextNode: string;
}

export interface ChainSplit {
  Weight: number;
  NextNode: string;
}

export interface ChainResolver {
  /** Nanoseconds. */
  ConnectTimeout: number;
  Default: boolean;
  Target: string;
  Failover: { Targets: string[] } | null;
}

export type ChainNode =
  | { Type: "router"; Name: string; Routes: ChainRoute[] }
  | { Type: "splitter"; Name: string; Splits: ChainSplit[] }
  | { Type: "resolver"; Name: string; Resolver: ChainResolver };

export interface ChainTarget {
  ID: string;
  Service: string;
  ServiceSubset: string;
  Namespace: string;
  Datacenter: string;
  MeshGateway: { Mode: string };
  Subset: ResolverSubset;
  External: boolean;
  SNI: string;
  Name: string;
}

export interface DiscoveryChain {
  ServiceName: string;
  Namespace: string;
  Datacenter: string;
  /** Names the overrides that changed something; "" when none did. */
  CustomizationHash: string;
  Protocol: string;
  StartNode: string;
  Nodes: Record<string, ChainNode>;
  Targets: Record<string, ChainTarget>;
}

const goName = "structs.Chain";
const optionalText = omitEmpty(text);
const listOf = <Item extends StructType>(item: Item) => omitEmpty({ type: { kind: "list", item } });
const mapOf = <Value extends StructType>(value: Value) =>
  omitEmpty({ type: { kind: "map", value } });

const resolver = struct(goName, {
  ConnectTimeout: { type: { kind: "duration", written: "text" } },
  Default: omitEmpty(flag),
  Target: text,
  Failover: omitEmpty({
    type: struct(goName, { Targets: { type: stringList } }, { nullable: true }),
  }),
});

const node = struct(goName, {
  Type: text,
  Name: text,
  Routes: listOf(struct(goName, { Definition: { type: routeSchema }, NextNode: text })),
  Splits: listOf(struct(goName, { Weight: float, NextNode: text })),
  Resolver: { type: resolver },
});

const target = struct(goName, {
  ID: text,
  Service: text,
  ServiceSubset: optionalText,
  Namespace: text,
  Datacenter: text,
  MeshGateway: { type: meshGatewaySchema },
  Subset: { type: subsetSchema },
  External: omitEmpty(flag),
  SNI: text,
  Name: text,
});

export const chainSchema = struct(goName, {
  ServiceName: text,
  Namespace: text,
  Datacenter: text,
  CustomizationHash: optionalText,
  Protocol: text,
  StartNode: text,
  Nodes: mapOf(node),
  Targets: mapOf(target),
});
