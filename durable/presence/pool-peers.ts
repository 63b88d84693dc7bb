// Other pools. Where each server runs on a machine of its own, each has a pool of its own, and on Cloudflare there may
// be several. A member whose socket was lost here may have opened another one there: losing it is evidence only if
// nobody else has it.

import { isRelayedAnswer, type RelayedAnswer } from "../../src/link/pool-frames.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import { isSuccess, jsonOf, type ObjectAddress, type Objects } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { type EventMessage, type EventPeer, eventsPath } from "./pool-events.ts";
import {
  lanPoolCount,
  lanPoolObject,
  lanPoolOf,
  type PeerAddress,
  serverObject,
} from "../platform/topology.ts";
import { ObjectTransport, type PeerTransport } from "../raft/transport.ts";

const askTimeoutMs = 2_000;
const tellTimeoutMs = 5_000;
/** Longer than a pool waits for its members. */
const relayTimeoutMs = 6_000;
/** Path at which a pool is asked, below the one that needs the server key. */
export const heldPath = "/rpc/held";

/** Path at which a pool asks its members what an agent asks of all of them. */
export const relayPath = "/rpc/relay";

/** Path at which a pool says who all of its members are. */
export const rosterPath = "/rpc/roster";

/** Whether a call that came by URL is for the host's pool, and not for its server. */
export function isForPool(path: string): boolean {
  return path === heldPath || path === rosterPath || path === relayPath || path === eventsPath;
}

/** Name and id of who has an open socket, and whether it was taken in: else the pool still asks whether it may. */
export type Holder = [name: string, id: string, isMember: boolean];

/** A member as its pool knows it; one without an open socket is suspected. */
export interface RosterMember {
  name: string;
  id: string;
  address: string;
  isOpen: boolean;
}

/** Names of members that are held somewhere, and whether every pool has said so; else it may be held by the others. */
export interface Held {
  names: Set<string>;
  allAnswered: boolean;
}

interface Answers {
  holders: Holder[];
  allAnswered: boolean;
}

/** Where a pool is told of tokens that ended. */
export const evictPath = "/pool/evict";

export class PoolPeers {
  readonly #objects: Objects;
  readonly #settings: Settings;
  readonly #datacenter: string;
  readonly #transport: PeerTransport;
  readonly #pool: string | null;

  /** `pool`: name of the pool that asks; null for a server. */
  constructor(
    objects: Objects,
    settings: Settings,
    datacenter: string,
    pool: string | null = null,
  ) {
    this.#objects = objects;
    this.#settings = settings;
    this.#datacenter = datacenter;
    this.#pool = pool;
    this.#transport = new ObjectTransport(objects, () => null, settings.SERVER_KEY);
  }

  /** The id of the member that has `name` at another pool; undefined when there is none. Never rejects. */
  async holderOf(name: string): Promise<string | undefined> {
    const { holders } = await this.#holders([name]);
    return holders.find(([, , isMember]) => isMember)?.[1];
  }

  /**
   * Which of these members' names have an open socket at another pool: a member's, whoever it is, or that of the same
   * one while it is being looked up there, which takes long when a server has gone silent. Never rejects.
   */
  async heldAnywhere(members: readonly { name: string; id: string }[]): Promise<Held> {
    const ids = new Map(members.map(({ name, id }) => [name, id]));
    const { holders, allAnswered } = await this.#holders([...ids.keys()]);
    const held = holders.filter(([name, id, isMember]) => isMember || ids.get(name) === id);
    return { names: new Set(held.map(([name]) => name)), allAnswered };
  }

  /** The members of every other pool; null when one does not say. Never rejects. */
  async roster(): Promise<RosterMember[] | null> {
    const others = await this.#others().catch(() => null);
    if (others === null) return null;
    const answers = await fewAtOnce(
      [
        ...this.#ownPools().map((pool) => () => this.#askOwn<RosterMember>(pool, rosterPath, "")),
        ...others.map((peer) => () => this.#ask<RosterMember>(peer, "roster", "")),
      ],
      (ask) => ask(),
    );
    return answers.includes(null) ? null : answers.flatMap((members) => members ?? []);
  }

  /** What the members of every other pool answer; those of one that does not say are not named. Never rejects. */
  async relay(text: string): Promise<RelayedAnswer[]> {
    const others = await this.#others().catch(() => []);
    const ask = (peer: PeerAddress): Promise<RelayedAnswer[] | null> =>
      this.#ask<RelayedAnswer>(peer, "relay", JSON.stringify(text), relayTimeoutMs);
    const answers = await fewAtOnce(others, ask);
    return answers.flatMap((some) => (some ?? []).filter(isRelayedAnswer));
  }

  /** Members that showed these tokens, by their accessors, are members no more. Rejects when a pool was not told. */
  async evict(bearers: readonly string[]): Promise<void> {
    const body = JSON.stringify(bearers);
    const told = this.#ownPools().map(async (pool) => {
      const answer = await this.#objects.call(pool, evictPath, body, tellTimeoutMs);
      if (!isSuccess(answer)) throw new Error(`${pool.name} answered ${answer.status}`);
    });
    await Promise.all(told);
  }

  /** Every other pool, to be told of user events; null when it cannot be found out which there are on other hosts. */
  async eventPeers(): Promise<EventPeer[] | null> {
    const others = await this.#others().catch(() => null);
    if (others === null) return null;
    return [
      ...this.#ownPools().map((pool) => this.#ownPeer(pool)),
      ...others.map((peer) => this.#farPeer(peer)),
    ];
  }

  /** Pools of this deployment, but for the one that asks. */
  #ownPools(): ObjectAddress[] {
    const count = lanPoolCount(this.#settings, this.#datacenter);
    const own = Array.from({ length: count }, (_, n) => lanPoolObject(this.#datacenter, n));
    return own.filter(({ name }) => name !== this.#pool);
  }

  #ownPeer(pool: ObjectAddress): EventPeer {
    const send = async (message: EventMessage): Promise<unknown> => {
      const body = JSON.stringify(message);
      return jsonOf<unknown>(await this.#objects.call(pool, eventsPath, body, tellTimeoutMs));
    };
    return { key: pool.name, compares: true, send };
  }

  #farPeer(peer: PeerAddress): EventPeer {
    const send = async (message: EventMessage): Promise<unknown> => {
      const body = JSON.stringify(message);
      const answer = await this.#transport.call(peer, "events", body, tellTimeoutMs);
      return JSON.parse(new TextDecoder().decode(answer)) as unknown;
    };
    return { key: peer.address, compares: true, send };
  }

  /** Who has an open socket at another pool: at another host's, or at the one of this deployment that a name is of. */
  async #holders(names: readonly string[]): Promise<Answers> {
    const others = await this.#others().catch(() => null);
    const answers = await fewAtOnce(
      [
        ...(others ?? []).map(
          (peer) => () => this.#ask<Holder>(peer, "held", JSON.stringify(names)),
        ),
        ...this.#own(names).map(
          ([pool, belonging]) =>
            () =>
              this.#askOwn<Holder>(pool, heldPath, JSON.stringify(belonging)),
        ),
      ],
      (ask) => ask(),
    );
    return {
      holders: answers.flatMap((holders) => holders ?? []),
      allAnswered: others !== null && !answers.includes(null),
    };
  }

  /** Pools of this deployment, but for the one that asks, and which of `names` belong to each. */
  #own(names: readonly string[]): [ObjectAddress, string[]][] {
    const pools = new Map<string, [ObjectAddress, string[]]>();
    for (const name of names) {
      const pool = lanPoolOf(name, this.#settings, this.#datacenter);
      if (pool.name === this.#pool) continue;
      const known = pools.get(pool.name);
      if (known) known[1].push(name);
      else pools.set(pool.name, [pool, [name]]);
    }
    return [...pools.values()];
  }

  /** Null when it does not answer. */
  async #askOwn<Item>(pool: ObjectAddress, path: string, body: string): Promise<Item[] | null> {
    try {
      return jsonOf<Item[]>(await this.#objects.call(pool, path, body, askTimeoutMs));
    } catch {
      return null;
    }
  }

  async #ask<Item>(
    peer: PeerAddress,
    operation: string,
    body: string,
    timeoutMs = askTimeoutMs,
  ): Promise<Item[] | null> {
    try {
      const answer = await this.#transport.call(peer, operation, body, timeoutMs);
      return JSON.parse(new TextDecoder().decode(answer)) as Item[];
    } catch {
      return null;
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
