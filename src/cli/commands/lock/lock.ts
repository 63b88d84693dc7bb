// A lock of one key, and a semaphore of several holders: how they are taken, watched and given back, as Consul's own
// client does it, so that holders of both kinds respect each other.

import { setTimeout as sleep } from "node:timers/promises";

import { type Answer, type Api, jsonText, type Query, ResponseError } from "../../api.ts";
import { type KvPair, kvPath } from "../kv/pairs.ts";

/** By them Consul's clients know what a key is for. */
const lockFlags = "3304740253564472344";
const semaphoreFlags = "16210313421097356768";

/** How long to wait before the next try when a lock is delayed. */
const retryMs = 5_000;
const waitMs = 15_000;

export interface Holding {
  /** Resolves when somebody else has it; rejects when that can no longer be found out. */
  lost: Promise<void>;
  release(): Promise<void>;
}

export interface LockOptions {
  session: string;
  /** Milliseconds; Infinity for as long as it takes. */
  timeoutMs: number;
  /** How often in a row watching may fail. */
  retries: number;
  signal: AbortSignal;
}

export interface Lockable {
  /** Null when it was not to be had in time, or the signal came first. */
  acquire(options: LockOptions): Promise<Holding | null>;
  /** Removes what is left of it; false while somebody uses it. */
  clean(): Promise<boolean>;
}

/** What there is of a key: null for nothing, and the index to wait from. */
interface Reading {
  answer: Answer | null;
  index: string;
}

class Keys {
  readonly api: Api;

  constructor(api: Api) {
    this.api = api;
  }

  async read(path: string, query: Query, signal?: AbortSignal): Promise<Reading> {
    const consistent = { consistent: "", ...query };
    const answer = await this.api.find(path, { query: consistent, ...(signal && { signal }) });
    return { answer, index: answer?.header("X-Consul-Index") ?? "0" };
  }

  async write(path: string, query: Query, body: string): Promise<boolean> {
    return (await this.api.put(path, { query, body })).text.trim() === "true";
  }
}

export class KeyLock implements Lockable {
  readonly #keys: Keys;
  readonly #path: string;

  constructor(api: Api, key: string) {
    this.#keys = new Keys(api);
    this.#path = kvPath(key);
  }

  async acquire(options: LockOptions): Promise<Holding | null> {
    const { session } = options;
    const acquired = await untilDone(options, async (index, signal) => {
      const reading = await this.#keys.read(this.#path, index, signal);
      const pair = pairsOf(reading)[0];
      if (pair && String(pair.Flags) !== lockFlags)
        throw new Error("Existing key does not match lock use");
      if (pair?.Session === session) return { done: true };
      if (pair?.Session) return { done: false, index: reading.index };
      const query = { acquire: session, flags: lockFlags };
      if (await this.#keys.write(this.#path, query, "")) return { done: true };
      return { done: false };
    });
    if (!acquired) return null;
    return {
      lost: watched(options, async (index, signal) => {
        const reading = await this.#keys.read(this.#path, index, signal);
        const isHeld = pairsOf(reading)[0]?.Session === session;
        return { isHeld, index: reading.index };
      }),
      release: async () => {
        await this.#keys.write(this.#path, { release: session, flags: lockFlags }, "");
      },
    };
  }

  async clean(): Promise<boolean> {
    const pair = pairsOf(await this.#keys.read(this.#path, {}))[0];
    if (!pair) return true;
    if (pair.Session) return false;
    const query = { cas: String(pair.ModifyIndex) };
    return (await this.#keys.api.delete(this.#path, { query })).text.trim() === "true";
  }
}

interface Holders {
  Limit: number;
  Holders: Record<string, boolean>;
}

export class Semaphore implements Lockable {
  readonly #keys: Keys;
  readonly #prefix: string;
  readonly #limit: number;

  constructor(api: Api, prefix: string, limit: number) {
    this.#keys = new Keys(api);
    this.#prefix = prefix;
    this.#limit = limit;
  }

  async acquire(options: LockOptions): Promise<Holding | null> {
    const { session } = options;
    const contender = { acquire: session, flags: semaphoreFlags };
    await this.#keys.write(kvPath(`${this.#prefix}/${session}`), contender, "");
    const acquired = await untilDone(options, async (index, signal) => {
      const reading = await this.#read(index, signal);
      const { holders, modified } = this.#stateOf(reading);
      if (holders.Limit !== this.#limit) {
        throw new Error(`semaphore limit conflict (lock: ${holders.Limit}, local: ${this.#limit})`);
      }
      if (Object.keys(holders.Holders).length >= holders.Limit) {
        return { done: false, index: reading.index };
      }
      const wanted = { ...holders, Holders: { ...holders.Holders, [session]: true } };
      return { done: await this.#write(wanted, modified), again: true };
    });
    if (!acquired) {
      await this.#keys.api.delete(kvPath(`${this.#prefix}/${session}`)).catch(() => undefined);
      return null;
    }
    return {
      lost: watched(options, async (index, signal) => {
        const reading = await this.#read(index, signal);
        const isHeld = this.#stateOf(reading).holders.Holders[session] === true;
        return { isHeld, index: reading.index };
      }),
      release: async () => await this.#release(session),
    };
  }

  async #release(session: string): Promise<void> {
    for (;;) {
      const { holders, modified } = this.#stateOf(await this.#read({}));
      const { [session]: held, ...others } = holders.Holders;
      if (held !== true || (await this.#write({ ...holders, Holders: others }, modified))) break;
    }
    await this.#keys.api.delete(kvPath(`${this.#prefix}/${session}`));
  }

  async clean(): Promise<boolean> {
    const { holders, modified } = this.#stateOf(await this.#read({}));
    if (modified === "0") return true;
    if (Object.keys(holders.Holders).length > 0) return false;
    const path = kvPath(`${this.#prefix}/.lock`);
    const answer = await this.#keys.api.delete(path, { query: { cas: modified } });
    return answer.text.trim() === "true";
  }

  async #read(query: Query, signal?: AbortSignal): Promise<Reading> {
    return await this.#keys.read(kvPath(this.#prefix), { recurse: "", ...query }, signal);
  }

  /** Without holders whose sessions ended: their keys are held by nobody. */
  #stateOf(reading: Reading): { holders: Holders; modified: string } {
    const pairs = pairsOf(reading);
    const lock = pairs.find(({ Key }) => Key === `${this.#prefix}/.lock`);
    if (!lock) return { holders: { Limit: this.#limit, Holders: {} }, modified: "0" };
    if (String(lock.Flags) !== semaphoreFlags) {
      throw new Error("Existing key does not match semaphore use");
    }
    const text = Buffer.from(lock.Value ?? "", "base64").toString();
    const state = JSON.parse(text === "" ? "{}" : text) as Partial<Holders>;
    const alive = new Set(pairs.map(({ Session }) => Session));
    const holders = Object.keys(state.Holders ?? {}).filter((id) => alive.has(id));
    return {
      holders: {
        Limit: state.Limit ?? this.#limit,
        Holders: Object.fromEntries(holders.map((id) => [id, true])),
      },
      modified: String(lock.ModifyIndex),
    };
  }

  async #write(holders: Holders, modified: string): Promise<boolean> {
    const query = { cas: modified, flags: semaphoreFlags };
    return await this.#keys.write(kvPath(`${this.#prefix}/.lock`), query, jsonText(holders));
  }
}

function pairsOf({ answer }: Reading): KvPair[] {
  return answer?.json<KvPair[]>() ?? [];
}

interface Attempt {
  done: boolean;
  /** What to wait from; absent when there is nothing to wait for. */
  index?: string;
  /** Somebody was faster: try again at once. */
  again?: boolean;
}

/** False when time is up or the signal came. */
async function untilDone(
  { timeoutMs, signal }: LockOptions,
  attempt: (query: Query, signal: AbortSignal) => Promise<Attempt>,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  let index = "0";
  while (!signal.aborted) {
    const leftMs = deadlineMs - performance.now();
    const wait = `${Math.ceil(Math.max(Math.min(leftMs, waitMs), 1))}ms`;
    const query = index === "0" ? {} : { index, wait };
    const outcome = await attempt(query, signal).catch((failure: unknown): Attempt => {
      if (signal.aborted) return { done: false };
      throw failure;
    });
    if (outcome.done) return true;
    if (performance.now() >= deadlineMs) return false;
    index = outcome.index ?? "0";
    if (index !== "0" || outcome.again) continue;
    const pauseMs = Math.min(retryMs, deadlineMs - performance.now());
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function watched(
  { retries, signal }: LockOptions,
  look: (query: Query, signal: AbortSignal) => Promise<{ isHeld: boolean; index: string }>,
): Promise<void> {
  let index = "0";
  let left = retries;
  while (!signal.aborted) {
    try {
      const seen = await look({ index, wait: `${waitMs}ms` }, signal);
      if (!seen.isHeld) return;
      index = seen.index;
      left = retries;
    } catch (failure) {
      if (signal.aborted) return;
      const isServerFault = failure instanceof ResponseError && failure.status >= 500;
      if (!isServerFault || left-- <= 0) throw failure;
      await sleep(1_000, undefined, { signal }).catch(() => undefined);
    }
  }
}
