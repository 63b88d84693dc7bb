// The answering end of the link (src/link/protocol.ts): hibernating WebSockets of host agents and of Workers that
// wait. Nothing essential is kept between messages: whoever waits for a blocking read is told by a new hello when
// this object forgot it, and asks again with the index it holds.
//
// A read that waits is evaluated once per question and wake, whatever the number of its waiters. Deadlines are the
// asker's business, so that waiting needs no timer here and the object may sleep.

import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { ClusterStatus } from "../../src/ports/cluster.ts";
import type { Evaluated } from "../../src/core/state/machine.ts";
import { type Topic, WatchRegistry } from "../../src/core/state/watch.ts";
import {
  decodeRequests,
  encodeHello,
  encodeReplies,
  internalCommands,
  isNews,
  type LinkReply,
  type LinkRequest,
  linkPing,
  linkPong,
  linkVersion,
  type ReadAnswer,
  type ReadRequest,
  type WriteRequest,
} from "../../src/link/protocol.ts";
import type { ObjectSocket, Sockets } from "../platform/platform.ts";
import type { ServerRequests } from "../server/requests.ts";

export const linkTag = "link";
const malformedFrameCode = 1007;
/** More reads than this waiting on one link are refused. */
const waitingReadsPerLinkMax = 16_384;

interface Question {
  key: string;
  request: ReadRequest;
  waiters: Set<Waiter>;
}

interface Waiter extends Pick<ReadRequest, "id" | "minIndex" | "follows"> {
  socket: ObjectSocket;
  question: Question;
}

/** What a link needs of the server behind it. */
export type LinkRequests = Pick<
  ServerRequests,
  "readAtOnce" | "readable" | "evaluate" | "read" | "write" | "renew" | "lastContactMs"
>;

export interface LinkParts {
  sockets: Sockets;
  requests: LinkRequests;
  incarnation: number;
  serverName(): string;
  /** For {@link Hello.servers}. */
  servers(): string[];
  knownLeader(): boolean;
  clusterStatus(): ClusterStatus;
  /** Upper bound of the random delay after which agents come back when all links drop at once. */
  reconnectSpreadMs: number;
}

export class LinkServer {
  readonly #parts: LinkParts;
  readonly #watches = new WatchRegistry<Question>();
  readonly #questions = new Map<string, Question>();
  readonly #waiters = new Map<ObjectSocket, Map<number, Waiter>>();
  readonly #outboxes = new Map<ObjectSocket, LinkReply[]>();

  constructor(parts: LinkParts) {
    this.#parts = parts;
    parts.sockets.autoAnswer(linkPing, linkPong);
  }

  /**
   * Greets every link: at construction those that outlived the memory of this object, who must ask again what they wait
   * for; later, when other servers are to be told of.
   */
  greetAll(): void {
    for (const socket of this.#parts.sockets.list(linkTag)) this.#greet(socket);
  }

  /** Reads that wait. */
  get waiting(): number {
    return [...this.#waiters.values()].reduce((sum, { size }) => sum + size, 0);
  }

  opened(socket: ObjectSocket): void {
    this.#greet(socket);
  }

  message(socket: ObjectSocket, frame: string | Uint8Array): void {
    let requests: LinkRequest[];
    try {
      if (typeof frame !== "string") throw new TypeError("a link frame is text");
      requests = decodeRequests(frame);
    } catch {
      socket.close(malformedFrameCode, "malformed frame");
      this.closed(socket);
      return;
    }
    for (const request of requests) this.#handle(socket, request);
  }

  closed(socket: ObjectSocket): void {
    for (const waiter of this.#waiters.get(socket)?.values() ?? []) this.#leave(waiter);
    this.#waiters.delete(socket);
    this.#outboxes.delete(socket);
  }

  /** Something that may be waited for changed. */
  fire(touched: readonly Topic[]): void {
    for (const question of this.#watches.fire(touched)) this.#reconsider(question, false);
  }

  /** The whole state was replaced: everybody is answered, even with a lower index. */
  fireAll(): void {
    for (const question of this.#watches.all()) this.#reconsider(question, true);
  }

  /** Answers one request that came without a link; a read with an index does not wait. */
  async answer(request: LinkRequest): Promise<LinkReply> {
    try {
      if ("read" in request) {
        return this.#readAnswer(request, await this.#parts.requests.read(request));
      }
      if ("write" in request) {
        refuseInternal(request);
        return { id: request.id, value: await this.#parts.requests.write(request) };
      }
      if ("renew" in request) {
        return { id: request.id, value: await this.#parts.requests.renew(request) };
      }
      return { id: request.id, value: this.#parts.clusterStatus() as unknown as JsonValue };
    } catch (failure) {
      return { id: request.id, error: errorData(failure) };
    }
  }

  #handle(socket: ObjectSocket, request: LinkRequest): void {
    if ("cancel" in request) return this.#cancel(socket, request.id);
    if ("read" in request) {
      try {
        const now = this.#parts.requests.readAtOnce(request);
        if (now) return this.#answerOrWait(socket, request, now);
      } catch (failure) {
        return this.#reply(socket, { id: request.id, error: errorData(failure) });
      }
      void this.#readLater(socket, request);
      return;
    }
    void this.answer(request).then((reply) => this.#reply(socket, reply));
  }

  async #readLater(socket: ObjectSocket, request: ReadRequest): Promise<void> {
    try {
      await this.#parts.requests.readable(request);
      this.#answerOrWait(socket, request, this.#parts.requests.evaluate(request));
    } catch (failure) {
      this.#reply(socket, { id: request.id, error: errorData(failure) });
    }
  }

  /** Compares and registers in one turn: a change in between cannot be missed. */
  #answerOrWait(socket: ObjectSocket, request: ReadRequest, evaluated: Evaluated): void {
    const answer = this.#readAnswer(request, evaluated);
    const { id, minIndex = 0, follows } = request;
    if (minIndex === 0 || isNews(evaluated.index, request)) return this.#reply(socket, answer);
    const waiting = this.#waiters.get(socket) ?? new Map<number, Waiter>();
    if (waiting.size >= waitingReadsPerLinkMax) {
      const error = { code: "too-many-requests", message: "too many blocking queries" } as const;
      return this.#reply(socket, { id, error });
    }
    this.#waiters.set(socket, waiting);
    const question = this.#question(request, evaluated.topics);
    const waiter: Waiter = { socket, id, minIndex, ...(follows && { follows }), question };
    waiting.set(id, waiter);
    question.waiters.add(waiter);
    this.#reply(socket, { ...answer, body: null, waiting: true });
  }

  #question(request: ReadRequest, topics: readonly Topic[]): Question {
    const { read, args, token, consistency } = request;
    const key = JSON.stringify([read, args, token, consistency]);
    const known = this.#questions.get(key);
    if (known) return known;
    const question: Question = { key, request, waiters: new Set() };
    this.#questions.set(key, question);
    this.#watches.register(topics, question);
    return question;
  }

  #reconsider(question: Question, replaced: boolean): void {
    let evaluated: Evaluated;
    try {
      evaluated = this.#parts.requests.evaluate(question.request);
    } catch (failure) {
      for (const waiter of [...question.waiters]) {
        this.#reply(waiter.socket, { id: waiter.id, error: errorData(failure) });
        this.#leave(waiter);
      }
      return;
    }
    for (const waiter of [...question.waiters]) {
      if (!replaced && !isNews(evaluated.index, waiter)) continue;
      this.#reply(
        waiter.socket,
        this.#readAnswer({ ...question.request, id: waiter.id }, evaluated),
      );
      this.#leave(waiter);
    }
    // What is waited for may depend on the answer itself.
    if (question.waiters.size > 0) this.#watches.register(evaluated.topics, question);
  }

  #cancel(socket: ObjectSocket, id: number): void {
    const waiter = this.#waiters.get(socket)?.get(id);
    if (waiter) this.#leave(waiter);
  }

  #leave(waiter: Waiter): void {
    this.#waiters.get(waiter.socket)?.delete(waiter.id);
    const { question } = waiter;
    question.waiters.delete(waiter);
    if (question.waiters.size > 0) return;
    this.#questions.delete(question.key);
    this.#watches.remove(question);
  }

  #readAnswer({ id, consistency }: ReadRequest, { index, body }: Evaluated): ReadAnswer {
    return {
      id,
      index,
      body,
      knownLeader: this.#parts.knownLeader(),
      // Whatever the leader vouched for is as fresh as the leader itself.
      lastContactMs: consistency === "stale" ? this.#parts.requests.lastContactMs() : 0,
    };
  }

  /** Replies of one turn leave in one frame. */
  #reply(socket: ObjectSocket, reply: LinkReply): void {
    const outbox = this.#outboxes.get(socket);
    if (outbox) {
      outbox.push(reply);
      return;
    }
    this.#outboxes.set(socket, [reply]);
    queueMicrotask(() => {
      const replies = this.#outboxes.get(socket);
      this.#outboxes.delete(socket);
      if (replies) this.#send(socket, encodeReplies(replies));
    });
  }

  #greet(socket: ObjectSocket): void {
    const { incarnation, reconnectSpreadMs, serverName, servers } = this.#parts;
    this.#send(
      socket,
      encodeHello({
        version: linkVersion,
        incarnation,
        reconnectSpreadMs,
        serverName: serverName(),
        servers: servers(),
      }),
    );
  }

  #send(socket: ObjectSocket, frame: string): void {
    try {
      socket.send(frame);
    } catch {
      // The socket closed in between; its close event is on the way or already came.
      this.closed(socket);
    }
  }
}

/** Servers propose these themselves, never through here. */
function refuseInternal({ write }: WriteRequest): void {
  if (!internalCommands.has(write.type)) return;
  throw new ServiceError("permission-denied", `Permission denied: only servers make ${write.type}`);
}

export function errorData(failure: unknown): ErrorData {
  if (failure instanceof ServiceError) return { code: failure.code, message: failure.message };
  return {
    code: "internal",
    message: failure instanceof Error ? failure.message : String(failure),
  };
}
