// How a new datacenter gets its first configuration. Exactly one peer may ever write it:
//
//   - all servers are objects of this Worker: server 0, alone, because their ids can be computed;
//   - servers on several hosts, as Consul counts: once at least N servers with an empty log, each of which expects N or
//     says nothing, have all confirmed the same set of ids, the smallest id that expects N founds with that set.
//     Another expectation, or anybody who belongs to a group already, forbids it.
//
// Everybody else starts without a configuration and waits for an entry to reach it: a server without an expectation
// founds nothing, and introduces itself until a leader takes it in.

import type { Configuration } from "../../src/core/raft/types.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { PeerTransport } from "./transport.ts";

const introduceIntervalMs = 500;
const introduceTimeoutMs = 2_000;

/** What servers that do not know each other yet tell each other. */
export interface Introduction {
  server: PeerAddress;
  datacenter: string;
  /** True while this server has neither log nor vote. */
  empty: boolean;
  /** 0: nothing is expected. */
  bootstrapExpect: number;
  /** Everyone this server has heard of, itself included. */
  known: PeerAddress[];
}

export interface BootstrapParts {
  self: PeerAddress;
  datacenter: string;
  bootstrapExpect: number;
  transport: PeerTransport;
  timers: Timers;
  sql: Sql;
  isEmpty(): boolean;
  /** Writes the first configuration. */
  bootstrap(configuration: Configuration): void;
}

export class Bootstrap {
  readonly #parts: BootstrapParts;
  readonly #introductions = new Map<string, Introduction>();
  readonly #addresses = new Set<string>();
  #timer: TimerHandle = null;

  constructor(parts: BootstrapParts) {
    this.#parts = parts;
    // Not replicated: where this server was told to look, for when its memory is lost before anybody has taken it in.
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS join_addresses (
      address TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`);
    const told = parts.sql.exec<{ address: string }>(
      "SELECT address FROM join_addresses ORDER BY address",
    );
    for (const { address } of told) this.#addresses.add(address);
    if (told.length > 0 && parts.isEmpty()) this.#introduceSoon();
  }

  /** Addresses (`ip:port`) at which other servers of the datacenter may be found. */
  join(addresses: readonly string[]): void {
    const { self, sql } = this.#parts;
    for (const address of addresses) {
      if (address === self.address || this.#addresses.has(address)) continue;
      this.#addresses.add(address);
      sql.exec("INSERT INTO join_addresses VALUES (?) ON CONFLICT DO NOTHING", address);
    }
    this.#introduceSoon();
  }

  #introduceSoon(): void {
    this.#timer ??= this.#parts.timers.set(() => void this.#introduce(), 0);
  }

  introduction(): Introduction {
    const { self, datacenter, bootstrapExpect, isEmpty } = this.#parts;
    const known = [self, ...[...this.#introductions.values()].map(({ server }) => server)];
    return { server: self, datacenter, bootstrapExpect, empty: isEmpty(), known };
  }

  /** Another server introduced itself; gives back our own introduction. */
  heard(introduction: Introduction): Introduction {
    this.#remember(introduction);
    this.#bootstrapWhenComplete();
    return this.introduction();
  }

  async #introduce(): Promise<void> {
    const body = JSON.stringify(this.introduction());
    await Promise.all([...this.#addresses].map((address) => this.#introduceTo(address, body)));
    this.#bootstrapWhenComplete();
    this.#timer = this.#parts.isEmpty()
      ? this.#parts.timers.set(() => void this.#introduce(), introduceIntervalMs)
      : null;
  }

  async #introduceTo(address: string, body: string): Promise<void> {
    try {
      const peer = { id: "", name: "", address };
      const answer = await this.#parts.transport.call(peer, "introduce", body, introduceTimeoutMs);
      this.#remember(JSON.parse(new TextDecoder().decode(answer)) as Introduction);
    } catch {
      // Not up yet, or not a server: asked again at the next round.
    }
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
    const { self, bootstrapExpect, isEmpty, bootstrap } = this.#parts;
    if (!isEmpty() || bootstrapExpect === 0) return;
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

function idsOf(servers: readonly PeerAddress[]): string {
  return servers
    .map(({ id }) => id)
    .toSorted()
    .join();
}
