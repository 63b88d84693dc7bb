// The pools of other hosts. Where each server runs on a machine of its own, each has a pool of its own, and a member
// whose socket was lost here may have opened another one there. Losing it is evidence only if nobody else has it.

import { jsonOf, type Objects } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { lanPoolObject, type PeerAddress, serverObject } from "../platform/topology.ts";
import { ObjectTransport, type PeerTransport } from "../raft/transport.ts";

const askTimeoutMs = 2_000;
/** Path at which a pool is asked, below the one that needs the server key. */
export const heldPath = "/rpc/held";

/** Name and id of a member with an open socket. */
export type Holder = [name: string, id: string];

export class PoolPeers {
  readonly #objects: Objects;
  readonly #settings: Settings;
  readonly #datacenter: string;
  readonly #transport: PeerTransport;

  constructor(objects: Objects, settings: Settings, datacenter: string) {
    this.#objects = objects;
    this.#settings = settings;
    this.#datacenter = datacenter;
    this.#transport = new ObjectTransport(objects, () => null, settings.SERVER_KEY);
  }

  /**
   * Which of `names` have an open socket at another host's pool, and the ids of those who have it. A pool that does
   * not answer holds nobody: its members look for another server within seconds. Never rejects.
   */
  async held(names: readonly string[]): Promise<Map<string, string>> {
    const others = await this.#others().catch(() => []);
    const answers = await Promise.all(others.map((peer) => this.#ask(peer, names)));
    return new Map(answers.flat());
  }

  /** The same, this deployment's own pool among those who are asked. */
  async heldAnywhere(names: readonly string[]): Promise<Set<string>> {
    const body = JSON.stringify(names);
    const own = this.#objects
      .call(lanPoolObject(this.#datacenter), heldPath, body, askTimeoutMs)
      .then((answer) => jsonOf<Holder[]>(answer))
      .catch((): Holder[] => []);
    const [here, elsewhere] = await Promise.all([own, this.held(names)]);
    return new Set([...here, ...elsewhere].map(([name]) => name));
  }

  async #ask(peer: PeerAddress, names: readonly string[]): Promise<Holder[]> {
    try {
      const body = JSON.stringify(names);
      const answer = await this.#transport.call(peer, "held", body, askTimeoutMs);
      return JSON.parse(new TextDecoder().decode(answer)) as Holder[];
    } catch {
      return [];
    }
  }

  /** Servers on other hosts, as the log knows them. Those of one deployment share one pool. */
  async #others(): Promise<PeerAddress[]> {
    const { HOST } = this.#settings;
    if (HOST?.timing !== "lan") return [];
    const server = serverObject(this.#datacenter, 0);
    const answer = await this.#objects.call(server, "/rpc/status", "", askTimeoutMs);
    const { configuration } = jsonOf<{ configuration: { members: PeerAddress[] } }>(answer);
    const own = new Set(HOST.servers.map(({ id }) => id));
    return configuration.members.filter(({ id }) => !own.has(id));
  }
}
