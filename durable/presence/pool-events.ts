// User events in a pool: taken from whoever fires them, given to every member here, and pushed to the other pools at
// once. A pool that could not be reached is owed a comparison, after which both have the same; nothing else is asked
// for, so that where nobody fires anything nobody wakes.

import { eventSizeProblem, type UserEvent } from "../../src/core/model/user-event.ts";
import { isUnknown, knownClock } from "../../src/core/gossip/user-events.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { encodePoolEvents } from "../../src/link/protocol.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import { type Answer, jsonAnswer, refusal, textOf } from "../platform/platform.ts";
import { EventRows } from "./event-rows.ts";

/** Of a deployment's own objects; the public Worker and the server port do not lead here. */
export const firePath = "/rpc/fire";
/** What pools say to each other. */
export const eventsPath = "/rpc/events";

const repairMinMs = 5_000;
const repairMaxMs = 300_000;
/** Stands for all pools on other hosts, while nobody can say which there are. */
const unknownHosts = "*";

/** Whoever else keeps events of this datacenter. */
export interface EventPeer {
  /** The same at each call. */
  key: string;
  /** It also compares what it has with what is here; else it is told everything. */
  compares: boolean;
  /** Resolves to the body of its answer. Rejects when there was none. */
  send(message: EventMessage): Promise<unknown>;
}

export interface EventMessage {
  events?: readonly UserEvent[];
  /** Ids of what the sender has: answered with an {@link EventComparison}. */
  have?: readonly string[];
}

interface EventComparison {
  /** What the sender lacks. */
  events: UserEvent[];
  /** Ids of what the other one lacks. */
  lacks: string[];
}

export interface PoolEventsParts {
  sql: Sql;
  /** Null: who there is on other hosts cannot be found out now. */
  others(): Promise<EventPeer[] | null>;
  /** The agent at the Worker's URL that this pool alone tells. */
  local: EventPeer | null;
  /** This pool's host has pools on other hosts, each of which tells its own local agent. */
  isHosted: boolean;
  /** To every member that was taken in. */
  deliver(frame: string): void;
  /** Call {@link PoolEvents.repair} in so many ms. */
  repairIn(delayMs: number): void;
  waitUntil(work: Promise<unknown>): void;
}

export class PoolEvents {
  readonly #parts: PoolEventsParts;
  readonly #rows: EventRows;
  #repairMs = repairMinMs;

  constructor(parts: PoolEventsParts) {
    this.#parts = parts;
    this.#rows = new EventRows(parts.sql);
    parts.sql.exec(
      "CREATE TABLE IF NOT EXISTS event_owed (peer TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    );
  }

  get clock(): number {
    return this.#rows.clock;
  }

  /** This pool has just been constructed. */
  woke(): void {
    const { isHosted, repairIn, waitUntil } = this.#parts;
    // A process that was away has missed what was fired elsewhere; an object that slept has missed nothing.
    if (isHosted) waitUntil(this.repair("all"));
    else if (this.#owed().size > 0) repairIn(0);
  }

  /** Null for a path that is not about events. */
  call(path: string, body: Uint8Array): Answer | null {
    if (path === firePath) return this.#fire(JSON.parse(textOf(body)) as UserEvent);
    if (path !== eventsPath) return null;
    const { events = [], have } = JSON.parse(textOf(body)) as EventMessage;
    if (!Array.isArray(events)) return refusal(400, "events are a list");
    this.#take(events);
    return jsonAnswer(Array.isArray(have) ? this.#compare(have) : {});
  }

  /** What a member that told this of what it has is sent; null for nothing. */
  missedBy(known: string): string | null {
    if (known === "") return null;
    this.#rows.witness(knownClock(known));
    const missed = this.#rows.all().filter((event) => isUnknown(event, known));
    return missed.length === 0 ? null : encodePoolEvents(missed);
  }

  /** Compares with whoever is owed it, or with everybody. Never rejects. */
  async repair(whom: "owed" | "all" = "owed"): Promise<void> {
    const others = await this.#parts.others();
    const { local } = this.#parts;
    const peers = [...(others ?? []), ...(local ? [local] : [])];
    const owed = this.#owed();
    const chosen = peers.filter(({ key }) => {
      return whom === "all" || owed.has(key) || owed.has(unknownHosts);
    });
    const isDone = await fewAtOnce(chosen, (peer) => this.#repairOne(peer));
    const failed = chosen.filter((_, at) => isDone[at] !== true).map(({ key }) => key);
    // Who is no longer there is owed nothing.
    this.#setOwed(others === null && owed.size > 0 ? [...failed, unknownHosts] : failed);
  }

  #fire(event: UserEvent): Answer {
    const timed = { ...event, LTime: this.#rows.clock + 1 };
    const problem = eventSizeProblem(timed);
    if (problem !== null) return jsonAnswer({ problem });
    const fresh = this.#rows.keep([timed]);
    if (fresh.length === 0) return jsonAnswer({});
    this.#parts.deliver(encodePoolEvents(fresh));
    this.#parts.waitUntil(this.#push(fresh));
    return jsonAnswer({});
  }

  #take(events: readonly unknown[]): void {
    const fresh = this.#rows.keep(events);
    if (fresh.length === 0) return;
    this.#parts.deliver(encodePoolEvents(fresh));
    const { local, isHosted } = this.#parts;
    if (local && isHosted) this.#parts.waitUntil(this.#pushTo([local], fresh));
  }

  #compare(have: readonly unknown[]): EventComparison {
    const theirs = new Set(have);
    const all = this.#rows.all();
    const ours = new Set<unknown>(all.map(({ ID }) => ID));
    return {
      events: all.filter(({ ID }) => !theirs.has(ID)),
      lacks: have.filter((id): id is string => typeof id === "string" && !ours.has(id)),
    };
  }

  async #push(events: readonly UserEvent[]): Promise<void> {
    const others = await this.#parts.others();
    const { local } = this.#parts;
    if (others === null) this.#owe([unknownHosts]);
    await this.#pushTo([...(others ?? []), ...(local ? [local] : [])], events);
  }

  async #pushTo(peers: readonly EventPeer[], events: readonly UserEvent[]): Promise<void> {
    const isTold = await fewAtOnce(peers, (peer) =>
      peer.send({ events }).then(
        () => true,
        () => false,
      ),
    );
    this.#owe(peers.filter((_, at) => isTold[at] !== true).map(({ key }) => key));
  }

  /** False when it did not answer. */
  async #repairOne(peer: EventPeer): Promise<boolean> {
    try {
      const all = this.#rows.all();
      if (!peer.compares) {
        await peer.send({ events: all });
        return true;
      }
      const have = all.map(({ ID }) => ID);
      const answer = (await peer.send({ have })) as EventComparison;
      const lacking = new Set(answer.lacks);
      const events = all.filter(({ ID }) => lacking.has(ID));
      this.#take(answer.events);
      if (events.length > 0) await peer.send({ events });
      return true;
    } catch {
      return false;
    }
  }

  #owed(): Set<string> {
    const rows = this.#parts.sql.exec<{ peer: string }>(
      "SELECT peer FROM event_owed ORDER BY peer",
    );
    return new Set(rows.map(({ peer }) => peer));
  }

  #owe(peers: readonly string[]): void {
    if (peers.length === 0) return;
    this.#setOwed([...new Set([...this.#owed(), ...peers])]);
  }

  #setOwed(peers: readonly string[]): void {
    const { sql, repairIn } = this.#parts;
    const owed = this.#owed();
    for (const peer of owed) {
      if (!peers.includes(peer)) sql.exec("DELETE FROM event_owed WHERE peer = ?", peer);
    }
    for (const peer of peers) {
      if (!owed.has(peer)) sql.exec("INSERT INTO event_owed VALUES (?)", peer);
    }
    if (peers.length === 0) {
      this.#repairMs = repairMinMs;
      return;
    }
    repairIn(this.#repairMs);
    this.#repairMs = Math.min(2 * this.#repairMs, repairMaxMs);
  }
}
