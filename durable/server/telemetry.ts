// What a server counts of its work, under Consul's names. Times are as fine as the platform's clock.

import { IntervalMetrics, type Metric } from "../../src/core/lib/interval-metrics.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { LinkRequest } from "../../src/link/protocol.ts";
import type { ServerMetrics } from "../../src/ports/cluster.ts";

/** Consul's name for what a command does; those without one are only entries. */
const applyNames: Partial<Record<Command["type"], string>> = {
  "kv.set": "kvs.apply",
  "kv.cas": "kvs.apply",
  "kv.delete": "kvs.apply",
  "kv.delete-cas": "kvs.apply",
  "kv.delete-tree": "kvs.apply",
  "kv.lock": "kvs.apply",
  "kv.unlock": "kvs.apply",
  "session.create": "session.apply",
  "session.destroy": "session.apply",
  "session.expire": "session_ttl.invalidate",
  "catalog.register": "catalog.register",
  "catalog.deregister": "catalog.deregister",
  txn: "txn.apply",
  "query.create": "prepared-query.apply",
  "query.update": "prepared-query.apply",
  "query.delete": "prepared-query.apply",
  "acl.token.create": "acl.token.upsert",
  "acl.token.update": "acl.token.upsert",
  "acl.token.clone": "acl.token.clone",
  "acl.token.delete": "acl.token.delete",
  "acl.policy.set": "acl.policy.upsert",
  "acl.policy.delete": "acl.policy.delete",
  "acl.role.set": "acl.role.upsert",
  "acl.role.delete": "acl.role.delete",
  "tombstone.reap": "leader.reapTombstones",
};

export class ServerTelemetry {
  readonly #metrics = new IntervalMetrics();
  readonly #requests = this.#metrics.counter("rpc.request");
  readonly #queries = this.#metrics.counter("rpc.query");
  readonly #entries = this.#metrics.counter("raft.apply");
  readonly #commits = this.#metrics.sample("raft.commitTime");
  readonly #elections = this.#metrics.counter("raft.state.leader");
  readonly #applies = new Map<string, Metric>();
  readonly #nowMs: () => number;
  readonly #gauges: () => Record<string, number>;

  constructor(parts: { nowMs(): number; gauges(): Record<string, number> }) {
    this.#nowMs = parts.nowMs;
    this.#gauges = parts.gauges;
  }

  /** Requests arrived. */
  asked(requests: readonly LinkRequest[]): void {
    const nowMs = this.#nowMs();
    for (const request of requests) {
      this.#requests.add(1, nowMs);
      if ("read" in request) this.#queries.add(1, nowMs);
    }
  }

  /** This server led, and applied a command that it proposed at `startMs`. */
  applied(type: Command["type"], startMs: number): void {
    const nowMs = this.#nowMs();
    this.#entries.add(1, nowMs);
    this.#commits.add(nowMs - startMs, nowMs);
    const name = applyNames[type];
    if (name === undefined) return;
    let metric = this.#applies.get(name);
    if (!metric) this.#applies.set(name, (metric = this.#metrics.sample(name)));
    metric.add(nowMs - startMs, nowMs);
  }

  elected(): void {
    this.#elections.add(1, this.#nowMs());
  }

  tell(interval: number): ServerMetrics {
    return { rows: this.#metrics.rows(interval), gauges: this.#gauges() };
  }
}
