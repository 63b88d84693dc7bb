// What `/v1/agent/metrics` shows: gauges of this process and counters of what it did, in the JSON form of Consul's
// metrics library. Counters cover the interval since the last reset, as there.

import type { JsonValue } from "../core/model/json.ts";

const intervalMs = 10_000;

interface Sample {
  count: number;
  sum: number;
  min: number;
  max: number;
  squares: number;
}

export class Metrics {
  readonly #prefix: string;
  #counters = new Map<string, Sample>();
  #samples = new Map<string, Sample>();
  #startedMs = Date.now();
  /** Since the start, for those who take differences themselves. */
  readonly #totals = new Map<string, Total>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Counts an event. */
  count(name: string): void {
    this.#rotate();
    add(this.#counters, `${this.#prefix}.${name}`, 1);
    this.#total(name, "counter", 1);
  }

  /** Notes a duration in ms or a size. */
  sample(name: string, value: number): void {
    this.#rotate();
    add(this.#samples, `${this.#prefix}.${name}`, value);
    this.#total(name, "summary", value);
  }

  snapshot(): JsonValue {
    this.#rotate();
    const seconds = Math.max(1, (Date.now() - this.#startedMs) / 1_000);
    return {
      Timestamp: `${new Date(this.#startedMs).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`,
      Gauges: this.#gauges(),
      Points: [],
      Counters: rows(this.#counters, seconds),
      Samples: rows(this.#samples, seconds),
    };
  }

  /** The text form of Prometheus; without what did not move for `retentionMs`. */
  prometheus(retentionMs: number): string {
    const nowMs = Date.now();
    const lines = this.#gauges().flatMap(({ Name, Value }) =>
      exposed(Name, "gauge", [["", Value]]),
    );
    for (const [name, { kind, count, sum, atMs }] of this.#totals) {
      if (nowMs - atMs > retentionMs) this.#totals.delete(name);
      else if (kind === "counter") lines.push(...exposed(name, kind, [["", sum]]));
      else
        lines.push(
          ...exposed(name, kind, [
            ["_sum", sum],
            ["_count", count],
          ]),
        );
    }
    return lines.join("");
  }

  #total(name: string, kind: Total["kind"], value: number): void {
    const key = `${this.#prefix}.${name}`;
    const { count, sum } = this.#totals.get(key) ?? { count: 0, sum: 0 };
    this.#totals.set(key, { kind, count: count + 1, sum: sum + value, atMs: Date.now() });
  }

  #gauges(): { Name: string; Value: number; Labels: Record<string, string> }[] {
    const { heapUsed, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return [
      { Name: `${this.#prefix}.runtime.alloc_bytes`, Value: heapUsed, Labels: {} },
      { Name: `${this.#prefix}.runtime.cpu_us`, Value: user + system, Labels: {} },
      { Name: `${this.#prefix}.runtime.sys_bytes`, Value: rss, Labels: {} },
    ];
  }

  #rotate(): void {
    const nowMs = Date.now();
    if (nowMs - this.#startedMs < intervalMs) return;
    this.#startedMs = nowMs;
    this.#counters = new Map();
    this.#samples = new Map();
  }
}

interface Total {
  kind: "counter" | "summary";
  count: number;
  sum: number;
  atMs: number;
}

function exposed(name: string, kind: string, values: readonly [string, number][]): string[] {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  const head = `# HELP ${plain} ${plain}\n# TYPE ${plain} ${kind}\n`;
  return [head, ...values.map(([suffix, value]) => `${plain}${suffix} ${value}\n`)];
}

function add(table: Map<string, Sample>, name: string, value: number): void {
  const sample = table.get(name);
  if (!sample) {
    table.set(name, { count: 1, sum: value, min: value, max: value, squares: value * value });
    return;
  }
  sample.count += 1;
  sample.sum += value;
  sample.squares += value * value;
  sample.min = Math.min(sample.min, value);
  sample.max = Math.max(sample.max, value);
}

function rows(table: ReadonlyMap<string, Sample>, seconds: number): JsonValue[] {
  return [...table].map(([name, { count, sum, min, max, squares }]) => {
    const mean = sum / count;
    const variance = count > 1 ? Math.max(0, (squares - count * mean * mean) / (count - 1)) : 0;
    return {
      Name: name,
      Count: count,
      Rate: sum / seconds,
      Sum: sum,
      Min: min,
      Max: max,
      Mean: mean,
      Stddev: Math.sqrt(variance),
      Labels: {},
    };
  });
}
