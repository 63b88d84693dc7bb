// What `/v1/agent/metrics` shows, in the forms of Consul's metrics library: gauges of this process, and what it and its
// servers counted and timed in the last interval that is over. Names are Consul's; those of what there is not here
// are not there.

import {
  IntervalMetrics,
  type Metric,
  metricIntervalMs,
  type MetricRow,
  shownInterval,
} from "../core/lib/interval-metrics.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { ClusterStatus } from "../ports/cluster.ts";
import { isAllowed, type MetricFilter } from "./telemetry/filter.ts";
import type { Told } from "./telemetry/sinks.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";

const methods = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"]);
/** Names that clients choose are counted one by one only as far as this. */
const eventNamesMax = 128;

/** Endpoints whose use Consul counts by name, too. */
const clientApi: Readonly<Record<string, string>> = {
  "PUT /v1/catalog/register": "catalog_register",
  "PUT /v1/catalog/deregister": "catalog_deregister",
  "GET /v1/catalog/datacenters": "catalog_datacenters",
  "GET /v1/catalog/nodes": "catalog_nodes",
  "GET /v1/catalog/services": "catalog_services",
  "GET /v1/catalog/service/": "catalog_service_nodes",
  "GET /v1/catalog/node/": "catalog_node_services",
};

export interface Gauge {
  Name: string;
  /** Without the host. */
  plainName: string;
  Value: number;
  Labels: Readonly<Record<string, string>>;
}

interface Endpoint {
  time: Metric;
  /** Asked, answered, failed. */
  api: { asked: Metric; success: Metric; error: Metric } | null;
}

export interface MetricsOptions {
  /** What gauges have in their names, because those of several hosts are not to be added up; "" for nothing. */
  gaugeHost: string;
  filter: MetricFilter;
}

const everything: MetricsOptions = {
  gaugeHost: "",
  filter: { allowed: [], blocked: [], byDefault: true },
};

export class Metrics {
  readonly #prefix: string;
  readonly #node: string;
  #options: MetricsOptions;
  readonly #metrics = new IntervalMetrics((metric, value) => {
    if (!this.heard) return;
    const name = this.fullName(metric.name);
    const { kind, labels } = metric;
    this.heard({ kind, name, plainName: name, value, labels, count: 1 });
  });
  /** Is told of everything that is counted and timed here. */
  heard: ((metric: Told) => void) | null = null;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #eventNames = new Set<string>();
  readonly #startedMs = Date.now();

  /** `node`: the label of what Consul tells apart by node. */
  constructor(prefix: string, node: string, options = everything) {
    this.#prefix = prefix;
    this.#node = node;
    this.#options = options;
  }

  /** From now on. */
  set filter(filter: MetricFilter) {
    this.#options = { ...this.#options, filter };
  }

  fullName(name: string): string {
    return this.#prefix === "" ? name : `${this.#prefix}.${name}`;
  }

  isTold(fullName: string): boolean {
    return isAllowed(this.#options.filter, fullName);
  }

  /** Number of the interval that is shown. */
  get interval(): number {
    return shownInterval(this.#startedMs, Date.now());
  }

  counter(name: string): Metric {
    return this.#metrics.counter(name);
  }

  /** An HTTP request to an endpoint begins; call what it gives back with the status when it ends. */
  request(method: string, path: string): (status: number) => void {
    const startMs = performance.now();
    const endpoint = this.#endpoint(method, path);
    return (status) => {
      const nowMs = Date.now();
      endpoint?.time.add(performance.now() - startMs, nowMs);
      if (!endpoint?.api) return;
      endpoint.api.asked.add(1, nowMs);
      (status < 400 ? endpoint.api.success : endpoint.api.error).add(1, nowMs);
    };
  }

  /** A user event was heard. */
  serfEvent(name: string): void {
    const nowMs = Date.now();
    this.#metrics.counter("serf.events").add(1, nowMs);
    if (this.#eventNames.size < eventNamesMax) this.#eventNames.add(name);
    if (!this.#eventNames.has(name)) return;
    this.#metrics.counter(`serf.events.consul:event:${name}`).add(1, nowMs);
  }

  /** `server`: what this process's server says; null for an agent without. */
  snapshot(server: ClusterStatus | null): JsonValue {
    const { interval } = this;
    const started = new Date(interval * metricIntervalMs).toISOString();
    const rows = this.#rows(server, interval).filter(({ count }) => count > 0);
    const shown = (wanted: MetricRow["kind"]): JsonValue[] =>
      rows.filter(({ kind }) => kind === wanted).map((row) => this.#aggregate(row));
    return {
      Timestamp: `${started.slice(0, 19).replace("T", " ")} +0000 UTC`,
      Gauges: this.#shownGauges(server).map(({ Name, Value, Labels }) => ({ Name, Value, Labels })),
      Points: [],
      Counters: shown("counter"),
      Samples: shown("sample"),
    };
  }

  /** The text form of Prometheus; without what did not move for `retentionMs`. */
  prometheus(retentionMs: number, server: ClusterStatus | null): string {
    const nowMs = Date.now();
    const gauges = this.#shownGauges(server).map(({ Name, Value }) =>
      exposed(Name, "gauge", [["", Value]]),
    );
    const moved = this.#rows(server, this.interval).filter(
      ({ total }) => total.count > 0 && nowMs - total.movedMs <= retentionMs,
    );
    const rows = moved.map(({ name, kind, labels, total }) => {
      const values: [string, number][] =
        kind === "counter"
          ? [["", total.sum]]
          : [
              ["_sum", total.sum],
              ["_count", total.count],
            ];
      const type = kind === "counter" ? "counter" : "summary";
      return exposed(this.fullName(name), type, values, labels);
    });
    return [...gauges, ...rows].join("");
  }

  #endpoint(method: string, path: string): Endpoint | null {
    const key = `${method} ${path}`;
    const known = this.#endpoints.get(key);
    if (known) return known;
    // Clients may call a method anything.
    if (!methods.has(method)) return null;
    const place = path.slice(1).replaceAll("/", ".").replace(/\.$/, "._");
    const name = clientApi[key];
    const endpoint = {
      time: this.#metrics.sample(`http.${method}.${place}`),
      api: name === undefined ? null : this.#api(name),
    };
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #api(name: string): Endpoint["api"] {
    const labels = { node: this.#node };
    return {
      asked: this.#metrics.counter(`client.api.${name}`, labels),
      success: this.#metrics.counter(`client.api.success.${name}`, labels),
      error: this.#metrics.counter(`client.rpc.error.${name}`, labels),
    };
  }

  /** In order of name, as they are shown. */
  #rows(server: ClusterStatus | null, interval: number): MetricRow[] {
    const rows = [...this.#metrics.rows(interval), ...(server?.metrics?.rows ?? [])];
    const shown = rows.filter(({ name }) => this.isTold(this.fullName(name)));
    return shown.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  #aggregate({ name, labels, count, sum, sumOfSquares, min, max }: MetricRow): JsonValue {
    const mean = sum / count;
    const variance = count < 2 ? 0 : (sumOfSquares - count * mean * mean) / (count - 1);
    return {
      Name: this.fullName(name),
      Count: count,
      Rate: sum / (metricIntervalMs / 1_000),
      Sum: sum,
      Min: min,
      Max: max,
      Mean: mean,
      Stddev: Math.sqrt(Math.max(0, variance)),
      Labels: labels,
    };
  }

  #shownGauges(server: ClusterStatus | null): Gauge[] {
    return this.gauges(server).filter(({ Name }) => this.isTold(Name));
  }

  gauges(server: ClusterStatus | null): Gauge[] {
    const { heapUsed, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const values: Record<string, number> = {
      ...server?.metrics?.gauges,
      "runtime.alloc_bytes": heapUsed,
      "runtime.cpu_us": user + system,
      "runtime.sys_bytes": rss,
      ...(server?.raft && {
        "raft.applied_index": server.raft.appliedIndex,
        "raft.last_index": server.raft.lastLogIndex,
        "raft.peers": server.raft.configuration.length,
      }),
    };
    return Object.entries(values)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, Value]) => {
        const { gaugeHost } = this.#options;
        const hosted = gaugeHost === "" ? name : `${gaugeHost}.${name}`;
        return {
          Name: this.fullName(hosted),
          plainName: this.fullName(name),
          Value,
          Labels: {},
        };
      });
  }
}

function exposed(
  name: string,
  kind: string,
  values: readonly (readonly [suffix: string, value: number])[],
  labels: Readonly<Record<string, string>> = {},
): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const labelled = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  const lines = values.map(([suffix, value]) => `${plain}${suffix}${labelled} ${value}\n`);
  return `# HELP ${plain} ${plain}\n# TYPE ${plain} ${kind}\n${lines.join("")}`;
}

/** Those of an agent. */
export function metricsOf(config: Pick<ResolvedAgentConfig, "telemetry" | "nodeName">): Metrics {
  const { telemetry, nodeName } = config;
  return new Metrics(telemetry.metricsPrefix, nodeName, telemetry);
}
