// What applications do through their agents while things fail: keep a session alive and take a lock with it, follow a
// key by blocking queries, and register services whose checks they feed. Each notes what it was promised, and throws
// a Violation's text into `broken` when a promise is not kept.

import type { SessionDefinition } from "../../../src/core/model/types.ts";
import type { AgentProcess } from "./agent-process.ts";
import type { Answering } from "./clients.ts";
import type { WorkerProcess } from "./deployment.ts";
import type { World } from "./world.ts";

const ttlMs = 10_000;
const renewMs = 4_000;
const waitMs = 5_000;
/** Of an answer that had to look for another server, more than once. */
const failoverMs = 25_000;
const lockKey = "lock";
export const watchedKey = "a";

/** A lock that was certainly held. */
export interface Hold {
  who: string;
  fromMs: number;
  untilMs: number;
}

/** What all tenants of a world share. */
export interface Ledger {
  broken: string[];
  holds: Hold[];
  /** Sessions that nobody renews any more, and since when. */
  abandoned: Map<string, number>;
  /** What was done, by kind: a workload that never gets to do anything proves nothing. */
  done: Map<string, number>;
}

export function newLedger(): Ledger {
  return { broken: [], holds: [], abandoned: new Map(), done: new Map() };
}

abstract class Tenant<Home extends Answering = AgentProcess> {
  readonly world: World;
  readonly agent: Home;
  readonly ledger: Ledger;
  #stopped = false;

  constructor(world: World, agent: Home, ledger: Ledger) {
    this.world = world;
    this.agent = agent;
    this.ledger = ledger;
  }

  get name(): string {
    return this.agent.machine.name;
  }

  /** One step; answers how many ms to wait before the next. */
  protected abstract step(): Promise<number>;

  start(): void {
    this.#later(this.world.random.next() * 1_000);
  }

  stop(): void {
    this.#stopped = true;
  }

  protected did(what: string): void {
    this.ledger.done.set(what, (this.ledger.done.get(what) ?? 0) + 1);
  }

  protected broke(promise: string): void {
    this.ledger.broken.push(`${(this.world.queue.now / 1e3).toFixed(3)} ${this.name}: ${promise}`);
  }

  async #stepOrPause(): Promise<number> {
    try {
      return await this.step();
    } catch {
      // Nobody could answer; what was promised is noted where it was.
      return 500;
    }
  }

  #later(delayMs: number): void {
    this.world.queue.after(delayMs, () => {
      if (this.#stopped) return;
      if (this.world.quietUntilMs > this.world.queue.now) return this.#later(500);
      const { life } = this.agent.machine;
      let over = false;
      const goOn = (pauseMs: number): void => {
        if (!over) this.#later(pauseMs);
        over = true;
      };
      // What a process that has ended waits for never comes.
      const watch = (): void => {
        if (over) return;
        if (life === this.agent.machine.life) this.world.queue.after(500, watch);
        else goOn(0);
      };
      watch();
      void this.#stepOrPause().then(goOn);
    });
  }
}

/** Keeps a session, and holds a lock with it now and then. */
export class SessionKeeper extends Tenant {
  #id: string | null = null;
  #created = 0;
  /** The last renewal that was answered began then: the session lives at least a TTL from it. */
  #sureMs = 0;
  #hold: Hold | null = null;

  protected async step(): Promise<number> {
    const { cluster, machine } = this.agent;
    if (!cluster) return 500;
    const { life } = machine;
    if (this.#id === null) await this.#create();
    else await this.#renew(this.#id);
    // What a process that has ended was told, nobody knows.
    if (life !== machine.life) return 500;
    if (this.#id !== null) await this.#useLock(this.#id);
    return renewMs * (0.5 + this.world.random.next() / 2);
  }

  abandon(): void {
    this.stop();
    this.#release();
    if (this.#id !== null) this.ledger.abandoned.set(this.#id, this.world.queue.now);
  }

  async #create(): Promise<void> {
    this.#created += 1;
    const number = Number(this.name.slice(-1)) * 1_000 + this.#created;
    const id = `00000000-0000-4000-b000-${String(number).padStart(12, "0")}`;
    const calledMs = this.world.queue.now;
    await this.agent.asked.write({ type: "session.create", session: this.#session(id) }, {});
    this.#id = id;
    this.#sureMs = calledMs;
    this.did("session created");
  }

  #session(id: string): SessionDefinition {
    return {
      ...{ ID: id, Name: "", Node: this.name, LockDelay: 0, Behavior: "release" },
      ...{ TTL: `${ttlMs / 1_000}s`, NodeChecks: [], ServiceChecks: null, Checks: null },
    };
  }

  async #renew(id: string): Promise<void> {
    const calledMs = this.world.queue.now;
    try {
      await this.agent.asked.renewSession(id, {});
      this.#sureMs = calledMs;
      if (this.#hold) this.#hold.untilMs = calledMs + ttlMs;
      this.did("session renewed");
    } catch (failure) {
      if ((failure as { code?: string }).code !== "not-found") throw failure;
      this.#id = null;
      this.#hold = null;
      this.did("session lost");
      const agedMs = this.world.queue.now - this.#sureMs;
      if (agedMs < ttlMs) this.broke(`session ${id} ended ${agedMs} ms after it was renewed`);
    }
  }

  async #useLock(id: string): Promise<void> {
    const { cluster } = this.agent;
    if (this.#hold) {
      if (this.world.random.next() < 0.5) return;
      this.#release();
      const release = { type: "kv.unlock", key: lockKey, value: "", flags: "0" } as const;
      try {
        await cluster?.write({ ...release, session: id }, {});
      } catch (failure) {
        // It may still happen, at any time: nothing that this session locks from now on would be certain.
        this.ledger.abandoned.set(id, this.world.queue.now);
        this.#id = null;
        throw failure;
      }
      return;
    }
    const acquire = { type: "kv.lock", key: lockKey, value: "", flags: "0" } as const;
    const held = await cluster?.write({ ...acquire, session: id }, {});
    if (held !== true) return;
    this.did("lock acquired");
    this.#hold = { who: this.name, fromMs: this.world.queue.now, untilMs: this.#sureMs + ttlMs };
    this.ledger.holds.push(this.#hold);
  }

  /** From now on it is not certain. */
  #release(): void {
    if (this.#hold) this.#hold.untilMs = Math.min(this.#hold.untilMs, this.world.queue.now);
    this.#hold = null;
  }
}

/** Two who were both certain to hold the lock. */
export function checkHolds({ holds, broken }: Ledger): void {
  const inOrder = holds
    .filter(({ fromMs, untilMs }) => fromMs < untilMs)
    .toSorted((one, other) => one.fromMs - other.fromMs);
  for (const [at, hold] of inOrder.entries()) {
    const next = inOrder[at + 1];
    if (next && next.fromMs < hold.untilMs) {
      broken.push(`lock: ${JSON.stringify(hold)} and ${JSON.stringify(next)} hold it at once`);
    }
  }
}

/** Follows a key: an answer comes within its wait, and never goes back. */
export class Watcher extends Tenant<Answering> {
  #index = 0;
  /** What it last saw. */
  seen: string | null = null;

  protected async step(): Promise<number> {
    const { cluster, machine } = this.agent;
    if (!cluster) return 500;
    const { life } = machine;
    const calledMs = this.world.queue.now;
    try {
      const reply = await cluster.read(
        "kv.get",
        { key: watchedKey },
        { minIndex: this.#index, waitMs },
      );
      if (life !== machine.life) return 100;
      this.did("watch answered");
      if (reply.index < this.#index) {
        this.broke(`a blocking query went back from ${this.#index} to ${reply.index}`);
      }
      this.#index = reply.index;
      const [entry] = JSON.parse(reply.body ?? "[]") as { Value: string }[];
      this.seen = entry ? atob(entry.Value) : null;
    } finally {
      this.#judgeDelay(calledMs, life);
    }
    return 10;
  }

  #judgeDelay(calledMs: number, life: number): void {
    const { machine } = this.agent;
    const tookMs = this.world.queue.now - calledMs;
    const undisturbed = life === machine.life && machine.upSinceMs <= calledMs;
    if (!undisturbed || tookMs <= (waitMs * 17) / 16 + failoverMs) return;
    this.broke(`a blocking query of ${waitMs} ms took ${Math.round(tookMs)} ms`);
  }
}

const statuses = ["passing", "warning", "critical"] as const;

/** Registers and deregisters services, and feeds their TTL checks, or forgets to. */
export class Registrar extends Tenant {
  protected step(): Promise<number> {
    const { services } = this.agent;
    const { random } = this.world;
    const id = `job-${random.integer(0, 4)}`;
    if (!services) return Promise.resolve(500);
    const known = services.service(id) !== null;
    if (!known) {
      const check = { TTL: "15s", Status: "passing" };
      const body = JSON.stringify({
        Name: "job",
        ID: id,
        Port: random.integer(1, 9_999),
        Check: check,
      });
      services.registerService(body, { replaceExistingChecks: false });
      this.did("service registered");
    } else if (random.next() < 0.3) {
      services.deregisterService(id);
      this.did("service deregistered");
    } else {
      const status = statuses[random.integer(0, statuses.length)] as (typeof statuses)[number];
      services.updateCheck(`service:${id}`, status, `it is ${status}`);
      this.did("check updated");
    }
    return Promise.resolve(500 + random.next() * 4_000);
  }
}

/** Does what a {@link Registrar} does at the deployment's own agent. */
export class EdgeRegistrar extends Tenant<WorkerProcess> {
  protected async step(): Promise<number> {
    const { agent } = this.agent;
    const { random } = this.world;
    const id = `${this.name}-${random.integer(0, 3)}`;
    const known = (await agent.services()).some(({ ID }) => ID === id);
    if (!known) {
      const check = { TTL: "15s", Status: "passing" };
      const body = { Name: "edge-job", ID: id, Port: random.integer(1, 9_999), Check: check };
      await agent.registerService(JSON.stringify(body), { replaceExistingChecks: false });
      this.did("edge service registered");
    } else if (random.next() < 0.3) {
      await agent.deregisterService(id);
      this.did("edge service deregistered");
    } else {
      const status = statuses[random.integer(0, statuses.length)] as (typeof statuses)[number];
      await agent.updateCheck(`service:${id}`, status, `it is ${status}`);
      this.did("edge check updated");
    }
    return 2_000 + random.next() * 10_000;
  }
}
