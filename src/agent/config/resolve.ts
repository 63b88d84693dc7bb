// From merged values to what the agent works with: addresses picked, names filled in, rules
// checked. Pure but for a look at the data directory; the host's name and addresses come as an
// argument.

import { resolve as resolvePath } from "node:path";
import { isRecord } from "../../core/lib/record.ts";
import { DurationError, parseDurationMs } from "../../core/model/duration.ts";
import { ServiceError } from "../../core/model/errors.ts";
import { validateCheck, validateService } from "../../core/agent/validate.ts";
import { resolveAcl } from "./acl.ts";
import { ipAddress, type HostAddress } from "./addresses.ts";
import { resolveConfigEntries } from "./config-entries.ts";
import { resolveConnect } from "./connect.ts";
import { debugConfig } from "./debug.ts";
import { ConfigError } from "./errors.ts";
import { resolveGossip } from "./gossip.ts";
import { keyAt, type ConfigValues } from "./keys.ts";
import type { MergedConfig } from "./merge.ts";
import { resolveNetwork, resolvePorts } from "./network.ts";
import { listProblems } from "./parse.ts";
import { whyIgnored } from "./reasons.ts";
import { configError, configWarnings } from "./rules.ts";
import { resolveLog, resolveTelemetry } from "./telemetry.ts";
import { resolveTls } from "./tls.ts";
import { resolveUi } from "./ui.ts";
import type { DnsConfig, HttpConfig, ResolvedAgentConfig } from "./types.ts";

/** What the configuration does not say. */
export interface ResolveContext {
  devMode: boolean;
  servers: number | null;
  runtime: string;
  hostName: string;
  hostAddresses: readonly HostAddress[];
}

/** Everything but the id, which is a matter of the data directory. Throws ConfigError. */
export function resolveConfig(
  merged: MergedConfig,
  context: ResolveContext,
): Omit<ResolvedAgentConfig, "nodeId"> {
  const { values } = merged;
  refuseUnbuilt(merged);
  const shape = resolveValues(merged, context);
  const problem = configError(values, shape);
  if (problem !== null) throw new ConfigError(problem);
  validateDefinitions(merged);
  const warnings = [...configWarnings(values, shape), ...unbuiltWarnings(merged)];
  return Object.freeze({ ...shape, warnings, debug: debugConfig(values, shape) });
}

type Shape = Omit<ResolvedAgentConfig, "nodeId" | "debug" | "warnings">;

function resolveValues(merged: MergedConfig, context: ResolveContext): Shape {
  const { values, services, checks } = merged;
  const network = resolveNetwork(values, context.hostAddresses, context.devMode);
  return {
    ...network,
    gossip: resolveGossip(values, context.hostAddresses, network.bindAddress),
    ...resolveIdentity(merged, context),
    ...resolveChecks(values),
    ...resolveTimes(values),
    ports: resolvePorts(values),
    unixSockets: {
      user: values["unix_sockets.user"],
      group: values["unix_sockets.group"],
      mode: values["unix_sockets.mode"],
    },
    connect: resolveConnect(values),
    startJoin: values.start_join,
    retryJoin: {
      addresses: values.retry_join,
      intervalMs: values.retry_interval,
      attemptsMax: values.retry_max,
    },
    translateWanAddresses: values.translate_wan_addrs,
    startJoinWan: values.start_join_wan,
    retryJoinWan: {
      addresses: values.retry_join_wan,
      intervalMs: values.retry_interval_wan,
      attemptsMax: values.retry_max_wan,
    },
    dns: resolveDns(values),
    tls: resolveTls(values),
    http: resolveHttp(values),
    ui: resolveUi(merged, network.addresses.http),
    limits: {
      kvValueBytesMax: values["limits.kv_max_value_size"],
      txnBytesMax: values["limits.txn_max_req_len"],
    },
    services,
    checks,
    watches: values.watches,
    acl: resolveAcl(values),
    followsEntries: values.enable_central_service_config,
    configEntries: resolveConfigEntries(values["config_entries.bootstrap"]),
    autopilot: resolveAutopilot(values),
    telemetry: resolveTelemetry(values, context.hostName),
    log: resolveLog(values),
    pidFile: values.pid_file,
  };
}

function resolveAutopilot(values: ConfigValues): Shape["autopilot"] {
  const ns = (ms: number): number => ms * 1e6;
  return {
    CleanupDeadServers: values["autopilot.cleanup_dead_servers"],
    LastContactThreshold: ns(values["autopilot.last_contact_threshold"]),
    MaxTrailingLogs: values["autopilot.max_trailing_logs"],
    MinQuorum: values["autopilot.min_quorum"],
    ServerStabilizationTime: ns(values["autopilot.server_stabilization_time"]),
    RedundancyZoneTag: values["autopilot.redundancy_zone_tag"],
    DisableUpgradeMigration: values["autopilot.disable_upgrade_migration"],
    UpgradeVersionTag: values["autopilot.upgrade_version_tag"],
  };
}

type IdentityKey =
  | "nodeName"
  | "nodeMeta"
  | "datacenter"
  | "primaryDatacenter"
  | "devMode"
  | "server"
  | "bootstrap"
  | "bootstrapExpect"
  | "servers"
  | "serverKey"
  | "joinToken"
  | "caFile"
  | "caPath"
  | "gossipKey"
  | "gossipNetworks"
  | "runtime"
  | "dataDir"
  | "leaveOnTerminate"
  | "skipLeaveOnInterrupt";

function resolveIdentity(
  { values, given }: MergedConfig,
  context: ResolveContext,
): Pick<Shape, IdentityKey> {
  const { server } = values;
  // One expected server is the same as being told to be the only one.
  const single = values.bootstrap_expect === 1 && server;
  const datacenter = values.datacenter.toLowerCase();
  const chosen = (
    key: "leave_on_terminate" | "skip_leave_on_interrupt",
    initial: boolean,
  ): boolean => (given.has(key) ? values[key] : initial);
  return {
    nodeName: values.node_name || context.hostName,
    nodeMeta: values.node_meta,
    datacenter,
    primaryDatacenter:
      values.primary_datacenter.toLowerCase() || values.acl_datacenter.toLowerCase() || datacenter,
    devMode: context.devMode,
    server,
    bootstrap: values.bootstrap || single,
    bootstrapExpect: single ? 0 : values.bootstrap_expect,
    serverKey: values.server_key,
    joinToken: values.join_token,
    caFile: values.ca_file,
    caPath: values.ca_path,
    gossipKey: values.encrypt,
    gossipNetworks: given.has("serf_lan_allowed_cidrs")
      ? networks("serf_lan_allowed_cidrs", values.serf_lan_allowed_cidrs)
      : null,
    servers: server ? (context.servers ?? 1) : 0,
    // The Worker's own address is there only where a Worker runs.
    runtime: (context.runtime ||
      (values["ports.edge"] > 0 ? "workerd" : "node")) as ResolvedAgentConfig["runtime"],
    // Whoever runs the servers has another working directory.
    dataDir: values.data_dir === "" ? "" : resolvePath(values.data_dir),
    // A client that is stopped for good leaves; a server is expected to come back.
    leaveOnTerminate: chosen("leave_on_terminate", !server),
    skipLeaveOnInterrupt: chosen("skip_leave_on_interrupt", server),
  };
}

type ChecksKey =
  | "enableScriptChecks"
  | "enableLocalScriptChecks"
  | "checkUpdateIntervalMs"
  | "checkOutputBytesMax"
  | "discardCheckOutput"
  | "coordinates";

function resolveChecks(values: ConfigValues): Pick<Shape, ChecksKey> {
  return {
    enableScriptChecks: values.enable_script_checks,
    enableLocalScriptChecks: values.enable_script_checks || values.enable_local_script_checks,
    checkUpdateIntervalMs: values.check_update_interval,
    checkOutputBytesMax: values.check_output_max_size,
    discardCheckOutput: values.discard_check_output,
    coordinates: !values.disable_coordinates,
  };
}

type TimesKey = "defaultQueryTimeMs" | "maxQueryTimeMs" | "discoveryMaxStaleMs" | "sessionTtlMinMs";

function resolveTimes(values: ConfigValues): Pick<Shape, TimesKey> {
  return {
    defaultQueryTimeMs: values.default_query_time,
    maxQueryTimeMs: values.max_query_time,
    discoveryMaxStaleMs: values.discovery_max_stale,
    sessionTtlMinMs: values.session_ttl_min,
  };
}

/** Lower case, without dots at its ends. */
function domainName(text: string): string {
  return text.replace(/^\.+|\.+$/g, "").toLowerCase();
}

function resolveDns(values: ConfigValues): DnsConfig {
  return {
    domain: domainName(values.domain),
    altDomain: domainName(values.alt_domain),
    recursors: values.recursors,
    recursorTimeoutMs: values["dns_config.recursor_timeout"],
    allowStale: values["dns_config.allow_stale"],
    maxStaleMs: values["dns_config.max_stale"],
    nodeTtlMs: values["dns_config.node_ttl"],
    serviceTtlMs: durations("dns_config.service_ttl", values["dns_config.service_ttl"]),
    onlyPassing: values["dns_config.only_passing"],
    aRecordLimit: values["dns_config.a_record_limit"],
    udpAnswerLimit: values["dns_config.udp_answer_limit"],
    enableTruncate: values["dns_config.enable_truncate"],
    disableCompression: values["dns_config.disable_compression"],
    nodeMetaTxt: values["dns_config.enable_additional_node_meta_txt"],
    soa: {
      refreshSeconds: values["dns_config.soa.refresh"],
      retrySeconds: values["dns_config.soa.retry"],
      expireSeconds: values["dns_config.soa.expire"],
      minTtlSeconds: values["dns_config.soa.min_ttl"],
    },
  };
}

function durations(key: string, map: Readonly<Record<string, string>>): Record<string, number> {
  const entries = Object.entries(map).map(([name, text]): [string, number] => {
    try {
      return [name, parseDurationMs(text)];
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      const problem = `${key}: invalid duration: "${text}": ${error.message}`;
      throw new ConfigError(listProblems([problem]));
    }
  });
  return Object.fromEntries(entries);
}

const cidr = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/;

/** The given networks, each an address and a length. Throws ConfigError. */
function networks(key: string, given: readonly string[]): readonly string[] {
  for (const network of given) {
    const [, address = "", bits] = cidr.exec(network) ?? [];
    const family = ipAddress(address) === null ? 0 : address.includes(":") ? 128 : 32;
    if (family > 0 && Number(bits) <= family) continue;
    throw new ConfigError(listProblems([`${key}: invalid cidr: ${network}`]));
  }
  return given;
}

function resolveHttp(values: ConfigValues): HttpConfig {
  return {
    blockEndpoints: values["http_config.block_endpoints"],
    responseHeaders: {
      ...values.http_api_response_headers,
      ...values["http_config.response_headers"],
    },
    translatesAddresses: values.translate_wan_addrs,
    allowWriteHttpFrom: networks(
      "allow_write_http_from",
      values["http_config.allow_write_http_from"],
    ),
    allowedHosts: values["http_config.allowed_hosts"],
    maxConnectionsPerClient: values["limits.http_max_conns_per_client"],
    usesCache: values["http_config.use_cache"],
    refusesUnprintable: !values.disable_http_unprintable_char_filter,
  };
}

function validateDefinitions({ services, checks }: MergedConfig): void {
  for (const definition of services) {
    const { Service: name } = definition.service;
    refusing(`Failed to register service "${name}"`, () => validateService(definition));
  }
  for (const check of checks) {
    refusing(`Failed to register check '${check.name}'`, () => validateCheck(check));
  }
}

function refusing(context: string, validate: () => void): void {
  try {
    validate();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ConfigError(`${context}: ${error.message}`);
  }
}

/** Throws ConfigError for the first key on whose protection somebody relies and that is not built. */
function refuseUnbuilt({ values, given }: MergedConfig): void {
  for (const path of given) {
    if (keyAt(path)?.status !== "refused" || isHarmless(path, values)) continue;
    throw new ConfigError(
      `${path} is set, but it is not built yet: starting would leave open what it is to protect. ` +
        `Remove ${path} to start without that protection.`,
    );
  }
}

function isHarmless(path: string, values: ConfigValues): boolean {
  const value = values[path as keyof ConfigValues];
  // A section like auto_config is off until it says otherwise.
  const off = isRecord(value) && value["enabled"] !== true;
  return off || (keyAt(path)?.harmless ?? []).some((one) => one === value);
}

/** One line for each key that was set and that nothing here obeys. */
function unbuiltWarnings({ values, given }: MergedConfig): string[] {
  return [...given].flatMap((path) => {
    const status = keyAt(path)?.status;
    const ignored = status === "accepted" || (status === "moot" && !isHarmless(path, values));
    if (!ignored) return [];
    return [`the configuration key ${path} is accepted but has no effect: ${whyIgnored(path)}`];
  });
}
