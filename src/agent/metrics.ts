// What `/v1/agent/metrics` shows: gauges of this process and of its servers, and counters of what it did, in the JSON
// form of Consul's metrics library. Whoever counts adds one to a number; everything else is done when somebody asks.

import type { JsonValue } from "../core/model/json.ts";
import type { RaftStatus } from "../ports/cluster.ts";

/** An answer covers at least this much: it begins where the last one that was this long ago ended. */
const intervalMs = 10_000;

/** Of one kind of event, since the start. */
export interface Counter {
  n: number;
}

interface Counted extends Counter {
  /** As it was when the interval began. */
  atStart: number;
  /** As it was when Prometheus last saw it move, and when that was. */
  seen: number;
  seenMs: number;
}

interface Gauge {
  Name: string;
  Value: number;
  Labels: Record<string, string>;
}

export class Metrics {
  readonly #prefix: string;
  readonly #counters = new Map<string, Counted>();
  #startedMs = Date.now();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The counter with this name, the same for everybody who asks for it. */
  counter(name: string): Counter {
    const known = this.#counters.get(name);
    if (known) return known;
    const counter = { n: 0, atStart: 0, seen: 0, seenMs: 0 };
    this.#counters.set(name, counter);
    return counter;
  }

  /** `raft`: where this process's servers stand; null for an agent without. */
  snapshot(raft: RaftStatus | null): JsonValue {
    const nowMs = Date.now();
    const elapsedMs = nowMs - this.#startedMs;
    const started = new Date(this.#startedMs).toISOString().slice(0, 19).replace("T", " ");
    const answer = {
      Timestamp: `${started} +0000 UTC`,
      Gauges: this.#gauges(raft),
      Points: [],
      Counters: this.#rows(Math.max(1, elapsedMs / 1_000)),
      Samples: [],
    };
    if (elapsedMs >= intervalMs) {
      this.#startedMs = nowMs;
      for (const counter of this.#counters.values()) counter.atStart = counter.n;
    }
    return answer as unknown as JsonValue;
  }

  /** The text form of Prometheus; without counters that did not move for `retentionMs`. */
  prometheus(retentionMs: number, raft: RaftStatus | null): string {
    const nowMs = Date.now();
    const lines = this.#gauges(raft).map(({ Name, Value }) => exposed(Name, "gauge", Value));
    for (const [name, counter] of this.#counters) {
      if (counter.n !== counter.seen) Object.assign(counter, { seen: counter.n, seenMs: nowMs });
      if (nowMs - counter.seenMs > retentionMs) continue;
      lines.push(exposed(`${this.#prefix}.${name}`, "counter", counter.n));
    }
    return lines.join("");
  }

  #rows(seconds: number): JsonValue[] {
    return [...this.#counters].flatMap(([name, { n, atStart }]) => {
      const count = n - atStart;
      if (count === 0) return [];
      const each = { Count: count, Rate: count / seconds, Sum: count };
      const ones = { Min: 1, Max: 1, Mean: 1, Stddev: 0 };
      return [{ Name: `${this.#prefix}.${name}`, ...each, ...ones, Labels: {} }];
    });
  }

  #gauges(raft: RaftStatus | null): Gauge[] {
    const { heapUsed, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const values: Record<string, number> = {
      "runtime.alloc_bytes": heapUsed,
      "runtime.cpu_us": user + system,
      "runtime.sys_bytes": rss,
      ...(raft && {
        "raft.applied_index": raft.appliedIndex,
        "raft.last_index": raft.lastLogIndex,
      }),
    };
    return Object.entries(values).map(([name, Value]) => {
      return { Name: `${this.#prefix}.${name}`, Value, Labels: {} };
    });
  }
}

function exposed(name: string, kind: string, value: number): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
  return `# HELP ${plain} ${plain}\n# TYPE ${plain} ${kind}\n${plain} ${value}\n`;
}
