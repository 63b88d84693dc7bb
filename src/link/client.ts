// The asking end of the link: matches replies to requests, coalesces what is asked in one turn into one frame,
// reconnects, and asks again what certainly may be asked again. Used by the host agent (Node), by a Worker for
// blocking queries, and by EdgeAgent; it knows none of them.
//
// A frame costs both ends far more than a request in it. So the next one waits until the last one was answered,
// but no longer than `frameGapMs`: alone, a request leaves at once; under load, frames grow. Equal reads of one
// frame share a place in it.
//
// A read may be sent again at any time. A write whose answer was lost is never sent twice: it fails with `unknown-
// outcome`. While no server is connected, requests wait up to `holdMs` and then fail.

import { ServiceError } from "../core/model/errors.ts";
import {
  decodeServerFrame,
  encodeRequests,
  type Hello,
  type LinkReply,
  type LinkRequest,
  linkPong,
  type ReadAnswer,
} from "./protocol.ts";

/** What both workerd's and Node's WebSocket offer. */
export interface LinkSocket {
  send(frame: string): void;
  close(code?: number, reason?: string): void;
  /** Lets frames come; called when everything listens. Only where they do not come by themselves. */
  accept?(): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

export interface LinkOptions {
  /** Opens a socket that is ready to send. Rejects when no server can be reached. */
  connect(): Promise<LinkSocket>;
  /** Runs `flush` after the current burst of requests was queued. */
  schedule(flush: () => void): void;
  /** How long a frame waits at most for an answer to the one before it; 0: not at all. */
  frameGapMs: number;
  /** How long a request waits for a connected server (Consul's rpc_hold_timeout, 7 s). */
  holdMs: number;
  /** In [0, 1): spreads reconnections. */
  random(): number;
  onHello?(hello: Hello): void;
  onClose?(): void;
}

type RequestBody =
  | Omit<Extract<LinkRequest, { read: string }>, "id">
  | Omit<Extract<LinkRequest, { write: object }>, "id">
  | Omit<Extract<LinkRequest, { renew: string }>, "id">
  | Omit<Extract<LinkRequest, { status: true }>, "id">;

interface Pending {
  request: LinkRequest;
  resolve(reply: LinkReply): void;
  reject(failure: Error): void;
  onWaiting: ((answer: ReadAnswer) => void) | null;
  /** The server said that it will answer when the index moves. */
  waits: boolean;
  sent: boolean;
  holdTimer: ReturnType<typeof setTimeout> | null;
}

const unknownOutcomeText = "rpc error making call: EOF";
const noServersText = "No known Consul servers";
const reconnectDelayMinMs = 50;

export class LinkClient {
  readonly #options: LinkOptions;
  readonly #pending = new Map<number, Pending>();
  #queue: LinkRequest[] = [];
  /** Reads in the queue, by what they ask. */
  readonly #queuedReads = new Map<string, Promise<LinkReply>>();
  #socket: LinkSocket | null = null;
  #nextId = 1;
  #flushScheduled = false;
  /** Runs while a frame is out that nothing was heard of yet. */
  #gapTimer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #spreadMs = 0;
  #incarnation = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
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
    this.#socket?.close(1000, "stopped");
    this.#socket = null;
    for (const pending of this.#pending.values()) this.#fail(pending, noServersText);
  }

  /** Resolves with the final reply, or rejects with ServiceError. */
  ask(body: RequestBody): Promise<LinkReply> {
    if (!("read" in body) || !this.#socket) return this.#ask(body, null).reply;
    const question = JSON.stringify(body);
    const queued = this.#queuedReads.get(question);
    if (queued) return queued;
    const { reply } = this.#ask(body, null);
    this.#queuedReads.set(question, reply);
    return reply;
  }

  /**
   * A read that may wait at the server. `onWaiting` is told the answer as it was before it blocked; `cancel` ends
   * the wait without an answer.
   */
  askBlocking(
    body: RequestBody & { minIndex: number },
    onWaiting: (answer: ReadAnswer) => void,
  ): { reply: Promise<LinkReply>; cancel(): void } {
    const { id, reply } = this.#ask(body, onWaiting);
    return { reply, cancel: () => this.#cancel(id) };
  }

  #ask(
    body: RequestBody,
    onWaiting: ((answer: ReadAnswer) => void) | null,
  ): { id: number; reply: Promise<LinkReply> } {
    const request = { ...body, id: this.#nextId++ } as LinkRequest;
    const reply = new Promise<LinkReply>((resolve, reject) => {
      const pending: Pending = {
        request,
        resolve,
        reject,
        onWaiting,
        waits: false,
        sent: false,
        holdTimer: null,
      };
      if (this.#stopped) return reject(new ServiceError("no-leader", noServersText));
      this.#pending.set(request.id, pending);
      if (this.#socket) this.#enqueue(request);
      else this.#hold(pending);
    });
    return { id: request.id, reply };
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (pending.holdTimer) clearTimeout(pending.holdTimer);
    if (this.#socket && pending.sent) this.#enqueue({ id, cancel: true });
  }

  #hold(pending: Pending): void {
    pending.sent = false;
    pending.holdTimer ??= setTimeout(() => {
      if (!pending.sent) this.#fail(pending, noServersText);
    }, this.#options.holdMs);
  }

  #fail(pending: Pending, text: string, code: "no-leader" | "unknown-outcome" = "no-leader"): void {
    if (!this.#pending.delete(pending.request.id)) return;
    if (pending.holdTimer) clearTimeout(pending.holdTimer);
    pending.reject(new ServiceError(code, text));
  }

  #enqueue(request: LinkRequest): void {
    this.#queue.push(request);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#gapTimer || this.#queue.length === 0) return;
    this.#flushScheduled = true;
    this.#options.schedule(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    const requests = this.#takeQueue();
    if (!this.#socket || requests.length === 0) return;
    const { frameGapMs } = this.#options;
    if (frameGapMs > 0) this.#gapTimer = setTimeout(() => this.#endGap(), frameGapMs);
    for (const request of requests) {
      const pending = this.#pending.get(request.id);
      if (pending) pending.sent = true;
    }
    try {
      this.#socket.send(encodeRequests(requests));
    } catch {
      this.#closed(this.#socket);
    }
  }

  #takeQueue(): LinkRequest[] {
    const requests = this.#queue;
    this.#queue = [];
    this.#queuedReads.clear();
    return requests;
  }

  #endGap(): void {
    if (this.#gapTimer) clearTimeout(this.#gapTimer);
    this.#gapTimer = null;
    this.#scheduleFlush();
  }

  #opened(socket: LinkSocket): void {
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      if (typeof event.data === "string" && event.data !== linkPong) this.#received(event.data);
    });
    socket.addEventListener("close", () => this.#closed(socket));
    socket.addEventListener("error", () => this.#closed(socket));
    socket.accept?.();
    for (const pending of this.#pending.values()) {
      if (pending.holdTimer) clearTimeout(pending.holdTimer);
      pending.holdTimer = null;
      this.#enqueue(pending.request);
    }
  }

  #received(frame: string): void {
    const decoded = decodeServerFrame(frame);
    if ("hello" in decoded) return this.#greeted(decoded.hello);
    this.#endGap();
    for (const reply of decoded.replies) {
      const pending = this.#pending.get(reply.id);
      if (!pending) continue;
      if ("waiting" in reply) {
        pending.waits = true;
        pending.onWaiting?.(reply);
        continue;
      }
      this.#pending.delete(reply.id);
      if ("error" in reply) {
        pending.reject(new ServiceError(reply.error.code, reply.error.message));
      } else pending.resolve(reply);
    }
  }

  #greeted(hello: Hello): void {
    const woke = this.#incarnation !== 0 && this.#incarnation !== hello.incarnation;
    this.#incarnation = hello.incarnation;
    this.#spreadMs = hello.reconnectSpreadMs;
    this.#options.onHello?.(hello);
    if (!woke) return;
    for (const pending of this.#pending.values()) {
      if (pending.waits) this.#enqueue(pending.request);
    }
  }

  #closed(socket: LinkSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#incarnation = 0;
    this.#takeQueue();
    this.#endGap();
    for (const pending of this.#pending.values()) {
      if ("write" in pending.request && pending.sent) {
        this.#fail(pending, unknownOutcomeText, "unknown-outcome");
      } else this.#hold(pending);
    }
    this.#options.onClose?.();
    if (!this.#stopped) this.#retryLater();
  }

  #retryLater(): void {
    const delayMs = reconnectDelayMinMs + this.#options.random() * this.#spreadMs;
    setTimeout(() => {
      if (!this.#stopped) void this.start();
    }, delayMs);
  }
}
