// Clients: each does one operation at a time, follows redirects, gives up after a while, and writes
// down what it saw. An attempt that got no answer may have taken effect at any later time.

import type { Change, Found, Operation, Outcome, ReadMode } from "./commands.ts";
import type { HistoryRecord } from "./record.ts";
import type { Preset } from "./options.ts";
import type { World } from "./world.ts";

const redirectsMax = 12;
const locks = 2;
/** How long a client waits for an answer. */
const patienceMs: Record<Preset, number> = { lan: 800, local: 5000, edge: 2000 };
const pauseMsMax: Record<Preset, number> = { lan: 100, local: 1000, edge: 500 };

export class Client {
  readonly #world: World;
  readonly #name: string;
  readonly #number: number;
  #target: string;
  #leaderFailed = false;
  #count = 0;
  #stopped = false;
  #seen = new Map<string, Found | null>();
  #session: string | null = null;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#number = number;
    this.#name = `c${number}`;
    this.#target = this.#anyServer();
  }

  stop(): void {
    this.#stopped = true;
  }

  #anyServer(): string {
    return this.#one(this.#world.servers)?.id ?? "s1";
  }

  #one<Value>(values: readonly Value[]): Value | undefined {
    return values[this.#world.random.integer(0, values.length)];
  }

  think(): void {
    const { random, options, queue } = this.#world;
    queue.after(random.next() * 2 * options.thinkMs, () => {
      if (!this.#stopped) this.perform(this.#choose(), () => this.think());
    });
  }

  #choose(): Operation {
    const { random, options } = this.#world;
    const drawn = random.next();
    if (drawn < options.reads) {
      const key = random.next() < options.locking ? this.#lock() : this.#key();
      const modes: ReadMode[] = ["default", "default", "consistent", "stale"];
      return { type: "get", key, mode: this.#one(modes) ?? "default" };
    }
    const id = `${this.#name}.${++this.#count}`;
    const aboutLocks = drawn < options.reads + options.locking;
    return { id, ...(aboutLocks ? this.#chooseLocking(id) : this.#chooseWrite(id)) };
  }

  #key(): string {
    return `k${this.#world.random.integer(0, this.#world.options.keys)}`;
  }

  #lock(): string {
    return `l${this.#world.random.integer(0, locks)}`;
  }

  #chooseWrite(value: string): Change {
    const { random } = this.#world;
    const key = this.#key();
    const drawn = random.next();
    if (drawn < 0.01) return { type: "poison" };
    if (drawn < 0.08) return { type: "delete", key };
    if (drawn < 0.65) return { type: "put", key, value };
    const seen = this.#seen.get(key);
    const expected = { expected: seen?.value ?? null, expectedIndex: seen?.index ?? 0 };
    return { type: "cas", key, ...expected, value };
  }

  /** Joins, opens a session, takes and gives back locks, and now and then loses it all. */
  #chooseLocking(value: string): Change {
    const { random } = this.#world;
    const node = this.#name;
    const drawn = random.next();
    if (this.#session === null) {
      if (drawn < 0.5) return { type: "register", node };
      this.#session = sessionId(this.#number, this.#count);
      const lockDelayMs = random.integer(0, 3) * 200;
      const deletes = random.next() < 0.3;
      return { type: "openSession", session: this.#session, node, lockDelayMs, deletes };
    }
    const session = this.#session;
    const key = this.#lock();
    if (drawn < 0.55) return { type: "acquire", key, value, session };
    if (drawn < 0.8) return { type: "release", key, value, session };
    this.#session = null;
    if (drawn < 0.93) return { type: "closeSession", session };
    return { type: "deregister", node };
  }

  /** Does one operation to its end, then calls `done` with what came of it. */
  perform(operation: Operation, done: (outcome: Outcome | null) => void): void {
    const record: HistoryRecord = {
      client: this.#name,
      operation,
      call: this.#world.queue.now,
      return: Number.POSITIVE_INFINITY,
      outcome: null,
      server: this.#target,
    };
    this.#world.history.add(record);
    if (this.#world.random.next() < 0.1) this.#target = this.#anyServer();
    this.#attempt(operation, 0, (outcome) => {
      record.server = this.#target;
      if (outcome !== null) {
        record.outcome = outcome;
        record.return = this.#world.queue.now;
      }
      if (operation.type === "get" && outcome?.type === "read") {
        this.#seen.set(operation.key, outcome.found);
      }
      done(outcome);
    });
  }

  #attempt(operation: Operation, redirects: number, done: (outcome: Outcome | null) => void): void {
    const { queue, network, options, random, trace } = this.#world;
    let open = true;
    const server = this.#target;
    const close = (outcome: Outcome | null): void => {
      if (!open) return;
      open = false;
      trace.line(
        queue.now,
        this.#name,
        () => `${server} ${JSON.stringify({ operation, outcome })}`,
      );
      if (outcome?.type === "redirect" && redirects < redirectsMax && !this.#stopped) {
        this.#follow(outcome.leader);
        const pause = 10 + random.next() * pauseMsMax[options.preset];
        queue.after(pause, () => this.#attempt(operation, redirects + 1, done));
        return;
      }
      done(outcome);
    };
    const twin = random.next() < 0.5;
    const leaderFailed = this.#leaderFailed;
    const answer = (outcome: Outcome): void => network.sendOnce(() => close(outcome));
    network.sendOnce(() => {
      this.#world.server(server)?.request(operation, answer, { leaderFailed, twin });
    });
    queue.after(patienceMs[options.preset], () => {
      if (!open) return;
      this.#leaderFailed = true;
      this.#target = this.#anyServer();
      close(null);
    });
  }

  #follow(leader: string | null): void {
    const hint = leader !== null && this.#world.random.next() < 0.9 ? leader : null;
    this.#target = hint ?? this.#anyServer();
    if (hint !== null) this.#leaderFailed = false;
  }
}

/** A UUID, because that is what sessions are called. */
function sessionId(client: number, count: number): string {
  const digits = (value: number, length: number): string => String(value).padStart(length, "0");
  return `${digits(client, 8)}-0000-0000-0000-${digits(count, 12)}`;
}
