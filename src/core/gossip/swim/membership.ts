// What one agent holds true of the others, and what it passes on: suspicion, refutation, the end. Lifeguard: a
// suspicion ends the sooner the more members have come to it independently, and an agent that fails or is accused
// doubts itself.

import type { Random } from "../../lib/random.ts";
import { Broadcasts } from "./broadcasts.ts";
import {
  isPresent,
  membersMax,
  MemberTable,
  type MemberUpdate,
  overrides,
  type Peer,
  type SwimMember,
} from "./members.ts";
import { type Introduction, packUpdate } from "./messages.ts";
import {
  confirmationsWanted,
  healthMax,
  suspicionMs,
  type SwimTiming,
  transmitLimit,
} from "./timing.ts";

export interface MembershipParts {
  self: Introduction;
  timing: SwimTiming;
  random: Random;
  /** A member that is gone is forgotten after so long. */
  forgetMs: number;
}

interface Suspicion {
  startedMs: number;
  by: Set<string>;
}

export class Membership {
  readonly #parts: MembershipParts;
  readonly table: MemberTable;
  readonly #broadcasts = new Broadcasts();
  readonly #suspicions = new Map<string, Suspicion>();
  #incarnation: number;
  #health = 0;
  #left = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.table = new MemberTable(parts.random);
    this.#incarnation = parts.self.incarnation;
  }

  get self(): Introduction {
    return { ...this.#parts.self, incarnation: this.#incarnation };
  }

  /** From 0, well, to {@link healthMax}: how much this agent doubts itself. */
  get health(): number {
    return this.#health;
  }

  get hasNews(): boolean {
    return !this.#broadcasts.isEmpty;
  }

  get isCalm(): boolean {
    return this.#suspicions.size === 0;
  }

  /** Those who are there, this one among them. */
  get count(): number {
    return this.table.present + 1;
  }

  /** When the next suspicion ends; null without one. */
  get dueMs(): number | null {
    const ends = [...this.#suspicions.values()].map((suspicion) => this.#endMs(suspicion));
    return ends.length === 0 ? null : Math.min(...ends);
  }

  feel(change: number): void {
    this.#health = Math.min(healthMax, Math.max(0, this.#health + change));
  }

  /** Members as the pool knows them: of those that are known already the mesh knows better. */
  introduce(peers: readonly Peer[], nowMs: number): void {
    for (const { name, host, port } of peers) {
      if (name === this.self.name || this.table.find(name)) continue;
      const member = { name, host, port, status: "alive", incarnation: 0, sinceMs: nowMs } as const;
      this.table.add(member, false);
    }
  }

  /** Someone has spoken for itself; it is taken in even if another one has to go. */
  met(from: Introduction, nowMs: number): void {
    if (from.name !== this.self.name) this.#apply(aliveUpdate(from), { nowMs, isDirect: true });
  }

  apply(update: MemberUpdate, nowMs: number): void {
    if (update.name === this.self.name) this.#answerTo(update);
    else this.#apply(update, { nowMs, isDirect: false });
  }

  /** A probe of it has failed. True when that is news. */
  suspect(name: string, nowMs: number): boolean {
    const known = this.table.find(name);
    if (!known || !isPresent(known)) return false;
    const isNew = known.status === "alive";
    this.apply({ ...updateOf(known, this.self.name), status: "suspect" }, nowMs);
    return isNew;
  }

  /** Ends suspicions that nobody has refuted, and forgets who is long gone. */
  expire(nowMs: number): void {
    for (const [name, suspicion] of this.#suspicions) {
      const known = this.table.find(name);
      if (!known) this.#suspicions.delete(name);
      else if (this.#endMs(suspicion) <= nowMs)
        this.apply({ ...updateOf(known, this.self.name), status: "dead" }, nowMs);
    }
    for (const member of this.table.all()) {
      const isOver = nowMs - member.sinceMs >= this.#parts.forgetMs;
      if (!isPresent(member) && isOver) this.table.remove(member.name);
    }
  }

  /** This agent leaves: the last thing it says of itself. */
  leave(): void {
    this.#left = true;
    this.#broadcasts.queue({ ...aliveUpdate(this.self), status: "left" });
  }

  /** News for a message with so much room; what is held against the one it goes to comes first (buddy system). */
  news(to: SwimMember | undefined, bytesMax: number): Uint8Array[] {
    const accused = to && to.status !== "alive" ? [packUpdate(updateOf(to, this.self.name))] : [];
    const left = bytesMax - (accused[0]?.length ?? 0);
    const limit = transmitLimit(this.#parts.timing.retransmitMult, this.count);
    return [...accused, ...this.#broadcasts.take(left, limit)];
  }

  /** Says of itself that it is there, louder than whoever says that it is not. */
  #answerTo({ status, incarnation }: MemberUpdate): void {
    if (this.#left) return;
    const mine = this.#incarnation;
    const isAccused = status !== "alive" && incarnation >= mine;
    if (isAccused || incarnation > mine) {
      this.#incarnation = incarnation + 1;
      if (isAccused) this.feel(1);
    } else if (status === "alive") return;
    // Whoever accuses an older incarnation does not know this one yet.
    this.#broadcasts.queue(aliveUpdate(this.self));
  }

  #apply(update: MemberUpdate, { nowMs, isDirect }: { nowMs: number; isDirect: boolean }): void {
    const { name, status, incarnation, host, port } = update;
    const known = this.table.find(name);
    if (!known) {
      const member = { name, host, port, status, incarnation, sinceMs: nowMs };
      const isFull = this.table.size >= membersMax;
      const isTaken = status === "alive" && this.table.add(member, isDirect);
      // Where there are more members than anybody knows, who comes by is nobody else's news.
      if (isTaken && !isFull) this.#broadcasts.queue(update);
      return;
    }
    if (!overrides(update, known)) return this.#confirm(update, known);
    this.table.become(known, status, nowMs);
    known.incarnation = incarnation;
    if (status === "alive") Object.assign(known, { host, port });
    if (status === "suspect") {
      this.#suspicions.set(name, { startedMs: nowMs, by: new Set([update.by]) });
    } else this.#suspicions.delete(name);
    this.#broadcasts.queue({ ...update, host: known.host, port: known.port });
  }

  /** Another one has come to the same suspicion: that is passed on as long as it makes a difference. */
  #confirm(update: MemberUpdate, known: SwimMember): void {
    const suspicion = this.#suspicions.get(known.name);
    const isSame = update.status === "suspect" && update.incarnation === known.incarnation;
    if (!suspicion || !isSame || suspicion.by.has(update.by)) return;
    if (suspicion.by.size > confirmationsWanted(this.count)) return;
    suspicion.by.add(update.by);
    this.#broadcasts.queue(update);
  }

  #endMs({ startedMs, by }: Suspicion): number {
    return startedMs + suspicionMs(this.#parts.timing, this.count, by.size - 1);
  }
}

function aliveUpdate({ name, host, port, incarnation }: Introduction): MemberUpdate {
  return { status: "alive", name, host, port, incarnation, by: "" };
}

function updateOf({ status, name, host, port, incarnation }: SwimMember, by: string): MemberUpdate {
  return { status, name, host, port, incarnation, by };
}
