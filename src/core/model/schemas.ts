// The schemas of Consul's types: which fields, in which order, which of them vanish when empty. The
// interfaces are in `types.ts`; each schema must name exactly its interface's fields.

import {
  flag,
  integer,
  omitEmpty,
  raftIndex,
  stringList,
  stringMap,
  structOf,
  text,
} from "./schema.ts";
import type { Field } from "./schema.ts";
import type * as types from "./types.ts";

const indexNames = ["CreateIndex", "ModifyIndex"] as const;
const raftIndexes = { CreateIndex: raftIndex, ModifyIndex: raftIndex };
const tagList = { type: stringList } as const satisfies Field;
const duration = <const Written extends "text" | "nanoseconds">(written: Written) =>
  ({ type: { kind: "duration", written, lenient: true } }) as const satisfies Field;

export const kvEntrySchema = structOf<types.KvEntry>()("structs.DirEntry", {
  LockIndex: raftIndex,
  Key: text,
  Flags: { type: { kind: "uint64" } },
  Value: { type: { kind: "bytes" } },
  Session: omitEmpty(text),
  ...raftIndexes,
});

const serviceCheckReferenceSchema = structOf<types.ServiceCheckReference>()(
  "structs.ServiceCheck",
  {
    ID: text,
    Namespace: text,
  },
);

const sessionFields = {
  ID: text,
  Name: text,
  Node: text,
  LockDelay: { type: { kind: "duration", written: "nanoseconds", lenient: true } },
  Behavior: { type: { kind: "string", goName: "structs.SessionBehavior" } },
  TTL: text,
  NodeChecks: tagList,
  ServiceChecks: { type: { kind: "list", item: serviceCheckReferenceSchema } },
  Checks: omitEmpty({
    type: { kind: "list", item: { kind: "string", goName: "types.CheckID" } },
  }),
} as const satisfies Record<string, Field>;

export const sessionDefinitionSchema = structOf<types.SessionDefinition>()(
  "struct { LockDelay interface {}; *structs.Alias }",
  sessionFields,
  { opaque: "lenient" },
);

export const nodeDefinitionSchema = structOf<types.NodeDefinition>()("api.Node", {
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: { type: stringMap },
  Meta: { type: stringMap },
});

export const nodeSchema = structOf<types.Node>()("structs.Node", {
  ...nodeDefinitionSchema.fields,
  ...raftIndexes,
});

const serviceAddressSchema = structOf<types.ServiceAddress>()("structs.ServiceAddress", {
  Address: text,
  Port: integer,
});

const taggedServiceAddresses = {
  type: { kind: "map", value: serviceAddressSchema },
  omitEmpty: true,
} as const satisfies Field;

export const weightsSchema = structOf<types.Weights>()(
  "structs.Weights",
  { Passing: integer, Warning: integer },
  { nullable: true },
);

/** Go's name of a struct that decodes itself and also reads some fields in snake case. */
function aliased(...fields: readonly [name: string, type: string, tag: string][]): string {
  const snake = fields.map(([name, type, tag]) => `${name}Snake ${type} "json:\\"${tag}\\""; `);
  return `struct { ${snake.join("")}*structs.Alias }`;
}

const proxyPart = { opaque: "strict" } as const;
const meshGateway = {
  type: structOf<types.MeshGateway>()("structs.MeshGatewayConfig", {
    Mode: omitEmpty({ type: { kind: "string", goName: "structs.MeshGatewayMode" } }),
  }),
} as const satisfies Field;
const anyMap = {
  type: { kind: "map", value: { kind: "any" } },
  omitEmpty: true,
  unfiltered: true,
} as const satisfies Field;

const upstreamSchema = structOf<types.Upstream>()(
  aliased(
    ["DestinationType", "string", "destination_type"],
    ["DestinationNamespace", "string", "destination_namespace"],
    ["DestinationName", "string", "destination_name"],
    ["LocalBindPort", "int", "local_bind_port"],
    ["LocalBindAddress", "string", "local_bind_address"],
  ),
  {
    DestinationType: text,
    DestinationNamespace: omitEmpty(text),
    DestinationName: text,
    Datacenter: text,
    LocalBindAddress: omitEmpty(text),
    LocalBindPort: integer,
    // Unlike that of a proxy, never left out.
    Config: { type: anyMap.type, unfiltered: true },
    MeshGateway: meshGateway,
  },
  {
    ...proxyPart,
    snakeCase: [
      "DestinationType",
      "DestinationNamespace",
      "DestinationName",
      "LocalBindAddress",
      "LocalBindPort",
    ],
  },
);

const exposePathSchema = structOf<types.ExposePath>()(
  aliased(["LocalPathPort", "int", "local_path_port"], ["ListenerPort", "int", "listener_port"]),
  {
    ListenerPort: omitEmpty(integer),
    Path: omitEmpty(text),
    LocalPathPort: omitEmpty(integer),
    Protocol: omitEmpty(text),
    ParsedFromCheck: flag,
  },
  { ...proxyPart, snakeCase: ["ListenerPort", "LocalPathPort"] },
);

const exposeSchema = structOf<types.Expose>()("structs.ExposeConfig", {
  Checks: omitEmpty(flag),
  Paths: omitEmpty({
    type: { kind: "list", item: exposePathSchema, goName: "[]structs.ExposePath" },
  }),
});

export const connectProxySchema = structOf<types.ConnectProxy>()(
  aliased(
    ["DestinationServiceName", "string", "destination_service_name"],
    ["DestinationServiceID", "string", "destination_service_id"],
    ["LocalServiceAddress", "string", "local_service_address"],
    ["LocalServicePort", "int", "local_service_port"],
  ),
  {
    DestinationServiceName: omitEmpty(text),
    DestinationServiceID: omitEmpty(text),
    LocalServiceAddress: omitEmpty(text),
    LocalServicePort: omitEmpty(integer),
    Config: anyMap,
    Upstreams: omitEmpty({
      type: { kind: "list", item: upstreamSchema, goName: "structs.Upstreams" },
    }),
    MeshGateway: meshGateway,
    Expose: { type: exposeSchema },
  },
  {
    ...proxyPart,
    snakeCase: [
      "DestinationServiceName",
      "DestinationServiceID",
      "LocalServiceAddress",
      "LocalServicePort",
    ],
  },
);

export const serviceConnectSchema = structOf<types.ServiceConnect>()(
  aliased(["SidecarService", "*structs.ServiceDefinition", "sidecar_service"]),
  { Native: omitEmpty(flag) },
  { opaque: "lenient" },
);

export const nodeServiceDefinitionSchema = structOf<types.NodeServiceDefinition>()(
  "structs.NodeService",
  {
    Kind: omitEmpty({ type: { kind: "string", goName: "structs.ServiceKind" } }),
    ID: text,
    Service: text,
    Tags: tagList,
    Address: text,
    TaggedAddresses: taggedServiceAddresses,
    Meta: { type: stringMap },
    Port: integer,
    Weights: { type: weightsSchema },
    EnableTagOverride: flag,
    Proxy: { type: connectProxySchema },
    Connect: { type: serviceConnectSchema },
  },
  { nullable: true, accepted: indexNames },
);

export const nodeServiceSchema = structOf<types.NodeService>()("structs.NodeService", {
  ...nodeServiceDefinitionSchema.fields,
  ...raftIndexes,
});

/** What Consul's API package writes for a check that says nothing of how it runs. */
export const unsaidDefinition = {
  Interval: "0s",
  Timeout: "0s",
  DeregisterCriticalServiceAfter: "0s",
  HTTP: "",
  Header: null,
  Method: "",
  Body: "",
  TLSSkipVerify: false,
  TCP: "",
};

export const healthCheckDefinitionSchema = structOf<types.HealthCheckDefinition>()(
  "struct { Interval interface {}; Timeout interface {}; " +
    "DeregisterCriticalServiceAfter interface {}; TTL interface {}; *structs.Alias }",
  {
    Interval: omitEmpty(duration("text")),
    OutputMaxSize: omitEmpty({ type: { kind: "integer", goName: "uint" } }),
    Timeout: omitEmpty(duration("text")),
    DeregisterCriticalServiceAfter: omitEmpty(duration("text")),
    HTTP: omitEmpty(text),
    TLSSkipVerify: omitEmpty(flag),
    Header: omitEmpty({ type: { kind: "map", value: stringList } }),
    Method: omitEmpty(text),
    Body: omitEmpty(text),
    TCP: omitEmpty(text),
    ScriptArgs: omitEmpty(tagList),
    DockerContainerID: omitEmpty(text),
    Shell: omitEmpty(text),
    GRPC: omitEmpty(text),
    GRPCUseTLS: omitEmpty(flag),
    AliasNode: omitEmpty(text),
    AliasService: omitEmpty(text),
    TTL: omitEmpty(duration("nanoseconds")),
  },
  { opaque: "lenient" },
);

export const healthCheckFieldsSchema = structOf<types.HealthCheckFields>()(
  "structs.HealthCheck",
  {
    Node: text,
    CheckID: { type: { kind: "string", goName: "types.CheckID" } },
    Name: text,
    Status: text,
    Notes: text,
    Output: text,
    ServiceID: text,
    ServiceName: text,
    ServiceTags: tagList,
    Type: text,
    Definition: { type: healthCheckDefinitionSchema, unfiltered: true },
  },
  { nullable: true, accepted: indexNames },
);

export const healthCheckSchema = structOf<types.HealthCheck>()("structs.HealthCheck", {
  ...healthCheckFieldsSchema.fields,
  ...raftIndexes,
});

export const serviceNodeSchema = structOf<types.ServiceNode>()("structs.ServiceNode", {
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: { type: stringMap },
  NodeMeta: { type: stringMap },
  ServiceKind: text,
  ServiceID: text,
  ServiceName: text,
  ServiceTags: tagList,
  ServiceAddress: text,
  ServiceTaggedAddresses: taggedServiceAddresses,
  ServiceWeights: { type: weightsSchema },
  ServiceMeta: { type: stringMap },
  ServicePort: integer,
  ServiceEnableTagOverride: flag,
  ServiceProxy: { type: connectProxySchema },
  ServiceConnect: { type: serviceConnectSchema },
  ...raftIndexes,
});

export const checkServiceNodeSchema = structOf<types.CheckServiceNode>()(
  "structs.CheckServiceNode",
  {
    Node: { type: nodeSchema },
    Service: { type: nodeServiceSchema },
    Checks: { type: { kind: "list", item: healthCheckSchema } },
  },
);

const checkList = {
  type: { kind: "list", item: healthCheckFieldsSchema, goName: "structs.HealthChecks" },
} as const satisfies Field;

export const registrationSchema = structOf<types.Registration>()(
  "structs.RegisterRequest",
  {
    Datacenter: text,
    ID: { type: { kind: "string", goName: "types.NodeID" } },
    Node: text,
    Address: text,
    TaggedAddresses: { type: stringMap },
    NodeMeta: { type: stringMap },
    Service: { type: nodeServiceDefinitionSchema },
    Check: { type: healthCheckFieldsSchema },
    Checks: checkList,
    SkipNodeUpdate: flag,
  },
  { accepted: ["Token"] },
);

export const deregistrationSchema = structOf<types.Deregistration>()(
  "struct { Address string; *structs.Alias }",
  {
    Datacenter: text,
    Node: text,
    ServiceID: text,
    CheckID: { type: { kind: "string", goName: "types.CheckID" } },
  },
  { opaque: "strict", accepted: ["Address", "Token"] },
);
