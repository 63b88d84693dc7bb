// Clients: each does one operation at a time, follows redirects, gives up after a while, and writes
// down what it saw. An attempt that got no answer may have taken effect at any later time.

import type { Operation, Outcome, ReadMode } from "./commands.ts";
import type { HistoryRecord } from "./history.ts";
import type { World } from "./world.ts";

const redirectsMax = 12;

export class Client {
  readonly #world: World;
  readonly #name: string;
  #target: string;
  #leaderFailed = false;
  #count = 0;
  #stopped = false;
  #seen = new Map<string, string | null>();

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
    this.#target = this.#anyServer();
  }

  stop(): void {
    this.#stopped = true;
  }

  #anyServer(): string {
    const { servers, random } = this.#world;
    return servers[random.integer(0, servers.length)]?.id ?? "s1";
  }

  think(): void {
    const { random, options, queue } = this.#world;
    queue.after(random.next() * 2 * options.thinkMs, () => {
      if (!this.#stopped) this.perform(this.#choose(), () => this.think());
    });
  }

  #choose(): Operation {
    const { random, options } = this.#world;
    const key = `k${random.integer(0, options.keys)}`;
    if (random.next() < options.reads) {
      const modes: ReadMode[] = ["default", "default", "consistent", "stale"];
      return { type: "get", key, mode: modes[random.integer(0, modes.length)] ?? "default" };
    }
    const value = `${this.#name}.${++this.#count}`;
    const expected = this.#seen.get(key) ?? null;
    return random.next() < 0.3
      ? { type: "cas", key, expected, value }
      : { type: "put", key, value };
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
      if (outcome?.type === "read") this.#seen.set(operation.key, outcome.value);
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
        const pause = 10 + random.next() * (options.preset === "lan" ? 100 : 500);
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
    const patience = options.preset === "lan" ? 800 : options.timing.leaderReachMs;
    queue.after(patience, () => {
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
