// A whole cluster in one object, for tests of what stands above the Cluster port: one state machine over
// node:sqlite that applies each write at once, and blocking reads by the real watch registry.

import type {
  Cluster,
  ClusterStatus,
  ReadOptions,
  ReadReply,
  WriteOptions,
} from "../../src/ports/cluster.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { encodeCommand } from "../../src/core/state/commands.ts";
import type { Command, CommandResult, CommandType } from "../../src/core/state/commands.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import type { Evaluated } from "../../src/core/state/machine.ts";
import type { ReadName } from "../../src/core/state/reads.ts";
import { WatchRegistry } from "../../src/core/state/watch.ts";
import { NodeSql } from "../../durable/platform/node/sql.ts";

export interface MemoryClusterOptions {
  datacenter?: string;
  /** Address of the only server, as `/v1/status/leader` answers it. */
  address?: string;
  /** Ms since 1970. */
  nowMs?: () => number;
}

export class MemoryCluster implements Cluster {
  readonly sql = new NodeSql();
  readonly machine: StateMachine;
  readonly #datacenter: string;
  readonly #address: string;
  readonly #nowMs: () => number;
  readonly #watches = new WatchRegistry<() => void>();

  constructor(options: MemoryClusterOptions = {}) {
    this.#datacenter = options.datacenter ?? "dc1";
    this.#address = options.address ?? "127.0.0.1:8300";
    this.#nowMs = options.nowMs ?? Date.now;
    this.machine = new StateMachine(this.sql, { datacenter: this.#datacenter });
  }

  /** Reads that wait for something new. */
  get waiting(): number {
    return this.#watches.size;
  }

  async read(
    op: ReadName,
    args: Record<string, JsonValue>,
    options: ReadOptions,
  ): Promise<ReadReply> {
    this.#checkDatacenter(options.dc);
    const evaluate = (): Evaluated => this.machine.read(op, args, { nowMs: this.#nowMs() });
    const { minIndex = 0, waitMs = 0, signal } = options;
    const deadlineMs = Date.now() + waitMs;
    const mayWait = (): boolean => minIndex > 0 && Date.now() < deadlineMs;
    let evaluated = evaluate();
    while (mayWait() && evaluated.index <= minIndex) {
      if (await this.#touched(evaluated, deadlineMs, signal)) evaluated = evaluate();
      else break;
    }
    const { index, body } = evaluated;
    return { index, body, knownLeader: true, lastContactMs: 0 };
  }

  async write<Type extends CommandType>(
    command: Extract<Command, { type: Type }>,
    options: WriteOptions,
  ): Promise<CommandResult<Type>> {
    this.#checkDatacenter(options.dc);
    await Promise.resolve();
    const admitted = this.machine.admit(command, {});
    const entry = {
      index: this.machine.appliedIndex + 1,
      command: encodeCommand(admitted, this.#nowMs()),
    };
    const [applied] = this.sql.transaction(() => this.machine.applyBatch([entry]));
    if (!applied) throw new Error("the entry was not applied");
    for (const wake of this.#watches.fire(applied.touched)) wake();
    const { outcome } = applied;
    if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
    return outcome.value as CommandResult<Type>;
  }

  async renewSession(id: string, options: WriteOptions): Promise<string> {
    const { body } = await this.read("session.info", { id }, options);
    if (body === null || body === "[]") {
      throw new ServiceError("not-found", `Session id '${id}' not found`);
    }
    return body;
  }

  async status({ dc }: { dc?: string }): Promise<ClusterStatus> {
    this.#checkDatacenter(dc);
    return await Promise.resolve({ leader: this.#address, peers: [this.#address] });
  }

  async datacenters(): Promise<string[]> {
    return await Promise.resolve([this.#datacenter]);
  }

  /** Resolves true when something the answer depends on changed, false when the time is over. */
  async #touched(
    { topics }: Evaluated,
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return await new Promise((resolve) => {
      const finish = (isTouched: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        this.#watches.remove(wake);
        resolve(isTouched);
      };
      const wake = (): void => finish(true);
      const stop = (): void => finish(false);
      const timer = setTimeout(stop, Math.max(0, deadlineMs - Date.now()));
      signal?.addEventListener("abort", stop);
      this.#watches.register(topics, wake);
    });
  }

  #checkDatacenter(dc: string | undefined): void {
    if (dc === undefined || dc === "" || dc === this.#datacenter) return;
    throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
  }
}
