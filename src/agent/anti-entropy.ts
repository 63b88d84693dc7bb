// Keeps the catalog in line with the local state: a full comparison at the start and then periodically, a partial
// sync right after each local change, retries after failures (Consul semantics §7). Beyond Consul it waits for changes
// of its own node, so that what somebody else wrote there is undone at once. What has to be sent is planned in
// core/agent; here are the timers and the sending.

import type { Random } from "../core/lib/random.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { HealthCheck, Node, NodeService } from "../core/model/types.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import { intervalMs, retryIntervalMs } from "../core/agent/sync-interval.ts";
import {
  confirmStep,
  planFullSync,
  planPartialSync,
  type SyncStep,
} from "../core/agent/sync-plan.ts";
import type { Cluster } from "../ports/cluster.ts";
import { sleep, type TimerHandle, type Timers } from "../ports/timers.ts";
import type { AgentLog } from "./log.ts";

export interface AntiEntropyParts {
  state: LocalAgentState;
  /** Shows the agent's own token where none is given. */
  cluster: Cluster;
  log: AgentLog;
  random: Random;
  timers: Timers;
}

/** How long one wait for a change of the own node lasts. */
const watchMs = 600_000;
/**
 * Between two of them at least: one's own registrations end the wait as well, and each time the whole node is read.
 */
const watchGapMs = 2_000;

export class AntiEntropy {
  readonly #parts: AntiEntropyParts;
  #running: Promise<void> | null = null;
  #wanted: "full" | "partial" | null = null;
  #timer: TimerHandle = null;
  #started = false;
  #stopped = false;
  /** Nodes of the datacenter, as of the last full sync: more of them stretch the intervals. */
  #nodes = 1;
  /** Index of the node's services when they were last compared; null: not yet. */
  #comparedIndex: number | null = null;
  readonly #end = new AbortController();

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts;
    parts.state.rows.subscribe(() => this.want("partial"));
  }

  /** The local state is whole: what it lacks may now be taken from the catalog. Compares everything first. */
  start(): void {
    this.#started = true;
    this.want("full");
    void this.#watch();
  }

  /** Something changed here, or (full) may have changed there. Nothing happens before {@link start}. */
  want(kind: "full" | "partial"): void {
    if (!this.#started || this.#stopped) return;
    if (this.#wanted !== "full") this.#wanted = kind;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /**
   * Resolves when what was changed so far is in the catalog, or could not be brought there, or after `limitMs`: so
   * that who registers can read it, but never waits for a datacenter that is away.
   */
  async settled(limitMs: number): Promise<void> {
    if (!this.#running) return;
    const { timers } = this.#parts;
    let timer: TimerHandle = null;
    const limit = new Promise<void>((resolve) => {
      timer = timers.set(resolve, limitMs);
    });
    await Promise.race([this.#running, limit]);
    timers.clear(timer);
  }

  stop(): void {
    this.#stopped = true;
    this.#end.abort();
    this.#parts.timers.clear(this.#timer);
  }

  /** Compares everything again whenever the catalog's services of this node have changed since that was last done. */
  async #watch(): Promise<void> {
    const { cluster, state, timers } = this.#parts;
    const args = { node: state.node.name };
    while (!this.#stopped) {
      await this.#running;
      const minIndex = this.#comparedIndex;
      if (minIndex !== null) {
        const options = { minIndex, waitMs: watchMs, signal: this.#end.signal };
        // A failure is not said here: the comparison meets it as well.
        const seen = await cluster.read("catalog.node-services", args, options).catch(() => null);
        if (seen && seen.index !== minIndex) this.want("full");
      }
      await sleep(timers, watchGapMs);
    }
  }

  async #run(): Promise<void> {
    // Changes of one turn go together.
    await Promise.resolve();
    while (this.#wanted !== null && !this.#stopped) {
      const kind = this.#wanted;
      this.#wanted = null;
      try {
        await this.#sync(kind);
        if (kind === "full") this.#again(intervalMs(this.#nodes, this.#parts.random));
      } catch (failure) {
        this.#parts.log.error("agent.anti_entropy", "failed to sync remote state", {
          error: failure instanceof Error ? failure.message : String(failure),
        });
        this.#again(retryIntervalMs(this.#nodes, this.#parts.random));
        return;
      }
    }
  }

  #again(delayMs: number): void {
    this.#parts.timers.clear(this.#timer);
    this.#timer = this.#parts.timers.set(() => this.want("full"), delayMs);
  }

  async #sync(kind: "full" | "partial"): Promise<void> {
    const { state } = this.#parts;
    const steps =
      kind === "full" ? planFullSync(state, await this.#catalogView()) : planPartialSync(state);
    for (const step of steps) await this.#send(step);
  }

  async #catalogView(): Promise<{
    node: Node | null;
    services: NodeService[];
    checks: HealthCheck[];
  }> {
    const { cluster, state } = this.#parts;
    const args = { node: state.node.name };
    const [held, checks, status] = await Promise.all([
      cluster.read("catalog.node-services", args, {}),
      cluster.read("health.node", args, {}),
      cluster.status({}),
    ]);
    this.#nodes = status.nodes ?? this.#nodes;
    this.#comparedIndex = held.index;
    const { Node: node, Services: services } = JSON.parse(held.body ?? "{}") as {
      Node: Node | null;
      Services: NodeService[] | null;
    };
    return {
      node,
      services: services ?? [],
      checks: JSON.parse(checks.body ?? "[]") as HealthCheck[],
    };
  }

  async #send(step: SyncStep): Promise<void> {
    const { cluster, state, log } = this.#parts;
    const options = step.token === "" ? {} : { token: step.token };
    try {
      if (step.type === "catalog.register") {
        await cluster.write({ type: step.type, registration: step.registration }, options);
      } else {
        await cluster.write({ type: step.type, deregistration: step.deregistration }, options);
      }
    } catch (failure) {
      const denied = failure instanceof ServiceError && failure.code === "permission-denied";
      if (!denied) throw failure;
      // Tried again at the next full sync, as Consul does.
      log.warn("agent", "Sync blocked by ACLs", { error: failure.message });
    }
    confirmStep(state, step);
    if (step.node) log.info("agent", "Synced node info");
    for (const { type, id } of step.rows) {
      const verb = step.type === "catalog.register" ? "Synced" : "Deregistered";
      log.info("agent", `${verb} ${type}`, { [type]: id });
    }
  }
}
