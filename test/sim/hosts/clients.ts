// Clients of simulated agents: registers in the key-value store, written and read in every consistency, and what they
// were told of it. An answer that says that nothing was accepted is believed, and so put to the test.

import type { ServiceError } from "../../../src/core/model/errors.ts";
import type { Cluster, Consistency } from "../../../src/ports/cluster.ts";
import type { RegisterOperation } from "../linearizability.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

export interface Told extends RegisterOperation {
  key: string;
  client: string;
  consistency: Consistency | null;
  error: string | null;
}

/** Whoever answers clients: an agent, or a Worker. */
export interface Answering {
  readonly machine: Machine;
  /** Null while it does not run. */
  readonly cluster: Cluster | null;
  /** Throws while it does not run. */
  readonly asked: Cluster;
}

interface Entry {
  Value: string;
  ModifyIndex: number;
}

export class Client {
  readonly name: string;
  readonly #world: World;
  readonly #agent: Answering;
  readonly #keys: readonly string[];
  readonly told: Told[];
  readonly #held = new Map<string, Entry | null>();
  #written = 0;
  #stopped = false;

  constructor(world: World, agent: Answering, number: number, told: Told[]) {
    this.#world = world;
    this.#agent = agent;
    this.name = `${agent.machine.name}/${number}`;
    this.#keys = ["a", "b", "c", "d"];
    this.told = told;
  }

  start(): void {
    const pauseMs = 20 + this.#world.random.next() * 400;
    this.#world.queue.after(pauseMs, () => {
      if (this.#stopped) return;
      if (this.#world.quietUntilMs > this.#world.queue.now) return this.start();
      void this.once().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async once(): Promise<void> {
    const { cluster } = this.#agent;
    if (!cluster) return;
    const { random } = this.#world;
    const key = this.#keys[random.integer(0, this.#keys.length)] as string;
    const dice = random.next();
    if (dice < 0.4) await this.put(key);
    else if (dice < 0.55) await this.#cas(key);
    else if (dice < 0.8) await this.get(key, "default");
    else if (dice < 0.9) await this.get(key, "consistent");
    else await this.get(key, "stale");
  }

  async put(key: string): Promise<Told> {
    const value = this.#nextValue();
    const told = this.#call("put", key, { value });
    await this.#tell(told, async () => {
      await this.#agent.asked.write({ type: "kv.set", key, value: btoa(value), flags: "0" }, {});
      return "ok";
    });
    return told;
  }

  async get(key: string, consistency: Consistency): Promise<Told> {
    const told = this.#call("get", key, { consistency });
    await this.#tell(told, async () => {
      const reply = await this.#agent.asked.read("kv.get", { key }, { consistency });
      const [entry] = JSON.parse(reply.body ?? "[]") as Entry[];
      this.#held.set(key, entry ?? null);
      return entry ? atob(entry.Value) : null;
    });
    return told;
  }

  async #cas(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined) return;
    const value = this.#nextValue();
    const expected = held ? atob(held.Value) : null;
    const told = this.#call("cas", key, { value, expected });
    await this.#tell(told, async () => {
      const index = String(held?.ModifyIndex ?? 0);
      const command = { type: "kv.cas", key, value: btoa(value), flags: "0", index } as const;
      return (await this.#agent.asked.write(command, {})) ? "ok" : "mismatch";
    });
  }

  #nextValue(): string {
    this.#written += 1;
    return `${this.name}.${this.#written}`;
  }

  #call(
    kind: Told["kind"],
    key: string,
    facts: { value?: string; expected?: string | null; consistency?: Consistency },
  ): Told {
    const told: Told = {
      key,
      kind,
      client: this.name,
      call: this.#world.queue.now,
      return: Number.POSITIVE_INFINITY,
      value: facts.value ?? null,
      expected: facts.expected ?? null,
      result: null,
      consistency: facts.consistency ?? null,
      error: null,
    };
    this.told.push(told);
    return told;
  }

  async #tell(told: Told, perform: () => Promise<string | null>): Promise<void> {
    const { life } = this.#agent.machine;
    try {
      told.result = await perform();
      // An answer to a process that has ended reached nobody.
      if (life === this.#agent.machine.life) told.return = this.#world.queue.now;
    } catch (failure) {
      told.error = `${(failure as ServiceError).code}: ${(failure as Error).message}`;
    }
  }
}
