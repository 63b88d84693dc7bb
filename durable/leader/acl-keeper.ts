// What a leader does for ACLs: it makes the objects that every datacenter with ACLs has, and removes tokens whose time
// is over. They stop counting by themselves, on every server; removing them ends what still waits with them.

import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import { needsInitialization } from "../../src/core/state/tables/acl/bootstrap.ts";
import { accessorsExpiredBy, nextExpirationMs } from "../../src/core/state/tables/acl/rows.ts";
import { accessorsEndedBy } from "./ended-tokens.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { AclServerSettings } from "../platform/settings.ts";
import type { ServerRequests } from "../server/requests.ts";

const owner = "acl-tokens";
/** Tokens that end this soon after each other are removed together. */
const granularityMs = 1_000;

export interface AclKeeperParts {
  machine: StateMachine;
  clock: AlarmClock;
  requests: ServerRequests;
  nowMs(): number;
  leads(): boolean;
  /** A random UUID. */
  uuid(): string;
  /** Tells pools of tokens that ended, by their accessors. */
  evict(bearers: readonly string[]): void;
  /** Absent: there are no ACLs. */
  settings: AclServerSettings | undefined;
}

export class AclKeeper {
  readonly #parts: AclKeeperParts;

  constructor(parts: AclKeeperParts) {
    this.#parts = parts;
    parts.clock.handle(owner, () => this.#expire());
  }

  /** Makes what is missing. Rejects when it could not. */
  async initialize(): Promise<void> {
    const { machine, requests, settings, uuid } = this.#parts;
    if (!settings) return;
    const { masterToken: master } = settings;
    if (!machine.ask((state) => needsInitialization(state, master))) return;
    const write = { type: "acl.initialize", master, accessor: uuid() } as const;
    await requests.writeHere({ id: 0, write });
  }

  applied(entries: readonly Applied[]): void {
    const { leads } = this.#parts;
    if (!leads()) return;
    if (entries.some(({ command }) => command?.type.startsWith("acl."))) this.arm();
    const ended = accessorsEndedBy(entries);
    if (ended.length > 0) this.#parts.evict(ended);
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const { machine, clock, settings } = this.#parts;
    if (!settings) return;
    const nextMs = machine.ask(nextExpirationMs);
    if (nextMs === null) clock.clear(owner);
    else clock.set(owner, nextMs + granularityMs, granularityMs);
  }

  async #expire(): Promise<void> {
    const { machine, requests, nowMs, leads } = this.#parts;
    if (!leads()) return;
    const expired = machine.ask((state) => accessorsExpiredBy(state, nowMs()));
    await Promise.all(
      expired.map((accessor) =>
        requests.writeHere({ id: 0, write: { type: "acl.token.expire", accessor } }),
      ),
    );
    this.arm();
  }
}
