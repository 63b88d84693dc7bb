// The asking end of the link: matches replies to requests, coalesces what is asked in one turn into one frame,
// reconnects, and asks again what certainly may be asked again. Used by the host agent (Node), by a Worker for
// blocking queries, and by EdgeAgent; it knows none of them.
//
// A read may be sent again at any time, to any server. A write whose answer was lost is never sent twice: it fails with
// `unknown-outcome`. While no server is connected, requests wait up to `holdMs` and then fail. No request waits for
// ever: a server that has gone silent is left (liveness.ts), and one that answers everything but this request has
// `requestMs` for it. Whoever is sent from server to server has `holdMs + requestMs` for all of them.

import { ServiceError } from "../core/model/errors.ts";
import type { TimerHandle, Timers } from "../ports/timers.ts";
import { FrameQueue } from "./frame-queue.ts";
import { Liveness, type LivenessTiming } from "./liveness.ts";
import {
  type Hello,
  isOnce,
  type LinkReply,
  type LinkRequest,
  linkPing,
  linkPong,
  type ServerFrame,
} from "./protocol.ts";
import { decodeServerFrame } from "./server-frame.ts";

/** What both workerd's and Node's WebSocket offer. */
export interface LinkSocket {
  /** Bytes that were sent and have not left yet; where it is missing, nobody knows. */
  readonly bufferedAmount?: number;
  send(frame: string): void;
  close(code?: number, reason?: string): void;
  /** Lets frames come; called when everything listens. Only where they do not come by themselves. */
  accept?(): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

export interface LinkOptions {
  timers: Timers;
  nowMs(): number;
  /** Opens a socket that is ready to send. Rejects when no server can be reached. */
  connect(): Promise<LinkSocket>;
  /** Runs `flush` after the current burst of requests was queued. */
  schedule(flush: () => void): void;
  /** How long a frame waits at most for an answer to the one before it; 0: not at all. */
  frameGapMs: number;
  /** How long a request waits for a connected server (Consul's rpc_hold_timeout, 7 s). */
  holdMs: number;
  /** How long a connected server may take to answer; what waits for an index may take longer. */
  requestMs: number;
  /** A read that takes longer than this makes the client look for another server, once; absent: never. */
  patienceMs?: number;
  /** Null: the socket's own end is told reliably, as within one process. */
  liveness: LivenessTiming | null;
  /** In [0, 1): spreads reconnections. */
  random(): number;
  /** Whether {@link connect} may find another server than the one that knows no leader. */
  hasOthers?(): boolean;
  onHello?(hello: Hello): void;
  /** A frame with so many requests leaves. */
  onFrame?(requests: number): void;
  /** The server was left, or lost; `reason` in words for a log. */
  onClose?(reason: string): void;
}

type RequestBody =
  | Omit<Extract<LinkRequest, { read: string }>, "id">
  | Omit<Extract<LinkRequest, { write: object }>, "id">
  | Omit<Extract<LinkRequest, { renew: string }>, "id">
  | Omit<Extract<LinkRequest, { status: true }>, "id">
  | Omit<Extract<LinkRequest, { datacenters: true }>, "id">
  | Omit<Extract<LinkRequest, { servers: string }>, "id">
  | Omit<Extract<LinkRequest, { remove: object }>, "id">
  | Omit<Extract<LinkRequest, { sign: string }>, "id">
  | Omit<Extract<LinkRequest, { configureCa: object }>, "id">
  | Omit<Extract<LinkRequest, { operator: object }>, "id">
  | Omit<Extract<LinkRequest, { fire: object }>, "id">
  | Omit<Extract<LinkRequest, { login: object }>, "id">
  | Omit<Extract<LinkRequest, { authMethod: object }>, "id">
  | Omit<Extract<LinkRequest, { archive: object }>, "id">;

interface Pending {
  request: LinkRequest;
  resolve(reply: LinkReply): void;
  reject(failure: Error): void;
  /** The server said that it will answer when the index moves. */
  waits: boolean;
  sent: boolean;
  /** It was told by one server already that there is no leader. */
  moved: boolean;
  /** Ends the hold while no server is connected, else the wait for an answer. */
  timer: TimerHandle;
  /** When whoever asked is told that nobody answers; null before it was tried, and while a server waits with it. */
  untilMs: number | null;
}

const unknownOutcomeText = "rpc error making call: EOF";
const noServersText = "No known Consul servers";
const reconnectDelayMinMs = 50;
/** A server that answered one request so is not left for another one's same answer within this time. */
const moveOnMinMs = 1_000;

export class LinkClient {
  readonly #options: LinkOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #queue: FrameQueue;
  /** Reads in the queue, by what they ask. */
  readonly #queuedReads = new Map<string, Promise<LinkReply>>();
  #socket: LinkSocket | null = null;
  #liveness: Liveness | null = null;
  #owed = 0;
  #nextId = 1;
  #openedMs = 0;
  #stopped = false;
  #spreadMs = 0;
  #incarnation = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#queue = new FrameQueue({
      timers: options.timers,
      schedule: (flush) => options.schedule(flush),
      gapMs: options.frameGapMs,
      bufferedBytes: () => (this.#socket ? (this.#socket.bufferedAmount ?? 0) : null),
      send: (frame, ids) => this.#send(frame, ids),
    });
  }

  /** What whoever waits for an answer measures the time with. */
  get timers(): Timers {
    return this.#options.timers;
  }

  get connected(): boolean {
    return this.#socket !== null;
  }

  /** Connects and keeps reconnecting until {@link stop}. Resolves after the first attempt, whatever came of it. */
  async start(): Promise<void> {
    try {
      const socket = await this.#options.connect();
      if (this.#stopped) return socket.close(1000, "stopped");
      this.#opened(socket);
    } catch {
      this.#retryLater();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#liveness?.stop();
    this.#socket?.close(1000, "stopped");
    this.#socket = null;
    this.#queue.clear();
    for (const pending of this.#pending.values()) this.#fail(pending, noServersText);
  }

  /** Resolves with the final reply, or rejects with ServiceError. */
  ask(body: RequestBody): Promise<LinkReply> {
    if (!("read" in body) || !this.#socket) return this.#ask(body).reply;
    const question = JSON.stringify(body);
    const queued = this.#queuedReads.get(question);
    if (queued) return queued;
    const { reply } = this.#ask(body);
    this.#queuedReads.set(question, reply);
    return reply;
  }

  /**
   * A read that may wait at the server. `isQueued` tells whether it has not been sent yet; `cancel` ends the wait
   * without an answer.
   */
  askBlocking(body: RequestBody & { minIndex: number }): {
    reply: Promise<LinkReply>;
    isQueued(): boolean;
    cancel(): void;
  } {
    const { id, reply } = this.#ask(body);
    const isQueued = (): boolean => this.#pending.get(id)?.sent === false;
    return { reply, isQueued, cancel: () => this.#cancel(id) };
  }

  #ask(body: RequestBody): { id: number; reply: Promise<LinkReply> } {
    const request = { ...body, id: this.#nextId++ } as LinkRequest;
    const reply = new Promise<LinkReply>((resolve, reject) => {
      if (this.#stopped) return reject(new ServiceError("no-leader", noServersText));
      const state = { waits: false, sent: false, moved: false, timer: null, untilMs: null };
      const pending: Pending = { request, resolve, reject, ...state };
      this.#pending.set(request.id, pending);
      if (this.#socket) this.#enqueue(pending);
      else this.#hold(pending);
    });
    return { id: request.id, reply };
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const left = pending.sent || !this.#queue.remove(id);
    this.#forget(pending);
    if (this.#socket && left) this.#queue.push({ id, cancel: true });
  }

  /** The time for one attempt, within the time for all: that is not renewed by losing one server after the other. */
  #withinMs(pending: Pending, attemptMs: number): number {
    const { nowMs, holdMs, requestMs } = this.#options;
    pending.untilMs ??= nowMs() + holdMs + requestMs;
    return Math.max(Math.min(attemptMs, pending.untilMs - nowMs()), 0);
  }

  /** Until a server is connected. */
  #hold(pending: Pending): void {
    this.#settle(pending);
    pending.sent = false;
    const { timers, holdMs } = this.#options;
    const failed = (): void => this.#fail(pending, noServersText);
    pending.timer = timers.set(failed, this.#withinMs(pending, holdMs));
  }

  #fail(pending: Pending, text: string, code: "no-leader" | "unknown-outcome" = "no-leader"): void {
    if (this.#pending.get(pending.request.id) !== pending) return;
    this.#forget(pending);
    pending.reject(new ServiceError(code, text));
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.request.id);
    this.#settle(pending);
  }

  /** The server owes nothing for it any more. */
  #settle(pending: Pending): void {
    this.#options.timers.clear(pending.timer);
    if (pending.sent && !pending.waits) this.#owed -= 1;
    pending.sent = false;
    pending.waits = false;
    pending.timer = null;
  }

  #enqueue(pending: Pending): void {
    this.#settle(pending);
    const { timers, requestMs, patienceMs = requestMs } = this.#options;
    const moves = "read" in pending.request && !pending.moved && patienceMs < requestMs;
    pending.timer = timers.set(
      () => (moves ? this.#impatient(pending) : this.#expired(pending)),
      this.#withinMs(pending, moves ? patienceMs : requestMs),
    );
    this.#queue.push(pending.request);
  }

  #impatient(pending: Pending): void {
    if (pending.waits) return;
    if (!this.#socket || !this.#mayMove(pending)) return this.#expired(pending);
    this.#leave(this.#socket, "it does not answer");
  }

  /** The server lives, but does not answer this. */
  #expired(pending: Pending): void {
    if (pending.waits) return;
    const wrote = isOnce(pending.request) && pending.sent;
    this.#queue.remove(pending.request.id);
    if (wrote) this.#fail(pending, unknownOutcomeText, "unknown-outcome");
    else this.#fail(pending, "No cluster leader");
  }

  #send(frame: string, ids: readonly number[]): void {
    this.#queuedReads.clear();
    const socket = this.#socket;
    if (!socket) return;
    for (const id of ids) {
      const pending = this.#pending.get(id);
      if (!pending || pending.sent) continue;
      pending.sent = true;
      this.#owed += 1;
    }
    try {
      socket.send(frame);
      this.#options.onFrame?.(ids.length);
      this.#liveness?.asked();
    } catch {
      this.#lost(socket, "the connection broke");
    }
  }

  #opened(socket: LinkSocket): void {
    const { liveness, timers, nowMs } = this.#options;
    this.#socket = socket;
    this.#openedMs = nowMs();
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket || typeof data !== "string") return;
      this.#liveness?.heard();
      if (data !== linkPong) this.#received(data);
    });
    socket.addEventListener("close", () => this.#lost(socket, "the connection was closed"));
    socket.addEventListener("error", () => this.#lost(socket, "the connection broke"));
    if (liveness) {
      const owed = (): boolean => this.#owed > 0;
      const ping = (): void => socket.send(linkPing);
      const dead = (): void => this.#leave(socket, "no sign of life");
      this.#liveness = new Liveness({ timers, nowMs, timing: liveness, owed, ping, dead });
    }
    socket.accept?.();
    for (const pending of this.#pending.values()) this.#enqueue(pending);
  }

  /** Null for what no server says; it is left then. */
  #decoded(frame: string): ServerFrame | null {
    try {
      return decodeServerFrame(frame);
    } catch {
      if (this.#socket) this.#leave(this.#socket, "it sent a malformed frame");
      return null;
    }
  }

  #received(frame: string): void {
    const decoded = this.#decoded(frame);
    if (!decoded) return;
    if ("hello" in decoded) return this.#greeted(decoded.hello);
    this.#queue.answered();
    let leaderless = false;
    for (const reply of decoded.replies) {
      const pending = this.#pending.get(reply.id);
      if (!pending) continue;
      if ("waiting" in reply) {
        this.#settle(pending);
        Object.assign(pending, { sent: true, waits: true, untilMs: null });
      } else if ("error" in reply && reply.error.code === "no-leader" && this.#mayMove(pending)) {
        leaderless = true;
        this.#hold(pending);
      } else {
        this.#forget(pending);
        if ("error" in reply) {
          pending.reject(new ServiceError(reply.error.code, reply.error.message));
        } else pending.resolve(reply);
      }
    }
    const { nowMs } = this.#options;
    if (!leaderless || !this.#socket) return;
    if (nowMs() - this.#openedMs >= moveOnMinMs) this.#leave(this.#socket, "it knows no leader");
    else for (const pending of this.#pending.values()) if (!pending.sent) this.#enqueue(pending);
  }

  /** Nothing was accepted: another server may know a leader. Once for each request. */
  #mayMove(pending: Pending): boolean {
    if (pending.moved || this.#options.hasOthers?.() !== true) return false;
    pending.moved = true;
    return true;
  }

  #greeted(hello: Hello): void {
    const woke = this.#incarnation !== 0 && this.#incarnation !== hello.incarnation;
    this.#incarnation = hello.incarnation;
    this.#spreadMs = hello.reconnectSpreadMs;
    this.#options.onHello?.(hello);
    if (!woke) return;
    for (const pending of this.#pending.values()) if (pending.waits) this.#enqueue(pending);
  }

  /** Does not wait for the far end, which may be dead, to agree. */
  #leave(socket: LinkSocket, reason: string): void {
    this.#lost(socket, reason);
    socket.close(1000, reason);
  }

  #lost(socket: LinkSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#liveness?.stop();
    this.#liveness = null;
    this.#incarnation = 0;
    this.#queue.clear();
    this.#queuedReads.clear();
    for (const pending of this.#pending.values()) {
      if (isOnce(pending.request) && pending.sent) {
        this.#fail(pending, unknownOutcomeText, "unknown-outcome");
      } else this.#hold(pending);
    }
    if (this.#stopped) return;
    this.#options.onClose?.(reason);
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#stopped) return;
    const delayMs = reconnectDelayMinMs + this.#options.random() * this.#spreadMs;
    this.#options.timers.set(() => {
      if (!this.#stopped) void this.start();
    }, delayMs);
  }
}
