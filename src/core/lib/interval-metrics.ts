// What happened how often, and how long it took, by intervals of ten seconds as Consul's metrics library has them.
// Whoever counts adds to a few numbers; intervals end when somebody looks or adds, so that nothing runs for them.

/** Begins at a multiple of itself. */
export const metricIntervalMs = 10_000;

interface Aggregate {
  /** Number of the interval since 1970. */
  interval: number;
  count: number;
  sum: number;
  sumOfSquares: number;
  min: number;
  max: number;
}

export type MetricKind = "counter" | "sample";

/** One metric as it is told: what the shown interval had of it, and all since the start. */
export interface MetricRow {
  name: string;
  kind: MetricKind;
  labels: Readonly<Record<string, string>>;
  /** 0: nothing in that interval. */
  count: number;
  sum: number;
  sumOfSquares: number;
  min: number;
  max: number;
  total: { count: number; sum: number; movedMs: number };
}

/** Hears each value when it is added. */
export type MetricListener = (metric: Metric, value: number) => void;

/** One kind of event. */
export class Metric {
  readonly name: string;
  readonly kind: MetricKind;
  readonly labels: Readonly<Record<string, string>>;
  #now = aggregate(0);
  #last = aggregate(0);
  #count = 0;
  #sum = 0;
  #movedMs = 0;

  readonly #heard: MetricListener | null;

  constructor(
    name: string,
    kind: MetricKind,
    labels: Readonly<Record<string, string>>,
    heard: MetricListener | null = null,
  ) {
    this.name = name;
    this.#heard = heard;
    this.kind = kind;
    this.labels = labels;
  }

  add(value: number, nowMs: number): void {
    const interval = Math.floor(nowMs / metricIntervalMs);
    if (this.#now.interval !== interval) {
      this.#last = this.#now;
      this.#now = aggregate(interval);
    }
    const now = this.#now;
    now.count += 1;
    now.sum += value;
    now.sumOfSquares += value * value;
    if (value < now.min) now.min = value;
    if (value > now.max) now.max = value;
    this.#count += 1;
    this.#sum += value;
    this.#movedMs = nowMs;
    this.#heard?.(this, value);
  }

  row(interval: number): MetricRow {
    const found = [this.#now, this.#last].find((each) => each.interval === interval);
    const { interval: _number, ...shown } = found ?? aggregate(interval);
    const total = { count: this.#count, sum: this.#sum, movedMs: this.#movedMs };
    const { name, kind, labels } = this;
    return { name, kind, labels, ...shown, total };
  }
}

export class IntervalMetrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #heard: MetricListener | null;

  constructor(heard: MetricListener | null = null) {
    this.#heard = heard;
  }

  /** How often: each `add` is so many at once. The same for everybody who asks for it. */
  counter(name: string, labels: Readonly<Record<string, string>> = {}): Metric {
    return this.#metric(name, "counter", labels);
  }

  /** How long, in ms. */
  sample(name: string, labels: Readonly<Record<string, string>> = {}): Metric {
    return this.#metric(name, "sample", labels);
  }

  rows(interval: number): MetricRow[] {
    return [...this.#metrics.values()].map((metric) => metric.row(interval));
  }

  #metric(name: string, kind: MetricKind, labels: Readonly<Record<string, string>>): Metric {
    const known = this.#metrics.get(name);
    if (known) return known;
    const metric = new Metric(name, kind, labels, this.#heard);
    this.#metrics.set(name, metric);
    return metric;
  }
}

/** The interval that is shown: the last one that is over, or the first, while it lasts. */
export function shownInterval(startedMs: number, nowMs: number): number {
  const first = Math.floor(startedMs / metricIntervalMs);
  return Math.max(first, Math.floor(nowMs / metricIntervalMs) - 1);
}

function aggregate(interval: number): Aggregate {
  return { interval, count: 0, sum: 0, sumOfSquares: 0, min: Infinity, max: -Infinity };
}
