// From merged values to what the agent works with: addresses picked, names filled in, rules
// checked. Pure but for a look at the data directory; the host's name and addresses come as an
// argument.

import { DurationError, parseDurationMs } from "../../core/model/duration.ts";
import { ServiceError } from "../../core/model/errors.ts";
import { validateCheck, validateService } from "../../core/agent/validate.ts";
import type { LogLevel } from "../../ports/local-agent.ts";
import { ipAddress, type HostAddress } from "./addresses.ts";
import { debugConfig } from "./debug.ts";
import { ConfigError } from "./errors.ts";
import { keyAt, type ConfigValues } from "./keys.ts";
import type { MergedConfig } from "./merge.ts";
import { resolveNetwork, resolvePorts } from "./network.ts";
import { listProblems } from "./parse.ts";
import { configError, configWarnings } from "./rules.ts";
import type { AclConfig, DnsConfig, HttpConfig, ResolvedAgentConfig } from "./types.ts";

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
  const shape = resolveValues(merged, context);
  const problem = configError(values, shape);
  if (problem !== null) throw new ConfigError(problem);
  validateDefinitions(merged);
  const warnings = [...configWarnings(values, shape), ...unbuiltWarnings(merged.given)];
  return Object.freeze({ ...shape, warnings, debug: debugConfig(shape) });
}

type Shape = Omit<ResolvedAgentConfig, "nodeId" | "debug" | "warnings">;

function resolveValues(merged: MergedConfig, context: ResolveContext): Shape {
  const { values, services, checks } = merged;
  return {
    ...resolveNetwork(values, context.hostAddresses, context.devMode),
    ...resolveIdentity(merged, context),
    ...resolveChecks(values),
    ...resolveTimes(values),
    ports: resolvePorts(values),
    startJoin: values.start_join,
    retryJoin: {
      addresses: values.retry_join,
      intervalMs: values.retry_interval,
      attemptsMax: values.retry_max,
    },
    dns: resolveDns(values),
    http: resolveHttp(values),
    limits: {
      kvValueBytesMax: values["limits.kv_max_value_size"],
      txnBytesMax: values["limits.txn_max_req_len"],
      rpcRate: values["limits.rpc_rate"],
      rpcBurstMax: values["limits.rpc_max_burst"],
    },
    ui: {
      enabled: values.ui || values["ui_config.enabled"],
      contentPath: contentPath(values["ui_config.content_path"] || values.ui_content_path),
    },
    translateWanAddresses: values.translate_wan_addrs,
    disableCoordinates: values.disable_coordinates,
    services,
    checks,
    acl: resolveAcl(values),
    telemetry: {
      metricsPrefix: values["telemetry.metrics_prefix"],
      prometheusRetentionMs: values["telemetry.prometheus_retention_time"],
    },
    log: {
      level: values.log_level.toLowerCase().replace("error", "err") as LogLevel,
      json: values.log_json,
      file: values.log_file,
    },
    pidFile: values.pid_file,
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
  | "gossipKey"
  | "runtime"
  | "dataDir"
  | "rejoinAfterLeave"
  | "leaveOnTerminate"
  | "skipLeaveOnInterrupt";

function resolveIdentity(
  { values, given }: MergedConfig,
  context: ResolveContext,
): Pick<Shape, IdentityKey> {
  const { server } = values;
  // One expected server is the same as being told to be the only one.
  const single = values.bootstrap_expect === 1 && server && !context.devMode;
  const datacenter = values.datacenter.toLowerCase();
  const primary = values.primary_datacenter || values.acl_datacenter || datacenter;
  const chosen = (
    key: "leave_on_terminate" | "skip_leave_on_interrupt",
    initial: boolean,
  ): boolean => (given.has(key) ? values[key] : initial);
  return {
    nodeName: values.node_name || context.hostName,
    nodeMeta: values.node_meta,
    datacenter,
    primaryDatacenter: primary.toLowerCase(),
    devMode: context.devMode,
    server,
    bootstrap: values.bootstrap || single,
    bootstrapExpect: single ? 0 : values.bootstrap_expect,
    serverKey: values.server_key,
    gossipKey: values.encrypt,
    servers: server ? (context.servers ?? 1) : 0,
    runtime: (context.runtime || "workerd") as ResolvedAgentConfig["runtime"],
    dataDir: values.data_dir,
    rejoinAfterLeave: values.rejoin_after_leave,
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
  | "discardCheckOutput";

function resolveChecks(values: ConfigValues): Pick<Shape, ChecksKey> {
  return {
    enableScriptChecks: values.enable_script_checks,
    enableLocalScriptChecks: values.enable_script_checks || values.enable_local_script_checks,
    checkUpdateIntervalMs: values.check_update_interval,
    checkOutputBytesMax: values.check_output_max_size,
    discardCheckOutput: values.discard_check_output,
  };
}

type TimesKey =
  | "defaultQueryTimeMs"
  | "maxQueryTimeMs"
  | "discoveryMaxStaleMs"
  | "sessionTtlMinMs"
  | "leaveDrainMs";

function resolveTimes(values: ConfigValues): Pick<Shape, TimesKey> {
  return {
    defaultQueryTimeMs: values.default_query_time,
    maxQueryTimeMs: values.max_query_time,
    discoveryMaxStaleMs: values.discovery_max_stale,
    sessionTtlMinMs: values.session_ttl_min,
    leaveDrainMs: values["performance.leave_drain_time"],
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
    useCache: values["dns_config.use_cache"],
    cacheMaxAgeMs: values["dns_config.cache_max_age"],
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

function resolveHttp(values: ConfigValues): HttpConfig {
  const networks = values["http_config.allow_write_http_from"];
  const bad = networks.find((network) => ipAddress(cidr.exec(network)?.[1] ?? "") === null);
  if (bad !== undefined) {
    throw new ConfigError(listProblems([`allow_write_http_from: invalid cidr: ${bad}`]));
  }
  return {
    blockEndpoints: values["http_config.block_endpoints"],
    responseHeaders: {
      ...values.http_api_response_headers,
      ...values["http_config.response_headers"],
    },
    allowWriteHttpFrom: networks,
    allowedHosts: values["http_config.allowed_hosts"],
    maxConnectionsPerClient: values["limits.http_max_conns_per_client"],
  };
}

function resolveAcl(values: ConfigValues): AclConfig {
  return {
    enabled: values["acl.enabled"],
    defaultPolicy: values["acl.default_policy"] === "deny" ? "deny" : "allow",
    downPolicy: values["acl.down_policy"],
    tokens: {
      default: values["acl.tokens.default"],
      agent: values["acl.tokens.agent"],
      agentMaster: values["acl.tokens.agent_master"],
      master: values["acl.tokens.master"],
      replication: values["acl.tokens.replication"],
    },
  };
}

/** With a slash at both ends. */
function contentPath(path: string): string {
  const inner = path.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "/" : `/${inner}/`;
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

/** One line for each key that was set and that nothing here obeys. */
function unbuiltWarnings(given: ReadonlySet<string>): string[] {
  return [...given]
    .filter((path) => keyAt(path)?.status === "accepted")
    .map((path) => `the configuration key ${path} is accepted but has no effect`);
}
