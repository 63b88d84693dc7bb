// What an agent is told, after files, flags and defaults have been merged and checked. Durations
// are in ms. The service and check definitions have been decoded and validated like those of the
// API.

import type { CheckDefinition, ServiceDefinition } from "../../core/agent/definitions.ts";
import type { SwimTiming } from "../../core/gossip/swim/timing.ts";
import type { AutopilotConfig } from "../../core/model/autopilot.ts";
import type { ConfigEntry } from "../../core/model/config-entry/types.ts";
import type { JsonValue } from "../../core/model/json.ts";
import type { LogLevel } from "../../ports/local-agent.ts";
import type { MetricFilter } from "../telemetry/filter.ts";
import type { ConnectConfig } from "./connect.ts";
import type { TlsConfig } from "./tls.ts";

/** -1: not served. */
export type Port = number;

export interface AgentPorts {
  readonly dns: Port;
  /** DNS over TLS (ours). */
  readonly dnsTls: Port;
  /** The Worker's own, on loopback. */
  readonly edge: Port;
  readonly http: Port;
  readonly https: Port;
  readonly grpc: Port;
  readonly serfLan: Port;
  readonly serfWan: Port;
  readonly server: Port;
  readonly sidecarMin: number;
  readonly sidecarMax: number;
}

export interface DnsConfig {
  /** Without dots at the ends: `consul`. */
  readonly domain: string;
  readonly altDomain: string;
  readonly recursors: readonly string[];
  readonly recursorTimeoutMs: number;
  readonly allowStale: boolean;
  readonly maxStaleMs: number;
  readonly nodeTtlMs: number;
  /** Service name (or `prefix*`, `*`) to TTL. */
  readonly serviceTtlMs: Readonly<Record<string, number>>;
  readonly onlyPassing: boolean;
  readonly aRecordLimit: number;
  readonly udpAnswerLimit: number;
  readonly enableTruncate: boolean;
  readonly disableCompression: boolean;
  readonly nodeMetaTxt: boolean;
  readonly soa: {
    readonly refreshSeconds: number;
    readonly retrySeconds: number;
    readonly expireSeconds: number;
    readonly minTtlSeconds: number;
  };
}

export interface HttpConfig {
  readonly blockEndpoints: readonly string[];
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Every answer says that addresses of other datacenters are those in the WAN. */
  readonly translatesAddresses: boolean;
  readonly allowWriteHttpFrom: readonly string[];
  /** Host names that a browser or proxy may use for an agent bound to loopback only (ours). */
  readonly allowedHosts: readonly string[];
  readonly maxConnectionsPerClient: number;
  /** `?cached` is understood. */
  readonly usesCache: boolean;
  /** Paths with control characters are refused. */
  readonly refusesUnprintable: boolean;
}

/** "" for what the process gives by itself. */
export interface UnixSocketsConfig {
  /** A name or a number. */
  readonly user: string;
  readonly group: string;
  /** Octal. */
  readonly mode: string;
}

export interface RetryJoinConfig {
  readonly addresses: readonly string[];
  readonly intervalMs: number;
  /** 0: for ever. */
  readonly attemptsMax: number;
}

export interface TelemetryConfig {
  readonly metricsPrefix: string;
  /** 0: no Prometheus form. */
  readonly prometheusRetentionMs: number;
  /** `host:port`; "" for none. */
  readonly statsdAddress: string;
  readonly statsiteAddress: string;
  readonly dogstatsdAddress: string;
  readonly dogstatsdTags: readonly string[];
  /** Put into names of gauges; "" for nothing. */
  readonly gaugeHost: string;
  readonly filter: MetricFilter;
}

export interface LogConfig {
  readonly level: LogLevel;
  readonly json: boolean;
  /** "" for none; the time is put into its name. */
  readonly file: string;
  /** 0: whatever its size. */
  readonly rotateBytes: number;
  /** 0: a day. */
  readonly rotateMs: number;
  /** Files kept beside the next one; 0: all, below 0: none. */
  readonly rotateFilesMax: number;
  /** "" for none, else such as `LOCAL0`. */
  readonly syslogFacility: string;
}

export interface UiConfig {
  /** With files of a web UI of one's own, as an absolute path; "" for ours. */
  readonly directory: string;
  /** With a slash at both ends. */
  readonly contentPath: string;
}

export interface LimitsConfig {
  readonly kvValueBytesMax: number;
  readonly txnBytesMax: number;
}

export interface AclConfig {
  readonly enabled: boolean;
  /** For what no rule speaks of. */
  readonly defaultPolicy: "allow" | "deny";
  /** What an agent does about tokens while no server can be asked. */
  readonly downPolicy: DownPolicy;
  readonly keyListPolicy: boolean;
  /** How long what is known of a token counts while no server can be asked. */
  readonly ttlMs: number;
  /** Tokens that were set by the API are kept in the data directory. */
  readonly tokenPersistence: boolean;
  readonly tokens: AgentTokens;
  /** Secret of a management token that servers make; "" for none. */
  readonly masterToken: string;
}

export type DownPolicy = "allow" | "deny" | "extend-cache" | "async-cache";

/** "" for none. */
export interface AgentTokens {
  /** Shown for those who show nothing. */
  readonly default: string;
  /** Shown for what the agent does by itself; the default one where there is none. */
  readonly agent: string;
  /** May use this agent though no server can be asked. */
  readonly agentMaster: string;
  readonly replication: string;
}

/** How agents speak to each other. */
export interface GossipConfig {
  /** Where datagrams and streams come in (`serf_lan`); else at `bind_addr`. */
  readonly bindAddress: string;
  /** With a key: what is not sealed is dropped. */
  readonly verifyIncoming: boolean;
  /** With a key: what is sent is sealed. */
  readonly verifyOutgoing: boolean;
  /** Keys are kept in the data directory, and what is there goes before `encrypt`. */
  readonly keyringFile: boolean;
  /** Whoever has been failed for so long is forgotten. */
  readonly reconnectTimeoutMs: number;
  readonly timing: SwimTiming;
}

export interface ResolvedAgentConfig {
  readonly nodeName: string;
  /** A UUID: given, or kept in the data directory's `node-id`, or drawn anew (`-dev`). */
  readonly nodeId: string;
  readonly nodeMeta: Readonly<Record<string, string>>;
  /** `lan`, `wan` and their `_ipv4`/`_ipv6` forms. */
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly datacenter: string;
  readonly devMode: boolean;
  readonly server: boolean;
  readonly bootstrap: boolean;
  /** 0 when not given. */
  readonly bootstrapExpect: number;
  /** How many servers to run in this process (ours, `-servers`); 0 for a client, 1 unless given. */
  readonly servers: number;
  /** Shown by servers of several hosts to each other (ours, `server_key`); "" for none. */
  readonly serverKey: string;
  /** Shown once, when a deployment is joined (ours, `join_token` or $PROCONSUL_TOKEN); "" for none. */
  readonly joinToken: string;
  /** PEM: whom a deployment's certificate may come from, beside whom the system trusts; "" for none. */
  readonly caFile: string;
  readonly caPath: string;
  /** Shown by agents to servers (`encrypt`); "" for none. */
  readonly gossipKey: string;
  readonly gossip: GossipConfig;
  /** Networks whose agents may join (`serf_lan_allowed_cidrs`); null for all. */
  readonly gossipNetworks: readonly string[] | null;
  /** What runs the servers (ours, `-runtime`). */
  readonly runtime: "workerd" | "node" | "miniflare";
  /** "" with `-dev`. */
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly advertiseAddressWan: string;
  readonly clientAddresses: readonly string[];
  /** Where each listener binds: IP addresses, or `unix:///path` for HTTP. */
  readonly addresses: {
    readonly http: readonly string[];
    readonly https: readonly string[];
    readonly dns: readonly string[];
  };
  readonly unixSockets: UnixSocketsConfig;
  readonly ports: AgentPorts;
  readonly connect: ConnectConfig;
  readonly startJoin: readonly string[];
  readonly retryJoin: RetryJoinConfig;
  /** Nodes and services of other datacenters are shown at their addresses in the WAN. */
  readonly translateWanAddresses: boolean;
  readonly startJoinWan: readonly string[];
  readonly retryJoinWan: RetryJoinConfig;
  /** The datacenter whose ACLs and configuration entries this one copies; its own when it copies none. */
  readonly primaryDatacenter: string;
  readonly leaveOnTerminate: boolean;
  readonly skipLeaveOnInterrupt: boolean;
  readonly dns: DnsConfig;
  readonly tls: TlsConfig;
  readonly http: HttpConfig;
  /** Null where there is no web UI. */
  readonly ui: UiConfig | null;
  readonly limits: LimitsConfig;
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  readonly discoveryMaxStaleMs: number;
  readonly sessionTtlMinMs: number;
  /** Script checks registered over HTTP. */
  readonly enableScriptChecks: boolean;
  /** Script checks from configuration files. */
  readonly enableLocalScriptChecks: boolean;
  readonly checkUpdateIntervalMs: number;
  readonly checkOutputBytesMax: number;
  readonly discardCheckOutput: boolean;
  /** Where this node stands is found out and told, and may be asked. */
  readonly coordinates: boolean;
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
  /** As they were written; they are understood when the agent starts, as in Consul. */
  readonly watches: readonly Readonly<Record<string, unknown>>[];
  readonly acl: AclConfig;
  /** What servers create when they found a datacenter. */
  readonly configEntries: readonly ConfigEntry[];
  /** Proxies and gateways are registered with what configuration entries say of them. */
  readonly followsEntries: boolean;
  /** What a new datacenter's autopilot begins with. */
  readonly autopilot: AutopilotConfig;
  readonly telemetry: TelemetryConfig;
  readonly log: LogConfig;
  readonly pidFile: string;
  /** One line each, to be logged when the agent starts. */
  readonly warnings: readonly string[];
  /** What `/v1/agent/self` shows as DebugConfig; secrets are `hidden`. */
  readonly debug: Readonly<Record<string, JsonValue>>;
}
