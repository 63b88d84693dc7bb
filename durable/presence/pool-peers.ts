// The pools of other hosts. Where each server runs on a machine of its own, each has a pool of its own, and a member
// whose socket was lost here may have opened another one there. Losing it is evidence only if nobody else has it.

import { FetchTransport, type PeerAddress, type PeerTransport } from "../raft/transport.ts";
import type { Env } from "../platform/env.ts";
import { serverStub } from "../platform/topology.ts";

const askTimeoutMs = 2_000;
/** Path at which a pool is asked, below the one that needs the server key. */
export const heldPath = "/rpc/held";

export class PoolPeers {
  readonly #env: Env;
  readonly #datacenter: string;
  readonly #transport: PeerTransport;

  constructor(env: Env, datacenter: string) {
    this.#env = env;
    this.#datacenter = datacenter;
    this.#transport = new FetchTransport(() => null, env.SERVER_KEY);
  }

  /**
   * Which of `names` have an open socket at another host's pool. A pool that does not answer holds nobody: its members
   * look for another server within seconds. Never rejects.
   */
  async held(names: readonly string[]): Promise<Set<string>> {
    const others = await this.#others().catch(() => []);
    const answers = await Promise.all(others.map((peer) => this.#ask(peer, names)));
    return new Set(answers.flat());
  }

  async #ask(peer: PeerAddress, names: readonly string[]): Promise<string[]> {
    try {
      const body = JSON.stringify(names);
      const answer = await this.#transport.call(peer, "held", body, askTimeoutMs);
      return JSON.parse(new TextDecoder().decode(answer)) as string[];
    } catch {
      return [];
    }
  }

  /** Servers on other hosts, as the log knows them. Those of one Worker share one pool. */
  async #others(): Promise<PeerAddress[]> {
    const { HOST } = this.#env;
    if (HOST?.timing !== "lan") return [];
    const server = serverStub(this.#env, this.#datacenter, 0);
    const response = await server.fetch("http://server/rpc/status", { method: "POST" });
    const { configuration } = await response.json<{
      configuration: { members: PeerAddress[] };
    }>();
    const own = new Set(HOST.servers.map(({ id }) => id));
    return configuration.members.filter(({ id }) => !own.has(id));
  }
}
