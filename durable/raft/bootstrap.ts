// How a new datacenter gets its first configuration. Exactly one peer may ever write it:
//
//   - all servers are objects of this Worker: server 0, alone, because their ids can be computed;
//   - servers on several hosts, as Consul counts: once at least N servers with an empty log, each of which expects N or
//     says nothing, have all confirmed the same set of ids, the smallest id that expects N founds with that set.
//     Another expectation, or anybody who belongs to a group already, forbids it.
//
// Everybody else starts without a configuration and waits for an entry to reach it: a server without an expectation
// founds nothing, and introduces itself until a leader takes it in. So does one that has a log and has lost touch: it
// may have been taken out meanwhile, and then comes back as a newcomer.

import type { Configuration } from "../../src/core/raft/types.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import { InstanceEnded } from "../platform/platform.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { PeerTransport } from "./transport.ts";

const introduceIntervalMs = 500;
/** Of a server that has a log, and no leader. */
const lostIntervalMs = 5_000;
const introduceTimeoutMs = 2_000;

/** What servers that do not know each other yet tell each other. */
export interface Introduction {
  server: PeerAddress;
  datacenter: string;
  /** True while this server has no log: it never had one, or has thrown it away. */
  empty: boolean;
  /** Of the datacenter whose state it has; null for none, or one that does not say. */
  clusterId: string | null;
  /** 0: nothing is expected. */
  bootstrapExpect: number;
  /** Everyone this server has heard of, itself included. */
  known: PeerAddress[];
}

/** What a leader says to one with a log that its committed configuration does not have. */
export interface Removal {
  term: number;
}

/** Another server's introduction in return. */
export interface Welcome extends Introduction {
  removal?: Removal;
}

export interface BootstrapParts {
  self: PeerAddress;
  datacenter: string;
  bootstrapExpect: number;
  transport: PeerTransport;
  timers: Timers;
  sql: Sql;
  /** Has neither log nor vote, and may found a datacenter. */
  isFresh(): boolean;
  /** Has no log. */
  isEmpty(): boolean;
  /** Has a log, and knows no leader. */
  isLost(): boolean;
  clusterId(): string | null;
  /** Of the group that it was last in. */
  memberAddresses(): string[];
  /** Starts anew as a newcomer, unless it knows better. */
  removed(removal: Removal): void;
  /** Writes the first configuration. */
  bootstrap(configuration: Configuration): void;
}

export class Bootstrap {
  readonly #parts: BootstrapParts;
  readonly #introductions = new Map<string, Introduction>();
  readonly #addresses = new Set<string>();
  #timer: TimerHandle = null;
  #stopped = false;

  constructor(parts: BootstrapParts) {
    this.#parts = parts;
    // Not replicated: where this server was told to look, for when its memory is lost before anybody has taken it in.
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS join_addresses (
      address TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`);
    const told = parts.sql.exec<{ address: string }>(
      "SELECT address FROM join_addresses ORDER BY address",
    );
    for (const { address } of told) this.#addresses.add(address);
    if (told.length > 0 && parts.isEmpty()) this.#introduceIn(0);
  }

  /** Addresses (`ip:port`) at which other servers of the datacenter may be found. */
  join(addresses: readonly string[]): void {
    this.#keep(addresses);
    this.#introduceIn(0);
  }

  #keep(addresses: readonly string[]): void {
    const { self, sql } = this.#parts;
    for (const address of addresses) {
      if (address === self.address) continue;
      this.#addresses.add(address);
      sql.exec("INSERT INTO join_addresses VALUES (?) ON CONFLICT DO NOTHING", address);
    }
  }

  /** It may have been lost, which takes a while to tell. Whoever was never told where to look waits. */
  leadershipChanged(): void {
    if (this.#timer === null && this.#addresses.size > 0) this.#introduceIn(lostIntervalMs);
  }

  /** This server has left, which Consul takes for a lasting wish: until somebody says again where to look. */
  stop(): void {
    this.#stopped = true;
    this.#parts.timers.clear(this.#timer);
    this.#parts.sql.exec("DELETE FROM join_addresses");
  }

  #introduceIn(delayMs: number): void {
    const { timers } = this.#parts;
    timers.clear(this.#timer);
    const introduce = (): void => void this.#introduce().catch(unlessEnded);
    this.#timer = this.#stopped ? null : timers.set(introduce, delayMs);
  }

  introduction(): Introduction {
    const { self, datacenter, isEmpty, clusterId } = this.#parts;
    const known = [self, ...[...this.#introductions.values()].map(({ server }) => server)];
    return {
      ...{ server: self, datacenter, bootstrapExpect: this.#expected, known },
      ...{ empty: isEmpty(), clusterId: clusterId() },
    };
  }

  /** Whoever was in a group once is not to found another one. */
  get #expected(): number {
    return this.#parts.isFresh() ? this.#parts.bootstrapExpect : 0;
  }

  /** Another server introduced itself; gives back our own introduction. */
  heard(introduction: Introduction): Introduction {
    this.#remember(introduction);
    this.#bootstrapWhenComplete();
    return this.introduction();
  }

  async #introduce(): Promise<void> {
    const { self, isEmpty, isLost, memberAddresses } = this.#parts;
    this.#timer = null;
    if (!isEmpty() && !isLost()) return;
    const body = JSON.stringify(this.introduction());
    const addresses = new Set([...this.#addresses, ...memberAddresses()]);
    addresses.delete(self.address);
    await Promise.all([...addresses].map((address) => this.#introduceTo(address, body)));
    this.#bootstrapWhenComplete();
    this.#introduceIn(isEmpty() ? introduceIntervalMs : lostIntervalMs);
  }

  async #introduceTo(address: string, body: string): Promise<void> {
    let removal: Removal | undefined;
    try {
      const peer = { id: "", name: "", address };
      const answer = await this.#parts.transport.call(peer, "introduce", body, introduceTimeoutMs);
      const welcome = JSON.parse(new TextDecoder().decode(answer)) as Welcome;
      this.#remember(welcome);
      removal = welcome.removal;
    } catch {
      // Not up yet, or not a server: asked again at the next round.
    }
    if (!removal) return;
    // With the log goes what it says of the others.
    this.#keep([address, ...this.#parts.memberAddresses()]);
    this.#parts.removed(removal);
  }

  #remember(introduction: Introduction): void {
    const { self, datacenter } = this.#parts;
    if (introduction.datacenter !== datacenter || introduction.server.id === self.id) return;
    this.#introductions.set(introduction.server.id, introduction);
    this.#addresses.add(introduction.server.address);
    for (const { id, address } of introduction.known) {
      if (id !== self.id) this.#addresses.add(address);
    }
  }

  #bootstrapWhenComplete(): void {
    const { self, bootstrap } = this.#parts;
    const bootstrapExpect = this.#expected;
    if (bootstrapExpect === 0) return;
    const others = [...this.#introductions.values()];
    if (others.length + 1 < bootstrapExpect) return;
    const ids = idsOf([self, ...others.map(({ server }) => server)]);
    const agreed = others.every(
      (other) =>
        other.empty &&
        (other.bootstrapExpect === bootstrapExpect || other.bootstrapExpect === 0) &&
        idsOf(other.known) === ids,
    );
    const founders = others.filter((other) => other.bootstrapExpect === bootstrapExpect);
    const isSmallest = founders.every(({ server }) => self.id < server.id);
    if (!agreed || !isSmallest) return;
    const members = [self, ...others.map(({ server }) => server)];
    bootstrap({ members: members.map((member) => ({ ...member, voter: true })) });
  }
}

/** Starting anew ends this instance. */
function unlessEnded(failure: unknown): void {
  if (!(failure instanceof InstanceEnded)) throw failure;
}

function idsOf(servers: readonly PeerAddress[]): string {
  return servers
    .map(({ id }) => id)
    .toSorted()
    .join();
}
