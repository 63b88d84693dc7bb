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

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Counts an event. */
  count(name: string): void {
    this.#rotate();
    add(this.#counters, `${this.#prefix}.${name}`, 1);
  }

  /** Notes a duration in ms or a size. */
  sample(name: string, value: number): void {
    this.#rotate();
    add(this.#samples, `${this.#prefix}.${name}`, value);
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

  #gauges(): JsonValue[] {
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
