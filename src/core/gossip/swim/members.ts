// What an agent knows of the others: a bounded table, and the rules by which one piece of news beats another.

import type { Random } from "../../lib/random.ts";

/**
 * More are not known: a larger datacenter is a random part of itself to each agent, so that what an agent costs does
 * not grow with it. Who the members are is the pool's to know (decision 22).
 */
export const membersMax = 128;

export const statuses = ["alive", "suspect", "dead", "left"] as const;
export type SwimStatus = (typeof statuses)[number];

/** Where an agent listens for gossip. */
export interface Endpoint {
  host: string;
  port: number;
}

/** One piece of news. */
export interface MemberUpdate extends Endpoint {
  status: SwimStatus;
  name: string;
  /** Only the member itself raises it. */
  incarnation: number;
  /** Who says so, by its name: independent suspicions are counted. */
  by: string;
}

/** Whom a pool names. */
export interface Peer extends Endpoint {
  name: string;
}

export interface SwimMember extends Endpoint {
  readonly name: string;
  status: SwimStatus;
  incarnation: number;
  /** When it came to this. */
  sinceMs: number;
}

/**
 * SWIM §4.2, but that the end of a member, too, is overridden by a greater incarnation of it: hosts come back under
 * their names.
 */
export function overrides(
  update: Pick<MemberUpdate, "status" | "incarnation">,
  known: Pick<SwimMember, "status" | "incarnation">,
): boolean {
  if (update.incarnation !== known.incarnation) return update.incarnation > known.incarnation;
  return rank(update.status) > rank(known.status);
}

/** Of the same incarnation the worse counts; whoever has left has not failed, and whoever has failed may have left. */
function rank(status: SwimStatus): number {
  return statuses.indexOf(status);
}

/** Neither dead nor gone. */
export function isPresent({ status }: Pick<SwimMember, "status">): boolean {
  return status === "alive" || status === "suspect";
}

export class MemberTable {
  readonly #random: Random;
  readonly #members = new Map<string, SwimMember>();
  /** Names in the order in which they are probed; a newcomer comes in anywhere (SWIM §4.3). */
  readonly #order: string[] = [];
  #at = 0;
  #present = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  find(name: string): SwimMember | undefined {
    return this.#members.get(name);
  }

  all(): SwimMember[] {
    return [...this.#members.values()];
  }

  get size(): number {
    return this.#members.size;
  }

  /** How many are present. */
  get present(): number {
    return this.#present;
  }

  become(member: SwimMember, status: SwimStatus, nowMs: number): void {
    if (member.status !== status) member.sinceMs = nowMs;
    this.#present -= isPresent(member) ? 1 : 0;
    member.status = status;
    this.#present += isPresent(member) ? 1 : 0;
  }

  /** Takes in one that was not known; makes room by forgetting one that is gone, or anyone. False without room. */
  add(member: SwimMember, makeRoom: boolean): boolean {
    if (this.#members.size >= membersMax) {
      const gone = this.sample(1, (one) => !isPresent(one))[0];
      const victim = gone ?? (makeRoom ? this.sample(1, () => true)[0] : undefined);
      if (!victim) return false;
      this.remove(victim.name);
    }
    this.#members.set(member.name, member);
    this.#present += isPresent(member) ? 1 : 0;
    const at = this.#random.integer(0, this.#order.length + 1);
    this.#order.splice(at, 0, member.name);
    if (at < this.#at) this.#at += 1;
    return true;
  }

  remove(name: string): void {
    const member = this.#members.get(name);
    if (!member) return;
    this.#members.delete(name);
    this.#present -= isPresent(member) ? 1 : 0;
    const at = this.#order.indexOf(name);
    this.#order.splice(at, 1);
    if (at < this.#at) this.#at -= 1;
  }

  /** Whose turn it is: everybody's once, in another order each time. */
  next(accept: (member: SwimMember) => boolean): SwimMember | undefined {
    for (let tries = this.#order.length; tries > 0; tries--) {
      if (this.#at >= this.#order.length) this.#shuffle();
      const member = this.#members.get(this.#order[this.#at++] ?? "");
      if (member && accept(member)) return member;
    }
    return undefined;
  }

  /** At most `count` of them, at random. */
  sample(count: number, accept: (member: SwimMember) => boolean): SwimMember[] {
    const size = this.#order.length;
    const chosen: SwimMember[] = [];
    // From anywhere, in steps that come by everybody once.
    const start = size === 0 ? 0 : this.#random.integer(0, size);
    const step = size === 0 ? 0 : coprimeStep(size, this.#random);
    for (let at = 0; at < size && chosen.length < count; at++) {
      const member = this.#members.get(this.#order[(start + at * step) % size] ?? "");
      if (member && accept(member)) chosen.push(member);
    }
    return chosen;
  }

  #shuffle(): void {
    this.#at = 0;
    const order = this.#order;
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.#random.integer(0, last + 1);
      [order[last], order[other]] = [order[other] as string, order[last] as string];
    }
  }
}

/** A random step by which a ring of so many places is gone round without coming by any twice. */
function coprimeStep(size: number, random: Random): number {
  for (;;) {
    const step = random.integer(1, size + 1);
    if (greatestCommonDivisor(step, size) === 1) return step;
  }
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
