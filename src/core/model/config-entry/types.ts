// Configuration entries: what operators say once for all services. Names, fields and field order are Consul's.

import type { JsonObject } from "../json.ts";
import type { Expose, MeshGateway } from "../types.ts";

type Meta = Record<string, string> | null;

/** Protocol and mesh settings of one service. */
export interface ServiceDefaults {
  Kind: string;
  Name: string;
  /** Lower case; "" for whatever `proxy-defaults` says. */
  Protocol: string;
  MeshGateway: MeshGateway;
  Expose: Expose;
  ExternalSNI: string;
  Meta: Meta;
}

/** What holds for all proxies; there is one entry, named `global`. */
export interface ProxyDefaults {
  Kind: string;
  Name: string;
  Config: JsonObject | null;
  MeshGateway: MeshGateway;
  Expose: Expose;
  Meta: Meta;
}

export interface HeaderMatch {
  Name: string;
  Present: boolean;
  Exact: string;
  Prefix: string;
  Suffix: string;
  Regex: string;
  Invert: boolean;
}

export interface QueryParamMatch {
  Name: string;
  Present: boolean;
  Exact: string;
  Regex: string;
}

export interface HttpMatch {
  PathExact: string;
  PathPrefix: string;
  PathRegex: string;
  Header: HeaderMatch[] | null;
  QueryParam: QueryParamMatch[] | null;
  Methods: string[] | null;
}

export interface RouteDestination {
  /** Nanoseconds. */
  RequestTimeout: number;
  Service: string;
  ServiceSubset: string;
  Namespace: string;
  PrefixRewrite: string;
  NumRetries: number;
  RetryOnConnectFailure: boolean;
  RetryOnStatusCodes: number[] | null;
}

export interface ServiceRoute {
  Match: { HTTP: HttpMatch | null } | null;
  Destination: RouteDestination | null;
}

/** Which requests for a service go where; the first route that matches decides. */
export interface ServiceRouter {
  Kind: string;
  Name: string;
  Routes: ServiceRoute[] | null;
  Meta: Meta;
}

export interface ServiceSplit {
  /** Percent with two decimals, as a 32-bit float has it. */
  Weight: number;
  Service: string;
  ServiceSubset: string;
  Namespace: string;
}

/** Which share of the requests for a service goes where. */
export interface ServiceSplitter {
  Kind: string;
  Name: string;
  Splits: ServiceSplit[] | null;
  Meta: Meta;
}

export interface ResolverSubset {
  Filter: string;
  OnlyPassing: boolean;
}

export interface ResolverRedirect {
  Service: string;
  ServiceSubset: string;
  Namespace: string;
  Datacenter: string;
}

export interface ResolverFailover {
  Service: string;
  ServiceSubset: string;
  Namespace: string;
  Datacenters: string[] | null;
}

/** Which instances stand for a service, and who stands in when there are none. */
export interface ServiceResolver {
  /** Nanoseconds; 0 for the default. */
  ConnectTimeout: number;
  Kind: string;
  Name: string;
  DefaultSubset: string;
  Subsets: Record<string, ResolverSubset> | null;
  Redirect: ResolverRedirect | null;
  /** By subset; `*` for every subset that is not named. */
  Failover: Record<string, ResolverFailover> | null;
  Meta: Meta;
}

export interface IngressService {
  /** `*` for every service of the listener's protocol. */
  Name: string;
  Hosts: string[] | null;
  Meta: Meta;
}

export interface IngressListener {
  Port: number;
  Protocol: string;
  Services: IngressService[] | null;
}

/** What the ingress gateways of a name let in from outside the mesh. */
export interface IngressGateway {
  Kind: string;
  Name: string;
  TLS: { Enabled: boolean };
  Listeners: IngressListener[] | null;
  Meta: Meta;
}

export interface LinkedService {
  /** `*` for every service that is not named. */
  Name: string;
  CAFile: string;
  CertFile: string;
  KeyFile: string;
  SNI: string;
}

/** Which services outside the mesh the terminating gateways of a name lead to. */
export interface TerminatingGateway {
  Kind: string;
  Name: string;
  Services: LinkedService[] | null;
  Meta: Meta;
}

export interface ConfigEntryTypes {
  "ingress-gateway": IngressGateway;
  "proxy-defaults": ProxyDefaults;
  "service-defaults": ServiceDefaults;
  "service-resolver": ServiceResolver;
  "service-router": ServiceRouter;
  "service-splitter": ServiceSplitter;
  "terminating-gateway": TerminatingGateway;
}

export type ConfigKind = keyof ConfigEntryTypes;

/** An entry together with its kind, which decides its shape. */
export type ConfigEntry = {
  [Kind in ConfigKind]: { kind: Kind; entry: ConfigEntryTypes[Kind] };
}[ConfigKind];

/** Name of the one `proxy-defaults` entry. */
export const globalProxyName = "global";

/** In place of a service's name: every service. */
export const wildcard = "*";
