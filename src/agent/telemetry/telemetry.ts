// Tells sinks of metrics: what this process counts and times at once, and every ten seconds its gauges and what its
// server counted since, of which only sums and means are known here.

import { type MetricRow, metricIntervalMs } from "../../core/lib/interval-metrics.ts";
import type { ClusterStatus } from "../../ports/cluster.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import type { Gauge, Metrics } from "../metrics.ts";
import { TroubleLog } from "../rare-log.ts";
import { DogstatsdSink, type Sink, StatsdSink, StatsiteSink, type Told } from "./sinks.ts";

export interface TelemetryParts {
  config: Pick<ResolvedAgentConfig, "telemetry">;
  log: Pick<AgentLog, "warn">;
  metrics: Metrics;
  /** Of the interval of that number; null for an agent without servers. */
  server(interval: number): Promise<ClusterStatus | null>;
}

export class Telemetry {
  readonly #parts: TelemetryParts;
  readonly #sinks: readonly Sink[];
  readonly #timer: ReturnType<typeof setInterval> | null = null;
  #told = 0;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.#sinks = sinksOf(parts);
    if (this.#sinks.length === 0) return;
    parts.metrics.heard = (metric) => this.#tell(metric);
    this.#timer = setInterval(() => void this.#tellInterval(), metricIntervalMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#parts.metrics.heard = null;
    if (this.#timer) clearInterval(this.#timer);
    for (const sink of this.#sinks) sink.stop();
  }

  async #tellInterval(): Promise<void> {
    const { metrics, server } = this.#parts;
    const { interval } = metrics;
    const status = await server(interval).catch(() => null);
    for (const gauge of metrics.gauges(status)) this.#tell(gaugeTold(gauge));
    if (interval === this.#told) return;
    this.#told = interval;
    for (const row of status?.metrics?.rows ?? []) {
      if (row.count > 0) this.#tell(rowTold(metrics.fullName(row.name), row));
    }
  }

  #tell(metric: Told): void {
    if (!this.#parts.metrics.isTold(metric.name)) return;
    for (const sink of this.#sinks) sink.tell(metric);
  }
}

function gaugeTold({ Name: name, plainName, Value: value, Labels: labels }: Gauge): Told {
  return { kind: "gauge", name, plainName, value, labels, count: 1 };
}

function rowTold(name: string, { kind, labels, count, sum }: MetricRow): Told {
  const value = kind === "counter" ? sum : sum / count;
  return { kind, name, plainName: name, value, labels, count };
}

function sinksOf({ config, log }: TelemetryParts): Sink[] {
  const { statsdAddress, statsiteAddress, dogstatsdAddress, dogstatsdTags } = config.telemetry;
  const parts = (
    key: string,
    address: string,
  ): { address: string; failed(reason: string): void } => {
    const trouble = new TroubleLog(log, `cannot send metrics to telemetry.${key}`);
    return { address, failed: (error) => trouble.say({ address, error }) };
  };
  return [
    ...(statsdAddress === "" ? [] : [new StatsdSink(parts("statsd_address", statsdAddress))]),
    ...(statsiteAddress === ""
      ? []
      : [new StatsiteSink(parts("statsite_address", statsiteAddress))]),
    ...(dogstatsdAddress === ""
      ? []
      : [new DogstatsdSink({ ...parts("dogstatsd_addr", dogstatsdAddress), tags: dogstatsdTags })]),
  ];
}
