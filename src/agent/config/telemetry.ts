// What the agent tells of itself: its log, and its metrics.

import type { LogLevel } from "../../ports/local-agent.ts";
import { metricFilter } from "../telemetry/filter.ts";
import { sinkTarget } from "../telemetry/sinks.ts";
import type { ConfigValues } from "./keys.ts";
import type { LogConfig, TelemetryConfig } from "./types.ts";

export function resolveLog(values: ConfigValues): LogConfig {
  return {
    level: values.log_level.toLowerCase().replace("error", "err") as LogLevel,
    json: values.log_json,
    file: values.log_file,
    rotateBytes: values.log_rotate_bytes,
    rotateMs: values.log_rotate_duration,
    rotateFilesMax: values.log_rotate_max_files,
    syslogFacility: values.enable_syslog ? values.syslog_facility : "",
  };
}

const sinkKeys = ["statsd_address", "statsite_address", "dogstatsd_addr"] as const;

/** `hostName`: of the machine, whatever the node is called. */
export function resolveTelemetry(values: ConfigValues, hostName: string): TelemetryConfig {
  const retentionMs = values["telemetry.prometheus_retention_time"];
  // Who only looks here sees no other host.
  const isShared = retentionMs > 0 || sinkKeys.some((key) => values[`telemetry.${key}`] !== "");
  return {
    metricsPrefix: values["telemetry.metrics_prefix"],
    prometheusRetentionMs: retentionMs,
    statsdAddress: values["telemetry.statsd_address"],
    statsiteAddress: values["telemetry.statsite_address"],
    dogstatsdAddress: values["telemetry.dogstatsd_addr"],
    dogstatsdTags: values["telemetry.dogstatsd_tags"],
    gaugeHost: isShared && !values["telemetry.disable_hostname"] ? hostName : "",
    filter: filterOf(values).filter,
  };
}

function filterOf(values: ConfigValues): ReturnType<typeof metricFilter> {
  return metricFilter(values["telemetry.prefix_filter"], values["telemetry.filter_default"]);
}

/** Rules that are none. */
export function telemetryWarnings(values: ConfigValues): string[] {
  return filterOf(values).problems;
}

/** The first sink that cannot be reached as it is written, or null. */
export function telemetryError(values: ConfigValues): string | null {
  for (const key of sinkKeys) {
    const address = values[`telemetry.${key}`];
    if (address === "" || sinkTarget(address)) continue;
    const reason = address.startsWith("unix://")
      ? "metrics are sent by UDP and TCP only"
      : "missing port in address";
    return `telemetry.${key}: ${address}: ${reason}`;
  }
  return null;
}
