// The shapes of configuration entries, for reading and writing them.

import { flag, float, integer, omitEmpty, stringList, stringMap, text } from "../schema.ts";
import type { Field, StructType } from "../schema.ts";
import type * as types from "./types.ts";
import type { ConfigEntryTypes, ConfigKind } from "./types.ts";
import type { Expose, ExposePath, MeshGateway } from "../types.ts";

function struct<Shape>(
  fields: Readonly<Record<keyof Shape & string, Field>>,
  nullable?: "nullable",
): StructType {
  return {
    kind: "struct",
    goName: "structs.ConfigEntry",
    fields,
    ...(nullable && { nullable: true }),
  };
}

const aka = (alias: string, field: Field): Field => ({ ...field, alias });
const listOf = (item: StructType): Field => ({ type: { kind: "list", item } });
const mapOf = (value: StructType): Field => omitEmpty({ type: { kind: "map", value } });

const optionalText = omitEmpty(text);
const optionalFlag = omitEmpty(flag);
const texts: Field = { type: stringList };
const uint32 = { kind: "integer", goName: "uint32" } as const;
const duration: Field = omitEmpty({ type: { kind: "duration", written: "text" } });
const meta = { Meta: omitEmpty({ type: stringMap }) } as const;
const identity = { Kind: text, Name: text } as const;

export const meshGatewaySchema = struct<MeshGateway>({
  Mode: omitEmpty({ type: { kind: "string", goName: "structs.MeshGatewayMode" } }),
});

const exposePath = struct<ExposePath>({
  ListenerPort: aka("listener_port", omitEmpty(integer)),
  Path: optionalText,
  LocalPathPort: aka("local_path_port", omitEmpty(integer)),
  Protocol: optionalText,
  ParsedFromCheck: flag,
});

const expose = struct<Expose>({ Checks: optionalFlag, Paths: omitEmpty(listOf(exposePath)) });

const mesh = {
  MeshGateway: aka("mesh_gateway", { type: meshGatewaySchema }),
  Expose: { type: expose },
} as const;

const serviceDefaults = struct<types.ServiceDefaults>({
  ...identity,
  Protocol: text,
  ...mesh,
  ExternalSNI: aka("external_sni", optionalText),
  ...meta,
});

const proxyDefaults = struct<types.ProxyDefaults>({
  ...identity,
  Config: { type: { kind: "map", value: { kind: "any" } } },
  ...mesh,
  ...meta,
});

const headerMatch = struct<types.HeaderMatch>({
  Name: text,
  Present: optionalFlag,
  Exact: optionalText,
  Prefix: optionalText,
  Suffix: optionalText,
  Regex: optionalText,
  Invert: optionalFlag,
});

const queryParamMatch = struct<types.QueryParamMatch>({
  Name: text,
  Present: optionalFlag,
  Exact: optionalText,
  Regex: optionalText,
});

const httpMatch = struct<types.HttpMatch>(
  {
    PathExact: aka("path_exact", optionalText),
    PathPrefix: aka("path_prefix", optionalText),
    PathRegex: aka("path_regex", optionalText),
    Header: omitEmpty(listOf(headerMatch)),
    QueryParam: aka("query_param", omitEmpty(listOf(queryParamMatch))),
    Methods: omitEmpty(texts),
  },
  "nullable",
);

const routeMatch = struct<{ HTTP: unknown }>({ HTTP: omitEmpty({ type: httpMatch }) }, "nullable");

const destination = struct<types.RouteDestination>(
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
  "nullable",
);

/** As the discovery chain shows it, too. */
export const routeSchema = struct<types.ServiceRoute>({
  Match: omitEmpty({ type: routeMatch }),
  Destination: omitEmpty({ type: destination }),
});

const serviceRouter = struct<types.ServiceRouter>({
  ...identity,
  Routes: listOf(routeSchema),
  ...meta,
});

const split = struct<types.ServiceSplit>({
  Weight: float,
  Service: optionalText,
  ServiceSubset: aka("service_subset", optionalText),
  Namespace: optionalText,
});

const serviceSplitter = struct<types.ServiceSplitter>({
  ...identity,
  Splits: listOf(split),
  ...meta,
});

/** As the discovery chain shows it, too. */
export const subsetSchema = struct<types.ResolverSubset>({
  Filter: optionalText,
  OnlyPassing: aka("only_passing", optionalFlag),
});

const redirect = struct<types.ResolverRedirect>(
  {
    Service: optionalText,
    ServiceSubset: aka("service_subset", optionalText),
    Namespace: optionalText,
    Datacenter: optionalText,
  },
  "nullable",
);

const failover = struct<types.ResolverFailover>({
  Service: optionalText,
  ServiceSubset: aka("service_subset", optionalText),
  Namespace: optionalText,
  Datacenters: omitEmpty(texts),
});

const serviceResolver = struct<types.ServiceResolver>({
  ConnectTimeout: aka("connect_timeout", duration),
  ...identity,
  DefaultSubset: aka("default_subset", optionalText),
  Subsets: mapOf(subsetSchema),
  Redirect: omitEmpty({ type: redirect }),
  Failover: mapOf(failover),
  ...meta,
});

const ingressService = struct<types.IngressService>({ Name: text, Hosts: texts, ...meta });

const listener = struct<types.IngressListener>({
  Port: integer,
  Protocol: text,
  Services: listOf(ingressService),
});

const ingressGateway = struct<types.IngressGateway>({
  ...identity,
  TLS: { type: struct<{ Enabled: boolean }>({ Enabled: flag }) },
  Listeners: listOf(listener),
  ...meta,
});

const linkedService = struct<types.LinkedService>({
  Name: optionalText,
  CAFile: aka("ca_file", optionalText),
  CertFile: aka("cert_file", optionalText),
  KeyFile: aka("key_file", optionalText),
  SNI: optionalText,
});

const terminatingGateway = struct<types.TerminatingGateway>({
  ...identity,
  Services: listOf(linkedService),
  ...meta,
});

/** Every kind there is. */
export const configSchemas: Readonly<Record<ConfigKind, StructType>> = {
  "ingress-gateway": ingressGateway,
  "proxy-defaults": proxyDefaults,
  "service-defaults": serviceDefaults,
  "service-resolver": serviceResolver,
  "service-router": serviceRouter,
  "service-splitter": serviceSplitter,
  "terminating-gateway": terminatingGateway,
} satisfies Record<keyof ConfigEntryTypes, StructType>;

export function isConfigKind(kind: string): kind is ConfigKind {
  return Object.hasOwn(configSchemas, kind);
}
