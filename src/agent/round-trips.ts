// How long a message takes to another node and back. A server accepts connections: its kernel answers, so that what its
// processes do makes no difference. Every other agent answers datagrams on its gossip port, the same one on all hosts.

import { connect } from "node:net";

import type { Peer } from "../core/model/coordinate.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { EchoPort } from "./link/echo.ts";
import type { AgentLog } from "./log.ts";

const timeoutMs = 5_000;

export class RoundTrips {
  readonly #config: ResolvedAgentConfig;
  readonly #log: Pick<AgentLog, "warn">;
  readonly #echo: EchoPort;

  constructor(config: ResolvedAgentConfig, log: Pick<AgentLog, "warn">) {
    this.#config = config;
    this.#log = log;
    this.#echo = new EchoPort(config);
  }

  /** Answers others, where the port is free; who cannot be measured is only placed less well. */
  async listen(): Promise<void> {
    const { bindAddress, ports } = this.#config;
    if (ports.serfLan <= 0) return;
    try {
      await this.#echo.listen(bindAddress, ports.serfLan);
    } catch (failure) {
      const error = (failure as Error).message;
      this.#log.warn("agent.coordinate", "cannot answer other agents' datagrams", { error });
    }
  }

  /** Ms, with fractions; null when it does not answer. */
  measure({ Node: node, Address: address, Port: port }: Peer): Promise<number | null> {
    if (port !== null) return connectMs(address, port);
    return this.#echo.roundTripMs(node, address, this.#config.ports.serfLan);
  }

  stop(): void {
    this.#echo.close();
  }
}

/** Ms in which a connection opens; null when none can be opened. */
export function connectMs(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const socket = connect({ host, port });
    const done = (tookMs: number | null): void => {
      socket.destroy();
      resolve(tookMs);
    };
    socket.setTimeout(timeoutMs, () => done(null));
    socket.once("connect", () => done(performance.now() - startedMs));
    socket.on("error", () => done(null));
  });
}
