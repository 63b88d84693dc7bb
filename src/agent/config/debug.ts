// `DebugConfig` of `/v1/agent/self`: the configuration under the names that Consul uses there.
// Secrets are `hidden`. What Proconsul does not have is not shown.

import { joinHostPort } from "../../core/lib/host-port.ts";
import type { JsonValue } from "../../core/model/json.ts";
import { formatDuration } from "../../core/model/duration.ts";
import { openCaConfig } from "./connect.ts";
import type { ConfigValues } from "./keys.ts";
import { tlsDebug } from "./tls.ts";
import type { ResolvedAgentConfig } from "./types.ts";
import { contentPath } from "./ui.ts";

type Shown = Omit<ResolvedAgentConfig, "nodeId" | "debug" | "warnings">;

const duration = (ms: number): string => formatDuration(ms * 1e6);
const hidden = "hidden";

export function debugConfig(values: ConfigValues, config: Shown): Record<string, JsonValue> {
  return {
    ...identity(values, config),
    ...network(values, config),
    ...dns(values, config),
    ...http(values, config),
    ...checks(values, config),
    ...security(config),
    ...tlsDebug(values, config.tls),
  };
}

function identity(values: ConfigValues, config: Shown): Record<string, JsonValue> {
  return {
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    ConfigEntryBootstrap: config.configEntries.map(({ entry }) => entry as unknown as JsonValue),
    DataDir: config.dataDir,
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    EnableCentralServiceConfig: config.followsEntries,
    LeaveDrainTime: duration(values["performance.leave_drain_time"]),
    LeaveOnTerm: config.leaveOnTerminate,
    Logging: {
      EnableSyslog: config.log.syslogFacility !== "",
      LogFilePath: config.log.file,
      LogJSON: config.log.json,
      LogLevel: config.log.level.toUpperCase(),
      LogRotateBytes: config.log.rotateBytes,
      LogRotateDuration: duration(config.log.rotateMs),
      LogRotateMaxFiles: config.log.rotateFilesMax,
      SyslogFacility: values.syslog_facility,
    },
    NodeMeta: config.nodeMeta,
    NodeName: config.nodeName,
    PidFile: config.pidFile,
    PrimaryDatacenter: config.primaryDatacenter,
    Revision: "",
    ServerMode: config.server,
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    Telemetry: {
      AllowedPrefixes: config.telemetry.filter.allowed,
      BlockedPrefixes: config.telemetry.filter.blocked,
      DisableHostname: values["telemetry.disable_hostname"],
      DogstatsdAddr: config.telemetry.dogstatsdAddress,
      DogstatsdTags: config.telemetry.dogstatsdTags,
      FilterDefault: config.telemetry.filter.byDefault,
      MetricsPrefix: config.telemetry.metricsPrefix,
      PrometheusRetentionTime: duration(config.telemetry.prometheusRetentionMs),
      StatsdAddr: config.telemetry.statsdAddress,
      StatsiteAddr: config.telemetry.statsiteAddress,
    },
    Version: "1.8.7",
  };
}

function network(values: ConfigValues, config: Shown): Record<string, JsonValue> {
  const { ports } = config;
  return {
    AdvertiseAddrLAN: config.advertiseAddress,
    AdvertiseAddrWAN: config.advertiseAddressWan,
    BindAddr: config.bindAddress,
    ClientAddrs: config.clientAddresses,
    ConnectCAConfig: openCaConfig(config.connect),
    ConnectCAProvider: values["connect.ca_provider"],
    ConnectEnabled: config.connect.enabled,
    ConnectSidecarMaxPort: ports.sidecarMax,
    ConnectSidecarMinPort: ports.sidecarMin,
    DNSAddrs: [
      ...listening("tcp", config.addresses.dns, ports.dns),
      ...listening("udp", config.addresses.dns, ports.dns),
    ],
    DNSPort: ports.dns,
    GRPCPort: ports.grpc,
    HTTPAddrs: listening("tcp", config.addresses.http, ports.http),
    HTTPPort: ports.http,
    HTTPSAddrs: listening("tcp", config.addresses.https, ports.https),
    HTTPSPort: ports.https,
    RejoinAfterLeave: values.rejoin_after_leave,
    RetryJoinIntervalLAN: duration(config.retryJoin.intervalMs),
    RetryJoinLAN: config.retryJoin.addresses,
    RetryJoinMaxAttemptsLAN: config.retryJoin.attemptsMax,
    RetryJoinIntervalWAN: duration(config.retryJoinWan.intervalMs),
    RetryJoinWAN: config.retryJoinWan.addresses,
    RetryJoinMaxAttemptsWAN: config.retryJoinWan.attemptsMax,
    SerfPortLAN: ports.serfLan,
    SerfPortWAN: ports.serfWan,
    ServerPort: ports.server,
    StartJoinAddrsLAN: config.startJoin,
    StartJoinAddrsWAN: config.startJoinWan,
    TaggedAddresses: config.taggedAddresses,
    TranslateWANAddrs: values.translate_wan_addrs,
  };
}

function listening(kind: string, addresses: readonly string[], port: number): string[] {
  return port < 0 ? [] : addresses.map((address) => listenUrl(kind, address, port));
}

function listenUrl(kind: string, address: string, port: number): string {
  if (address.startsWith("unix://")) return address;
  return `${kind}://${joinHostPort(address, port)}`;
}

function dns(values: ConfigValues, { dns: config }: Shown): Record<string, JsonValue> {
  return {
    DNSARecordLimit: config.aRecordLimit,
    DNSAllowStale: config.allowStale,
    DNSAltDomain: config.altDomain,
    DNSCacheMaxAge: duration(values["dns_config.cache_max_age"]),
    DNSDisableCompression: values["dns_config.disable_compression"],
    DNSDomain: `${config.domain}.`,
    DNSEnableTruncate: config.enableTruncate,
    DNSMaxStale: duration(config.maxStaleMs),
    DNSNodeMetaTXT: config.nodeMetaTxt,
    DNSNodeTTL: duration(config.nodeTtlMs),
    DNSOnlyPassing: config.onlyPassing,
    DNSRecursorTimeout: duration(config.recursorTimeoutMs),
    DNSRecursors: config.recursors,
    DNSSOA: {
      Expire: config.soa.expireSeconds,
      Minttl: config.soa.minTtlSeconds,
      Refresh: config.soa.refreshSeconds,
      Retry: config.soa.retrySeconds,
    },
    DNSServiceTTL: Object.fromEntries(
      Object.entries(config.serviceTtlMs).map(([name, ms]) => [name, duration(ms)]),
    ),
    DNSUDPAnswerLimit: config.udpAnswerLimit,
    DNSUseCache: values["dns_config.use_cache"],
  };
}

function http(values: ConfigValues, config: Shown): Record<string, JsonValue> {
  return {
    AllowWriteHTTPFrom: config.http.allowWriteHttpFrom,
    DefaultQueryTime: duration(config.defaultQueryTimeMs),
    DiscoveryMaxStale: duration(config.discoveryMaxStaleMs),
    EnableUI: values.ui || values["ui_config.enabled"],
    HTTPBlockEndpoints: config.http.blockEndpoints,
    HTTPMaxConnsPerClient: config.http.maxConnectionsPerClient,
    HTTPResponseHeaders: config.http.responseHeaders,
    KVMaxValueSize: config.limits.kvValueBytesMax,
    MaxQueryTime: duration(config.maxQueryTimeMs),
    RPCMaxBurst: values["limits.rpc_max_burst"],
    RPCRateLimit: values["limits.rpc_rate"],
    SessionTTLMin: duration(config.sessionTtlMinMs),
    TxnMaxReqLen: config.limits.txnBytesMax,
    UIContentPath: contentPath(values),
    UIDir: values.ui_dir,
  };
}

function checks(values: ConfigValues, config: Shown): Record<string, JsonValue> {
  return {
    CheckDeregisterIntervalMin: "1m0s",
    CheckOutputMaxSize: config.checkOutputBytesMax,
    CheckReapInterval: "30s",
    CheckUpdateInterval: duration(config.checkUpdateIntervalMs),
    Checks: config.checks.map(({ name }) => ({ Name: name })),
    DisableCoordinates: values.disable_coordinates,
    DiscardCheckOutput: config.discardCheckOutput,
    EnableLocalScriptChecks: config.enableLocalScriptChecks,
    EnableRemoteScriptChecks: config.enableScriptChecks,
    Services: config.services.map(({ service }) => ({ ID: service.ID, Name: service.Service })),
  };
}

function security(config: Shown): Record<string, JsonValue> {
  const { acl } = config;
  return {
    ACLEnableKeyListPolicy: acl.keyListPolicy,
    ACLEnableTokenPersistence: acl.tokenPersistence,
    ACLAgentMasterToken: hidden,
    ACLAgentToken: hidden,
    ACLDatacenter: config.primaryDatacenter,
    ACLDefaultPolicy: acl.defaultPolicy,
    ACLDownPolicy: acl.downPolicy,
    ACLMasterToken: hidden,
    ACLReplicationToken: hidden,
    ACLToken: hidden,
    ACLsEnabled: acl.enabled,
    EncryptKey: hidden,
  };
}
