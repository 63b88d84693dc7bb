// Keeps the catalog in line with the local state: a full comparison at the start and then periodically, a partial
// sync right after each local change, retries after failures (Consul semantics §7). Beyond Consul it waits for changes
// of its own node, so that what somebody else wrote there is undone at once. What has to be sent is planned in
// core/agent; here are the timers and the sending.

import type { Random } from "../core/lib/random.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { HealthCheck, Node, NodeService } from "../core/model/types.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import {
  hostedPace,
  intervalMs,
  retryIntervalMs,
  type SyncPace,
} from "../core/agent/sync-interval.ts";
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
  pace: SyncPace;
}

/**
 * Between two of them at least: one's own registrations end the wait as well, and each time the whole node is read.
 */
const watchGapMs = 2_000;

type Watched = "catalog.node-services" | "health.node";

export class AntiEntropy {
  readonly #parts: AntiEntropyParts;
  #running: Promise<void> | null = null;
  #wanted: "full" | "partial" | null = null;
  #timer: TimerHandle = null;
  #started = false;
  #stopped = false;
  /** Nodes of the datacenter, as of the last full sync: more of them stretch the intervals. */
  #nodes = 1;
  /** Indexes of the node's services, and of its checks, when they were last compared. */
  readonly #compared = new Map<Watched, number>();
  /** Something was not permitted at the last full sync, and may be at the next. */
  #isDenied = false;
  readonly #end = new AbortController();

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts;
    parts.state.rows.subscribe(() => this.want("partial"));
  }

  /** The local state is whole: what it lacks may now be taken from the catalog. Compares everything first. */
  start(): void {
    this.#started = true;
    this.want("full");
    void this.#watch("catalog.node-services");
    if (this.#parts.pace.watchesChecks) void this.#watch("health.node");
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

  /** Compares everything again whenever what the catalog has of this node has changed since that was last done. */
  async #watch(read: Watched): Promise<void> {
    const { cluster, state, timers, pace } = this.#parts;
    const args = { node: state.node.name };
    while (!this.#stopped) {
      await this.#running;
      const minIndex = this.#compared.get(read);
      if (minIndex !== undefined) {
        const options = { minIndex, waitMs: pace.waitMs, signal: this.#end.signal };
        // A failure is not said here: the comparison meets it as well.
        const seen = await cluster.read(read, args, options).catch(() => null);
        if (seen && seen.index !== this.#compared.get(read)) this.want("full");
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
        if (kind === "full" || this.#isDenied) this.#again(this.#intervalMs());
      } catch (failure) {
        this.#parts.log.error("agent.anti_entropy", "failed to sync remote state", {
          error: failure instanceof Error ? failure.message : String(failure),
        });
        this.#again(retryIntervalMs(this.#nodes, this.#parts.random));
        return;
      }
    }
  }

  #intervalMs(): number {
    const { pace, random } = this.#parts;
    return intervalMs(this.#nodes, random, this.#isDenied ? hostedPace : pace);
  }

  #again(delayMs: number): void {
    this.#parts.timers.clear(this.#timer);
    this.#timer = this.#parts.timers.set(() => this.want("full"), delayMs);
  }

  async #sync(kind: "full" | "partial"): Promise<void> {
    const { state } = this.#parts;
    const steps =
      kind === "full" ? planFullSync(state, await this.#catalogView()) : planPartialSync(state);
    if (kind === "full") this.#isDenied = false;
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
    this.#compared.set("catalog.node-services", held.index);
    this.#compared.set("health.node", checks.index);
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
      this.#isDenied = true;
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
