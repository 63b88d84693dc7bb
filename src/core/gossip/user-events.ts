// The user events of one agent: those that are for it, each once, the newest 256 of them. What it has heard of is also
// what it tells a pool that it comes back to, so that nothing is sent twice and nothing is missed.

import { compileRegExp } from "../lib/regexp.ts";
import { eventWindow, type UserEvent, userEventVersion } from "../model/user-event.ts";

/** As far as events ask for them. */
export interface EventService {
  ID: string;
  Tags: readonly string[] | null;
}

export interface UserEventsParts {
  nodeName: string;
  services(): readonly EventService[];
}

/** So many events are named to a pool. */
const namedMax = 16;
/** Of an id, which is enough to tell a few events apart. */
const namedLength = 8;

export class UserEvents {
  readonly #parts: UserEventsParts;
  #kept: UserEvent[] = [];
  /** Lamport times by id, of all that were heard and are not too old, for this agent or not. */
  readonly #heard = new Map<string, number>();
  #clock = 0;
  /** Older ones were there before this agent was; null until a pool has told. */
  #floor: number | null = null;
  #hears: (name: string) => void = () => undefined;
  readonly #listeners = new Set<() => void>();

  constructor(parts: UserEventsParts) {
    this.#parts = parts;
  }

  /** The oldest first. */
  get list(): readonly UserEvent[] {
    return this.#kept;
  }

  /** Called when there is one more; gives back what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called with the name of every event that is heard for the first time, for this agent or not. */
  listen(hears: (name: string) => void): void {
    this.#hears = hears;
  }

  /** A pool has taken this agent in, at this Lamport time. */
  greeted(clock: number): void {
    this.#clock = Math.max(this.#clock, clock);
    this.#floor ??= clock;
  }

  /** What a pool that it comes back to is told: a Lamport time, and the newer events that it has; "" for nothing. */
  get known(): string {
    if (this.#floor === null) return "";
    const newest = [...this.#heard].toSorted(([, one], [, other]) => other - one);
    const named = newest.slice(0, namedMax);
    const oldest = named.at(-1)?.[1] ?? 0;
    const floor = newest.length > namedMax ? Math.max(this.#floor, oldest - 1) : this.#floor;
    return [floor, ...named.map(([id]) => id.slice(0, namedLength))].join(".");
  }

  /** Takes what is new. */
  take(events: readonly UserEvent[]): void {
    if (!events.map((event) => this.#takeOne(event)).includes(true)) return;
    for (const listener of this.#listeners) listener();
  }

  /** Whether it is new, and for this agent. */
  #takeOne(event: UserEvent): boolean {
    const { ID: id, LTime: time } = event;
    if (this.#heard.has(id) || time + eventWindow < this.#clock) return false;
    this.#heard.set(id, time);
    this.#hears(event.Name);
    if (time > this.#clock) this.#moveTo(time);
    if (!isFor(event, this.#parts)) return false;
    this.#kept = [...this.#kept, event].slice(-eventWindow);
    return true;
  }

  #moveTo(clock: number): void {
    this.#clock = clock;
    for (const [id, time] of this.#heard) if (time + eventWindow < clock) this.#heard.delete(id);
  }
}

/** Whether an agent is among those that an event is for. What it cannot read is for nobody. */
export function isFor(
  event: UserEvent,
  { nodeName, services }: { nodeName: string; services(): readonly EventService[] },
): boolean {
  if (event.Version !== userEventVersion) return false;
  try {
    const { NodeFilter: node, ServiceFilter: service, TagFilter: tag } = event;
    if (node !== "" && !compileRegExp(node)(nodeName)) return false;
    if (service === "") return true;
    const isNamed = compileRegExp(service);
    const isTagged = tag === "" ? null : compileRegExp(tag);
    return services().some(
      ({ ID: id, Tags: tags }) => isNamed(id) && (isTagged === null || (tags ?? []).some(isTagged)),
    );
  } catch {
    return false;
  }
}

/** Whether a pool must send an event to a member that told this of what it has. */
export function isUnknown(event: UserEvent, known: string): boolean {
  const [floor = "", ...named] = known.split(".");
  return event.LTime > Number(floor) && !named.includes(event.ID.slice(0, namedLength));
}

/** The Lamport time that a member told; 0 for none, and for what is none. */
export function knownClock(known: string): number {
  const clock = Number(known.split(".")[0]);
  return Number.isSafeInteger(clock) && clock > 0 ? clock : 0;
}

/** Of what a member tells. */
export const knownPattern = /^\d{1,15}(\.[\da-f]{8}){0,16}$/;
