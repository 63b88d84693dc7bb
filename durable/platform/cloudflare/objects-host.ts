// The platform port on Durable Objects, and the classes that the runtime constructs. Each has its object and
// passes events on; nothing between the platform's class and ours.

import { DurableObject } from "cloudflare:workers";

import { isStorageFault } from "../../../src/core/lib/storage-fault.ts";
import { CheckerObject } from "../../checker/checker-object.ts";
import { EdgeAgentObject } from "../../edge/edge-agent-object.ts";
import { LanPoolObject } from "../../presence/lan-pool-object.ts";
import { ServerObject } from "../../server/server-object.ts";
import {
  type HostedObject,
  InstanceEnded,
  noOperatorFiles,
  type OperatorFiles,
  type Platform,
} from "../platform.ts";
import { aclResetFile } from "../../server/acl-reset.ts";
import type { Settings } from "../settings.ts";
import type { Env } from "./env.ts";
import { StubObjects } from "./objects.ts";
import { fetchOutside } from "./outside.ts";
import { HibernatingSockets } from "./sockets.ts";
import { DurableSql } from "./sql.ts";
import { platformTimers } from "./timers.ts";
import { UnkeptWrites } from "../unkept-writes.ts";
import { type ObjectReport, resetPath, UsageMeter, usagePath, workerPaths } from "../usage.ts";

type Build = (platform: Platform, settings: Settings) => HostedObject;

/** Until when an object that aborted is not to be constructed again, by its id; as long as the isolate remembers. */
const restsUntilMs = new Map<string, number>();
const unkeptWrites = new UnkeptWrites();
/** Longer than the other servers take to choose another leader. */
const storageRestMs = 5_000;

/** Says why an object stops, and keeps it from being constructed for a while; to be thrown. */
function resting(id: string, what: string, why: string): InstanceEnded {
  console.error(`[ERROR] ${what} stops: its storage fails: ${why}`);
  restsUntilMs.set(id, Date.now() + storageRestMs);
  return new InstanceEnded("the object rests");
}

class Shell extends DurableObject<Env> {
  readonly #sockets: HibernatingSockets;
  readonly #object: HostedObject;
  /** Null on a host of one's own, where nobody is billed. */
  readonly #usage: UsageMeter | null;
  readonly #startedMs: number;

  constructor(state: DurableObjectState, env: Env, kind: string, build: Build) {
    super(state, env);
    const id = state.id.toString();
    const nowMs = Date.now();
    if (nowMs < (restsUntilMs.get(id) ?? 0)) throw new InstanceEnded("the object rests");
    const what = `${kind} ${state.id.name}`;
    if (unkeptWrites.constructed(id, nowMs)) {
      throw resting(id, what, "nothing is kept, as when the disk is full");
    }
    this.#sockets = new HibernatingSockets(state);
    this.#startedMs = nowMs;
    this.#usage = env.HOST ? null : usageOf(state);
    try {
      this.#object = build(platformOf(state, env, this.#sockets, this.#usage), env);
    } catch (failure) {
      // Each request would construct it again, in vain.
      throw isStorageFault(failure) ? resting(id, what, (failure as Error).message) : failure;
    }
    // A construction that only makes sure of its tables writes no row, and yet ends when that is not kept.
    unkeptWrites.begin(id, () => state.storage.sync());
    void state.blockConcurrencyWhile(async () => {
      this.#object.woke(await state.storage.getAlarm());
    });
  }

  override async fetch(request: Request): Promise<Response> {
    if (!this.#usage) return await this.#answer(request);
    const pathname = pathOf(request.url);
    if (pathname === usagePath) return Response.json(this.#report(this.#usage));
    if (pathname === resetPath) this.ctx.abort("an operator began it anew");
    const ended = this.#usage.event("requests", workerPaths.has(pathname));
    try {
      return await this.#answer(request);
    } finally {
      ended();
    }
  }

  #report(usage: UsageMeter): ObjectReport {
    return { startedMs: this.#startedMs, months: usage.months() };
  }

  async #answer(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") === null) {
      const pathname = pathOf(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      const answer = await this.#object.call(pathname, body);
      const isEmpty = answer.status === 204;
      return new Response(isEmpty ? null : (answer.body as BodyInit), { status: answer.status });
    }
    const { pathname, search } = new URL(request.url);
    const terms = this.#object.connect(pathname, search.slice(1));
    if ("status" in terms) {
      return new Response(terms.body as BodyInit, { status: terms.status });
    }
    const { client, socket } = this.#sockets.accept(terms);
    this.#object.opened(socket);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async alarm(): Promise<void> {
    const ended = this.#usage?.event("requests");
    try {
      await this.#object.alarm();
    } finally {
      ended?.();
    }
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    const content = typeof frame === "string" ? frame : new Uint8Array(frame);
    const ended = this.#usage?.event("messages");
    try {
      await this.#object.message(this.#sockets.of(socket), content);
    } finally {
      ended?.();
    }
  }

  override webSocketClose(socket: WebSocket): void {
    this.#object.closed(this.#sockets.of(socket));
    // Without an answer to the close the connection, and with it a self-hosted workerd, would stay.
    socket.close(1000, "closed");
  }

  override webSocketError(socket: WebSocket): void {
    this.#object.closed(this.#sockets.of(socket));
  }
}

export class Server extends Shell {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env, "server", (platform, settings) => new ServerObject(platform, settings));
  }
}

export class LanPool extends Shell {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env, "pool", (platform, settings) => new LanPoolObject(platform, settings));
  }
}

export class Checker extends Shell {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env, "checker", (platform, settings) => new CheckerObject(platform, settings));
  }
}

export class EdgeAgent extends Shell {
  constructor(state: DurableObjectState, env: Env) {
    super(
      state,
      env,
      "edge agent",
      (platform, settings) => new EdgeAgentObject(platform, settings),
    );
  }
}

/**
 * There is no disk that an operator could reach; who may set the Worker's variables stands for one. What they hold
 * cannot be removed here, and allows nothing twice: a reset changes the index that the next one must name.
 */
function givenFiles(resetIndex: string): OperatorFiles {
  return {
    read: (name) => (name === aclResetFile ? resetIndex : null),
    remove: () => undefined,
  };
}

/** Without parsing the whole address, which costs more than most calls do. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

function usageOf({ storage }: DurableObjectState): UsageMeter {
  // Its own writes are few, and counted by itself.
  const sql = new DurableSql(storage, { began: () => undefined });
  return new UsageMeter({ sql, nowMs: Date.now, random: Math.random });
}

function platformOf(
  state: DurableObjectState,
  env: Env,
  sockets: HibernatingSockets,
  usage: UsageMeter | null,
): Platform {
  const id = state.id.toString();
  const began = (): void => unkeptWrites.begin(id, () => state.storage.sync());
  const counted = usage && {
    rows: (count: number) => usage.wrote(count),
    ended: () => usage.turnEnded(),
  };
  return {
    objectName: state.id.name ?? "",
    outside: fetchOutside,
    operatorFiles: env.ACL_BOOTSTRAP_RESET ? givenFiles(env.ACL_BOOTSTRAP_RESET) : noOperatorFiles,
    sql: new DurableSql(state.storage, { began, ...counted }),
    sockets,
    objects: new StubObjects(env),
    timers: platformTimers,
    soon: (run) => queueMicrotask(run),
    // Not awaited: the output gate holds whatever leaves the object until the alarm is stored.
    setAlarm: (atMs) => {
      void state.storage.setAlarm(atMs);
      usage?.wrote(1);
      queueMicrotask(() => usage?.turnEnded());
      began();
    },
    nowMs: () => Date.now(),
    random: () => Math.random(),
    waitUntil: (work) => state.waitUntil(work),
    abort: (reason, restMs = 0) => {
      unkeptWrites.forget(id);
      if (restMs === 0) restsUntilMs.delete(id);
      else restsUntilMs.set(id, Date.now() + restMs);
      state.abort(String(reason));
      throw new InstanceEnded(String(reason));
    },
    restart: (reason) => {
      unkeptWrites.forget(id);
      // No event reaches this instance in between.
      void state.blockConcurrencyWhile(async () => {
        await state.storage.sync();
        state.abort(reason);
      });
      throw new InstanceEnded(reason);
    },
    // Marked, because an agent whose servers run in workerd has their output, not their levels.
    log: (level, line) => console[level](`[${level.toUpperCase()}] ${line}`),
  };
}
