// Whom this agent joins: others of its datacenter, as its configuration or somebody over HTTP says, and other
// datacenters. A client looks for servers there; an agent with servers tells them.

import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import type { Servers } from "../servers/options.ts";
import { isDirect } from "./find.ts";
import { Joiner } from "./join.ts";
import { joinUrl, ServerList } from "./server-list.ts";
import { WanJoiner } from "./wan-join.ts";

export interface JoiningParts {
  config: ResolvedAgentConfig;
  log: AgentLog;
  servers: Servers | null;
  /** The last attempt has failed: the agent is to end with 1. */
  exhausted(): void;
}

export class Joining {
  readonly #parts: JoiningParts;
  readonly #lan: Joiner;
  readonly #wan: WanJoiner;
  /** Where servers may be found. One's own are left only with the process; others may be changed for one another. */
  readonly servers: ServerList;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
    this.servers = new ServerList(
      parts.servers ? [] : this.#configured().map((at) => this.#url(at)),
    );
    const { config, log, exhausted } = parts;
    const { startJoin, retryJoin, ports } = config;
    this.#lan = new Joiner({
      ...{ config, log, exhausted },
      pool: { name: "LAN", port: ports.serfLan, startJoin, retryJoin },
      found: (addresses) => {
        this.join(addresses).catch((failure: Error) => {
          log.warn("agent", "Join cluster failed", { error: failure.message });
        });
      },
    });
    this.#wan = new WanJoiner(parts);
  }

  /** Rejects when `-join` named only addresses that cannot be joined. Goes on retrying by itself. */
  async start(): Promise<void> {
    await this.#lan.start();
    await this.#wan.start();
  }

  /** Tells one's own servers, once they run, whom they are to join. */
  async tellServers(): Promise<void> {
    const joined = this.#configured();
    if (this.#parts.servers && joined.length > 0) await this.join(joined);
  }

  async join(addresses: readonly string[]): Promise<void> {
    const { servers } = this.#parts;
    const urls = addresses.map((address) => this.#url(address));
    if (!servers) return this.servers.add(urls);
    const targets = urls.map((url) => url.replace(/^wss?:\/\//, ""));
    await servers.rpc("/rpc/join", JSON.stringify(targets));
  }

  /** Rejects with ServiceError. */
  joinWan(address: string): Promise<void> {
    return this.#wan.join(address);
  }

  stop(): void {
    this.#lan.stop();
    this.#wan.stop();
  }

  #configured(): string[] {
    const { startJoin, retryJoin } = this.#parts.config;
    return [...startJoin, ...retryJoin.addresses].filter(isDirect);
  }

  #url(address: string): string {
    return joinUrl(address, this.#parts.config.ports.serfLan);
  }
}
