// Joining other datacenters, as `join -wan`, `-join-wan` and `-retry-join-wan` ask for it. Whoever is reached is told
// by the leader of the own datacenter (durable/datacenters/federation.ts), which there may not be yet.

import { ServiceError } from "../../core/model/errors.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import { TroubleLog } from "../rare-log.ts";
import type { Servers } from "../servers/options.ts";
import { Joiner, probeAddress } from "./join.ts";
import { withPort } from "./server-list.ts";

const againMsMin = 1_000;
const againMsMax = 30_000;

export interface WanJoinerParts {
  config: ResolvedAgentConfig;
  log: Pick<AgentLog, "info" | "warn" | "error">;
  /** Null for an agent without servers, which cannot join other datacenters. */
  servers: Pick<Servers, "rpc"> | null;
  exhausted(): void;
}

export class WanJoiner {
  readonly #parts: WanJoinerParts;
  readonly #joiner: Joiner;
  readonly #trouble: TroubleLog;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(parts: WanJoinerParts) {
    this.#parts = parts;
    const { config, log, exhausted } = parts;
    this.#trouble = new TroubleLog(log, "(WAN) not joined yet");
    const { startJoinWan: startJoin, retryJoinWan: retryJoin } = config;
    this.#joiner = new Joiner({
      ...{ config, log, exhausted },
      pool: { name: "WAN", port: config.ports.serfWan, startJoin, retryJoin },
      reached: (addresses) => {
        for (const address of addresses) void this.#untilJoined(address, againMsMin);
      },
    });
  }

  /** Rejects when `-join-wan` named only addresses that cannot be reached. */
  async start(): Promise<void> {
    const { servers, config, log } = this.#parts;
    if (servers) return await this.#joiner.start();
    if (config.startJoinWan.length + config.retryJoinWan.addresses.length === 0) return;
    log.warn("agent", "only servers join other datacenters: this agent has none");
  }

  stop(): void {
    this.#stopped = true;
    this.#joiner.stop();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Rejects with ServiceError. */
  async join(address: string): Promise<void> {
    const { config, servers } = this.#parts;
    if (!servers) throw new ServiceError("invalid", "Must be a server to join WAN cluster");
    if (config.ports.serfWan <= 0) {
      throw new ServiceError("invalid", "WAN Federation is disabled");
    }
    const target = withPort(address, config.ports.serfWan);
    const unreached = await probeAddress(target, config, "WAN");
    const failure = unreached ?? (await this.#told(target));
    if (failure === null) return;
    const text = `Failed to join ${target.slice(0, target.lastIndexOf(":"))}: ${failure}`;
    throw new ServiceError("invalid", `1 error occurred:\n\t* ${text}\n\n`);
  }

  async #untilJoined(target: string, againMs: number): Promise<void> {
    const failure = await this.#told(target);
    if (failure === null || this.#stopped) return;
    this.#trouble.say({ address: target, error: failure });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#untilJoined(target, Math.min(againMs * 2, againMsMax));
    }, againMs);
    this.#timers.add(timer);
  }

  /** Null when it was joined. */
  async #told(address: string): Promise<string | null> {
    try {
      await this.#parts.servers?.rpc("/rpc/federate-join", JSON.stringify({ address }));
      return null;
    } catch (failure) {
      return (failure as Error).message;
    }
  }
}
