// Hosts objects where no platform does: constructs them when something happens to them, carries calls and frames to
// them, fires their alarms, and forgets an instance that has aborted. The Node host and the simulator are this class
// with different services; what a service decides is when, how far and on which disk.

import type { LinkSocket } from "../../../src/link/client.ts";
import { withTimeout, type TimerHandle, type Timers } from "../../../src/ports/timers.ts";
import type { Sql } from "../../../src/core/lib/sql.ts";
import { isStorageFault } from "../../../src/core/lib/storage-fault.ts";
import {
  type Answer,
  type HostedObject,
  InstanceEnded,
  type ObjectAddress,
  type Objects,
  type ObjectSocket,
  type OperatorFiles,
  type Outside,
  type Platform,
  refusal,
} from "../platform.ts";
import { type FrameCarrier, HostSocket, LocalClientSocket } from "./host-socket.ts";

/** What an object keeps when its memory is lost. */
export interface ObjectStore {
  readonly sql: Sql;
  /** In ms since 1970; null when no alarm is armed. */
  alarmMs(): number | null;
  saveAlarm(atMs: number | null): void;
  close(): void;
}

export interface HostServices {
  readonly timers: Timers;
  /** After events that have arrived already. */
  soon(run: () => void): void;
  nowMs(): number;
  random(): number;
  openStore(address: ObjectAddress): ObjectStore;
  build(address: ObjectAddress, platform: Platform): HostedObject;
  post: Objects["post"];
  dial: Objects["dial"];
  outside: Outside;
  operatorFiles: OperatorFiles;
  idOf(address: ObjectAddress): string;
  log(level: "info" | "warn" | "error", line: string): void;
}

/** Reaches an object's end of a socket from outside. */
export interface SocketInput {
  received(frame: string | Uint8Array): void;
  lost(): void;
}

/** As the platform does it. */
const alarmRetryMs = 2_000;
const alarmRetriesMax = 6;
/** Longer delays overflow the timers of JavaScript. */
const timerMsMax = 2_147_483_647;
const abortedCode = 1_011;

const encoder = new TextEncoder();

/** Everything that a host knows of one object, whether or not it is in memory. */
interface Slot {
  readonly address: ObjectAddress;
  readonly store: ObjectStore;
  readonly sockets: Set<HostSocket>;
  autoAnswer: { ping: string; pong: string } | null;
  instance: Instance | null;
  alarmTimer: TimerHandle;
  /** No instance is constructed before. */
  restsUntilMs: number;
}

interface Instance {
  object: HostedObject;
  alive: boolean;
}

export class ObjectHost implements Objects {
  readonly #services: HostServices;
  readonly #slots = new Map<string, Slot>();
  #stopped = false;

  constructor(services: HostServices) {
    this.#services = services;
  }

  async call(
    to: ObjectAddress,
    path: string,
    body: Uint8Array | string,
    timeoutMs: number | null,
  ): Promise<Answer> {
    if (timeoutMs === null) return await this.handle(to, path, body);
    const { timers } = this.#services;
    const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
    return await withTimeout(timers, this.handle(to, path, body), timeoutMs, late);
  }

  /** Hands a request to an object. Rejects when the object aborts before it has answered. */
  async handle(to: ObjectAddress, path: string, body: Uint8Array | string): Promise<Answer> {
    // Never within the turn of whoever calls: that may be the very object, or be called back by it.
    await Promise.resolve();
    const instance = this.#awake(this.#slot(to));
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    const answer = await instance.object.call(path, bytes);
    if (!instance.alive) throw new Error("the object was reset");
    return answer;
  }

  async post(...request: Parameters<Objects["post"]>): Promise<Answer> {
    return await this.#services.post(...request);
  }

  async dial(...target: Parameters<Objects["dial"]>): Promise<LinkSocket> {
    return await this.#services.dial(...target);
  }

  async connect(to: ObjectAddress, pathAndQuery: string): Promise<LinkSocket> {
    await Promise.resolve();
    let input: SocketInput | null = null;
    const client = new LocalClientSocket({
      received: (frame) => queueMicrotask(() => input?.received(frame)),
      lost: () => queueMicrotask(() => input?.lost()),
    });
    const opened = this.open(to, pathAndQuery, {
      send: (frame) => queueMicrotask(() => client.received(frame)),
      close: () => queueMicrotask(() => client.lost()),
    });
    if ("status" in opened) throw new Error(`no socket: status ${opened.status}`);
    input = opened;
    return client;
  }

  /** Opens a socket whose frames `carrier` takes to the other end, or says why not. */
  open(to: ObjectAddress, pathAndQuery: string, carrier: FrameCarrier): SocketInput | Answer {
    const slot = this.#slot(to);
    const [path = "", query = ""] = pathAndQuery.split("?", 2);
    let socket: HostSocket;
    try {
      const { object } = this.#awake(slot);
      const terms = object.connect(path, query);
      if ("status" in terms) return terms;
      // The other end need not tell that it heard of a close.
      socket = new HostSocket(terms, carrier, (closed) => slot.sockets.delete(closed));
      slot.sockets.add(socket);
      object.opened(socket);
    } catch (failure) {
      this.#unexpected(slot, failure);
      return refusal(503, String(failure));
    }
    return {
      received: (frame) => this.#received(slot, socket, frame),
      lost: () => {
        if (!slot.sockets.delete(socket) || !socket.lost() || this.#stopped) return;
        this.#guarded(slot, ({ object: awake }) => awake.closed(socket));
      },
    };
  }

  idOf(address: ObjectAddress): string {
    return this.#services.idOf(address);
  }

  /** Fires the alarms that were armed before this host was started. */
  resumeAlarms(addresses: Iterable<ObjectAddress>): void {
    for (const address of addresses) this.#armAlarm(this.#slot(address));
  }

  /** Ends the memory of an object and leaves everything else as it is, as a platform may at any time. */
  forget(address: ObjectAddress): void {
    const slot = this.#slot(address);
    if (slot.instance) slot.instance.alive = false;
    slot.instance = null;
  }

  stop(): void {
    this.#stopped = true;
    for (const slot of this.#slots.values()) {
      this.#services.timers.clear(slot.alarmTimer);
      if (slot.instance) slot.instance.alive = false;
      slot.instance = null;
      for (const socket of slot.sockets) socket.close(1_001, "the server stops");
      slot.store.close();
    }
    this.#slots.clear();
  }

  #slot(address: ObjectAddress): Slot {
    if (this.#stopped) throw new Error("the host has stopped");
    const key = `${address.kind} ${address.name}`;
    const known = this.#slots.get(key);
    if (known) return known;
    const slot: Slot = {
      address,
      store: this.#services.openStore(address),
      sockets: new Set(),
      autoAnswer: null,
      instance: null,
      alarmTimer: null,
      restsUntilMs: 0,
    };
    this.#slots.set(key, slot);
    return slot;
  }

  #awake(slot: Slot): Instance {
    if (slot.instance) return slot.instance;
    if (this.#services.nowMs() < slot.restsUntilMs) throw new InstanceEnded("the object rests");
    const life = { alive: true };
    const platform = this.#platform(slot, life);
    const object = this.#services.build(slot.address, platform);
    const instance = Object.assign(life, { object });
    slot.instance = instance;
    object.woke(slot.store.alarmMs());
    return instance;
  }

  #platform(slot: Slot, life: { alive: boolean }): Platform {
    const services = this.#services;
    const alive = (): void => {
      if (!life.alive) throw new InstanceEnded("this instance of the object has ended");
    };
    const abort = (reason: unknown, restMs = 0): never => {
      if (life.alive) slot.restsUntilMs = services.nowMs() + restMs;
      this.#abort(slot, life, reason);
      throw new InstanceEnded(String(reason));
    };
    const whileAlive = (run: () => void) => () => {
      if (life.alive) this.#guarded(slot, run);
    };
    return {
      objectName: slot.address.name,
      outside: services.outside,
      operatorFiles: services.operatorFiles,
      sql: {
        exec: (statement, ...parameters) => {
          alive();
          return slot.store.sql.exec(statement, ...parameters);
        },
        transaction: (body) => {
          alive();
          return slot.store.sql.transaction(body);
        },
      },
      sockets: {
        list: (tag) => openSockets(slot, tag),
        autoAnswer: (ping, pong) => {
          slot.autoAnswer = { ping, pong };
        },
      },
      objects: this,
      timers: {
        set: (run, delayMs) => services.timers.set(whileAlive(run), delayMs),
        clear: (handle) => services.timers.clear(handle),
      },
      soon: (run) => services.soon(whileAlive(run)),
      setAlarm: (atMs) => {
        alive();
        try {
          slot.store.saveAlarm(atMs);
        } catch (failure) {
          // As the platform does it: what a turn could not write ends the instance.
          abort(failure, alarmRetryMs);
        }
        this.#armAlarm(slot);
      },
      nowMs: () => services.nowMs(),
      random: () => services.random(),
      waitUntil: (work) => void work.catch((failure: unknown) => this.#unexpected(slot, failure)),
      abort,
      // What a transaction has written is the store's.
      restart: abort,
      log: (level, line) => services.log(level, line),
    };
  }

  #received(slot: Slot, socket: HostSocket, frame: string | Uint8Array): void {
    if (!socket.isOpen || this.#stopped) return;
    if (slot.autoAnswer && frame === slot.autoAnswer.ping) {
      socket.autoAnsweredMs = this.#services.nowMs();
      socket.send(slot.autoAnswer.pong);
      return;
    }
    this.#guarded(slot, ({ object }) => object.message(socket, frame));
  }

  /** Runs one event; what it throws or rejects with is a fault of the object, which goes on, as on the platform. */
  #guarded(slot: Slot, event: (instance: Instance) => void | Promise<void>): void {
    try {
      const done = event(this.#awake(slot));
      done?.catch((failure: unknown) => this.#unexpected(slot, failure));
    } catch (failure) {
      this.#unexpected(slot, failure);
    }
  }

  #unexpected({ address }: Slot, failure: unknown): void {
    if (this.#stopped || failure instanceof InstanceEnded) return;
    const isExplained = isStorageFault(failure) || !(failure instanceof Error);
    const text = isExplained ? String(failure) : (failure.stack ?? failure.message);
    this.#services.log("error", `${address.name}: ${text}`);
  }

  #abort(slot: Slot, life: { alive: boolean }, reason: unknown): void {
    if (!life.alive) return;
    life.alive = false;
    const [why] = String(reason).split("\n", 1);
    this.#services.log("error", `${slot.address.name} was reset: ${why}`);
    slot.instance = null;
    const sockets = [...slot.sockets];
    slot.sockets.clear();
    for (const socket of sockets) socket.close(abortedCode, "the object was reset");
  }

  #armAlarm(slot: Slot, retry = 0): void {
    const { timers, nowMs } = this.#services;
    timers.clear(slot.alarmTimer);
    slot.alarmTimer = null;
    const atMs = slot.store.alarmMs();
    if (atMs === null) return;
    const delayMs = Math.min(timerMsMax, Math.max(0, atMs - nowMs()));
    slot.alarmTimer = timers.set(() => {
      if (this.#stopped) return;
      if (nowMs() < atMs) this.#armAlarm(slot, retry);
      else void this.#fireAlarm(slot, retry);
    }, delayMs);
  }

  async #fireAlarm(slot: Slot, retry: number): Promise<void> {
    slot.alarmTimer = null;
    const atMs = slot.store.alarmMs();
    try {
      slot.store.saveAlarm(null);
      await this.#awake(slot).object.alarm();
    } catch (failure) {
      this.#unexpected(slot, failure);
      if (!this.#stopped) this.#retryAlarm(slot, atMs, retry);
    }
  }

  #retryAlarm(slot: Slot, atMs: number | null, retry: number): void {
    const { timers, nowMs } = this.#services;
    const { store } = slot;
    const isArmedAnew = store.alarmMs() !== null && store.alarmMs() !== atMs;
    if (isArmedAnew || retry >= alarmRetriesMax) return;
    try {
      store.saveAlarm(nowMs() + alarmRetryMs * 2 ** retry);
      this.#armAlarm(slot, retry + 1);
    } catch {
      // The disk is full, which was said just now, so that the alarm stays as it was: later, as often as it takes.
      const later = (): void => void (this.#stopped || this.#fireAlarm(slot, retry));
      slot.alarmTimer = timers.set(later, alarmRetryMs);
    }
  }
}

function openSockets(slot: Slot, tag: string | undefined): ObjectSocket[] {
  return [...slot.sockets].filter(
    (socket) => socket.isOpen && (tag === undefined || socket.tag === tag),
  );
}
