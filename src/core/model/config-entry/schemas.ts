// The shapes of configuration entries, for reading and writing them.

import {
  flag,
  float,
  integer,
  omitEmpty,
  stringList,
  stringMap,
  structOf,
  text,
} from "../schema.ts";
import type { Field, StructType } from "../schema.ts";
import type * as types from "./types.ts";
import type { ConfigKind } from "./types.ts";
import type { Expose, ExposePath, MeshGateway } from "../types.ts";

const goName = "structs.ConfigEntry";
const nullable = { nullable: true } as const;

const aka = <const Given extends Field>(alias: string, field: Given) => ({ ...field, alias });
const listOf = <Item extends StructType>(item: Item) =>
  ({ type: { kind: "list", item } }) as const satisfies Field;
const mapOf = <Value extends StructType>(value: Value) =>
  omitEmpty({ type: { kind: "map", value } });

const optionalText = omitEmpty(text);
const optionalFlag = omitEmpty(flag);
const texts = { type: stringList } as const satisfies Field;
const uint32 = { kind: "integer", goName: "uint32" } as const;
const duration = omitEmpty({ type: { kind: "duration", written: "text" } });
const meta = { Meta: omitEmpty({ type: stringMap }) } as const;
const identity = { Kind: text, Name: text } as const;

export const meshGatewaySchema = structOf<MeshGateway>()(goName, {
  Mode: omitEmpty({ type: { kind: "string", goName: "structs.MeshGatewayMode" } }),
});

const exposePath = structOf<ExposePath>()(goName, {
  ListenerPort: aka("listener_port", omitEmpty(integer)),
  Path: optionalText,
  LocalPathPort: aka("local_path_port", omitEmpty(integer)),
  Protocol: optionalText,
  ParsedFromCheck: flag,
});

const expose = structOf<Expose>()(goName, {
  Checks: optionalFlag,
  Paths: omitEmpty(listOf(exposePath)),
});

const mesh = {
  MeshGateway: aka("mesh_gateway", { type: meshGatewaySchema }),
  Expose: { type: expose },
} as const;

const serviceDefaults = structOf<types.ServiceDefaults>()(goName, {
  ...identity,
  Protocol: text,
  ...mesh,
  ExternalSNI: aka("external_sni", optionalText),
  ...meta,
});

const proxyDefaults = structOf<types.ProxyDefaults>()(goName, {
  ...identity,
  Config: { type: { kind: "map", value: { kind: "any" } } },
  ...mesh,
  ...meta,
});

const headerMatch = structOf<types.HeaderMatch>()(goName, {
  Name: text,
  Present: optionalFlag,
  Exact: optionalText,
  Prefix: optionalText,
  Suffix: optionalText,
  Regex: optionalText,
  Invert: optionalFlag,
});

const queryParamMatch = structOf<types.QueryParamMatch>()(goName, {
  Name: text,
  Present: optionalFlag,
  Exact: optionalText,
  Regex: optionalText,
});

const httpMatch = structOf<types.HttpMatch>()(
  goName,
  {
    PathExact: aka("path_exact", optionalText),
    PathPrefix: aka("path_prefix", optionalText),
    PathRegex: aka("path_regex", optionalText),
    Header: omitEmpty(listOf(headerMatch)),
    QueryParam: aka("query_param", omitEmpty(listOf(queryParamMatch))),
    Methods: omitEmpty(texts),
  },
  nullable,
);

const routeMatch = structOf<{ HTTP: unknown }>()(
  goName,
  { HTTP: omitEmpty({ type: httpMatch }) },
  nullable,
);

const destination = structOf<types.RouteDestination>()(
  goName,
  {
    RequestTimeout: aka("request_timeout", duration),
    Service: optionalText,
    ServiceSubset: aka("service_subset", optionalText),
    Namespace: optionalText,
    PrefixRewrite: aka("prefix_rewrite", optionalText),
    NumRetries: aka("num_retries", omitEmpty({ type: uint32 })),
    RetryOnConnectFailure: aka("retry_on_connect_failure", optionalFlag),
    RetryOnStatusCodes: aka(
      "retry_on_status_codes",
      omitEmpty({ type: { kind: "list", item: uint32 } }),
    ),
  },
  nullable,
);

/** As the discovery chain shows it, too. */
export const routeSchema = structOf<types.ServiceRoute>()(goName, {
  Match: omitEmpty({ type: routeMatch }),
  Destination: omitEmpty({ type: destination }),
});

const serviceRouter = structOf<types.ServiceRouter>()(goName, {
  ...identity,
  Routes: listOf(routeSchema),
  ...meta,
});

const split = structOf<types.ServiceSplit>()(goName, {
  Weight: float,
  Service: optionalText,
  ServiceSubset: aka("service_subset", optionalText),
  Namespace: optionalText,
});

const serviceSplitter = structOf<types.ServiceSplitter>()(goName, {
  ...identity,
  Splits: listOf(split),
  ...meta,
});

/** As the discovery chain shows it, too. */
export const subsetSchema = structOf<types.ResolverSubset>()(goName, {
  Filter: optionalText,
  OnlyPassing: aka("only_passing", optionalFlag),
});

const redirect = structOf<types.ResolverRedirect>()(
  goName,
  {
    Service: optionalText,
    ServiceSubset: aka("service_subset", optionalText),
    Namespace: optionalText,
    Datacenter: optionalText,
  },
  nullable,
);

const failover = structOf<types.ResolverFailover>()(goName, {
  Service: optionalText,
  ServiceSubset: aka("service_subset", optionalText),
  Namespace: optionalText,
  Datacenters: omitEmpty(texts),
});

const serviceResolver = structOf<types.ServiceResolver>()(goName, {
  ConnectTimeout: aka("connect_timeout", duration),
  ...identity,
  DefaultSubset: aka("default_subset", optionalText),
  Subsets: mapOf(subsetSchema),
  Redirect: omitEmpty({ type: redirect }),
  Failover: mapOf(failover),
  ...meta,
});

const ingressService = structOf<types.IngressService>()(goName, {
  Name: text,
  Hosts: texts,
  ...meta,
});

const listener = structOf<types.IngressListener>()(goName, {
  Port: integer,
  Protocol: text,
  Services: listOf(ingressService),
});

const ingressGateway = structOf<types.IngressGateway>()(goName, {
  ...identity,
  TLS: { type: structOf<{ Enabled: boolean }>()(goName, { Enabled: flag }) },
  Listeners: listOf(listener),
  ...meta,
});

const linkedService = structOf<types.LinkedService>()(goName, {
  Name: optionalText,
  CAFile: aka("ca_file", optionalText),
  CertFile: aka("cert_file", optionalText),
  KeyFile: aka("key_file", optionalText),
  SNI: optionalText,
});

const terminatingGateway = structOf<types.TerminatingGateway>()(goName, {
  ...identity,
  Services: listOf(linkedService),
  ...meta,
});

/** Every kind there is. */
export const configSchemas = {
  "ingress-gateway": ingressGateway,
  "proxy-defaults": proxyDefaults,
  "service-defaults": serviceDefaults,
  "service-resolver": serviceResolver,
  "service-router": serviceRouter,
  "service-splitter": serviceSplitter,
  "terminating-gateway": terminatingGateway,
} as const satisfies Readonly<Record<ConfigKind, StructType>>;

export function isConfigKind(kind: string): kind is ConfigKind {
  return Object.hasOwn(configSchemas, kind);
}
