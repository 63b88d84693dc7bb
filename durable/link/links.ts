// The answering end of the link (src/link/protocol.ts): hibernating WebSockets of host agents and of Workers that
// wait. Nothing essential is kept in memory between messages: reads that wait stand in their sockets' attachments
// (waiting-reads.ts), and where they do not fit, the asker is told by a new hello to ask again.

import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { UserEvent } from "../../src/core/model/user-event.ts";
import type { ClusterStatus } from "../../src/ports/cluster.ts";
import type { Evaluated } from "../../src/core/state/machine.ts";
import type { Topic } from "../../src/core/state/watch.ts";
import {
  decodeRequests,
  encodeHello,
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
import type { Timers } from "../../src/ports/timers.ts";
import type { Abroad, OtherDatacenters } from "../datacenters/other-datacenters.ts";
import type { PrimaryWrites } from "../datacenters/primary-writes.ts";
import type { QueryFailover } from "../datacenters/query-failover.ts";
import type { ObjectSocket, Sockets } from "../platform/platform.ts";
import type { AuthAccess } from "../server/auth-access.ts";
import type { AuthorityAccess } from "../server/authority-access.ts";
import type { Group } from "../server/group.ts";
import type { ServerRequests } from "../server/requests.ts";
import type { SavedStates } from "../server/saved-states.ts";
import { InFlight } from "./in-flight.ts";
import { Outboxes } from "./outboxes.ts";
import { WaitingReads } from "./waiting-reads.ts";
import { WaitsAbroad } from "./waits-abroad.ts";

/** Of links of whoever showed the token with this accessor; "" for the others. */
export function linkTagOf(accessor: string): string {
  return `link ${accessor}`;
}

const revokedCode = 1_008;
const malformedFrameCode = 1007;

/** What a link needs of the server behind it. */
export type LinkRequests = Pick<
  ServerRequests,
  | "serves"
  | "mayAnswerAtOnce"
  | "readable"
  | "evaluate"
  | "read"
  | "permit"
  | "write"
  | "renew"
  | "lastContactMs"
>;

export interface LinkParts {
  sockets: Sockets;
  timers: Timers;
  requests: LinkRequests;
  group: Pick<Group, "servers" | "remove" | "answer">;
  authority: Pick<AuthorityAccess, "sign" | "configure">;
  /** Rejects with ServiceError. */
  fire(event: UserEvent): Promise<void>;
  auth: Pick<AuthAccess, "login" | "setMethod">;
  savedStates: Pick<SavedStates, "answer">;
  datacenters: Pick<OtherDatacenters, "isAbroad" | "ask" | "wait" | "names">;
  failover: Pick<QueryFailover, "complete">;
  primary: Pick<PrimaryWrites, "write">;
  incarnation: number;
  serverName(): string;
  /** For {@link Hello.servers}. */
  servers(): string[];
  knownLeader(): boolean;
  /** With what was counted in the interval of this number. */
  clusterStatus(metrics: number | undefined): ClusterStatus;
  /** Told of every request. */
  asked(requests: readonly LinkRequest[]): void;
  /** Upper bound of the random delay after which agents come back when all links drop at once. */
  reconnectSpreadMs: number;
}

export class LinkServer {
  readonly #parts: LinkParts;
  readonly #reads: WaitingReads;
  readonly #abroad: WaitsAbroad;
  readonly #outboxes: Outboxes;
  readonly #inFlight = new InFlight();

  constructor(parts: LinkParts) {
    this.#parts = parts;
    const { timers, requests } = parts;
    this.#outboxes = new Outboxes({ timers, closed: (socket) => this.closed(socket) });
    this.#reads = new WaitingReads({
      timers,
      serves: () => requests.serves(),
      evaluate: (request) => requests.evaluate(request),
      answer: (socket, request, evaluated) =>
        this.#outboxes.push(socket, this.#readAnswer(request, evaluated)),
      fail: (socket, id, failure) => this.#outboxes.push(socket, { id, error: errorData(failure) }),
    });
    this.#abroad = new WaitsAbroad({
      datacenters: parts.datacenters,
      answer: (socket, answer) => this.#outboxes.push(socket, answer),
      fail: (socket, id, failure) => this.#fail(socket, id, failure),
      holds: (socket, isHeld) => this.#reads.holdsMore(socket, isHeld),
    });
    parts.sockets.autoAnswer(linkPing, linkPong);
  }

  /** At construction: goes on with what waits on sockets that outlived the memory of this object. */
  resume(): void {
    for (const socket of this.#reads.resume(this.#parts.sockets.list())) this.#greet(socket);
  }

  /** Greets every link, when other servers are to be told of. Those who greeted another instance ask again. */
  greetAll(): void {
    for (const socket of this.#parts.sockets.list()) this.#greet(socket);
  }

  /** Reads that wait. */
  get waiting(): number {
    return this.#reads.size;
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
    this.#parts.asked(requests);
    const bytes = frame.length / requests.length;
    for (const request of requests) this.#handle(socket, request, bytes);
  }

  closed(socket: ObjectSocket): void {
    this.#abroad.closed(socket);
    this.#reads.closed(socket);
    this.#outboxes.forget(socket);
  }

  /** Tokens ended: who opened a link with one has it no more. */
  revoked(accessors: readonly string[]): void {
    for (const accessor of accessors) {
      for (const socket of this.#parts.sockets.list(linkTagOf(accessor))) {
        socket.close(revokedCode, "its token was revoked");
        this.closed(socket);
      }
    }
  }

  /** Something that may be waited for changed. Whoever waits for it is answered after this turn. */
  fire(touched: readonly Topic[]): void {
    this.#reads.touched(touched);
  }

  /** The whole state was replaced: everybody is answered, even with a lower index. */
  fireAll(): void {
    this.#reads.replaced();
  }

  /** Answers one request of about so many bytes, that came without a link; a read with an index does not wait. */
  async answer(request: LinkRequest, bytes: number): Promise<LinkReply> {
    let ended: () => void;
    try {
      ended = this.#inFlight.enter(bytes);
    } catch (failure) {
      return { id: request.id, error: errorData(failure) };
    }
    try {
      return await this.#answer(request);
    } finally {
      ended();
    }
  }

  async #answer(request: LinkRequest): Promise<LinkReply> {
    try {
      const { datacenters } = this.#parts;
      if (datacenters.isAbroad(request)) return await datacenters.ask(request);
      if ("datacenters" in request) return { id: request.id, value: await datacenters.names() };
      if ("read" in request) {
        const evaluated = await this.#parts.requests.read(request);
        return this.#readAnswer(request, await this.#parts.failover.complete(request, evaluated));
      }
      if ("write" in request) {
        refuseInternal(request);
        return { id: request.id, value: await this.#parts.primary.write(request) };
      }
      if ("renew" in request) {
        return { id: request.id, value: await this.#parts.requests.renew(request) };
      }
      if ("servers" in request) {
        this.#parts.requests.permit(["operator", "", "read"], request);
        const servers = await this.#parts.group.servers(request.servers);
        return { id: request.id, value: servers as unknown as JsonValue };
      }
      if ("remove" in request) {
        this.#parts.requests.permit(["operator", "", "write"], request);
        await this.#parts.group.remove(request.remove);
        return { id: request.id, value: true };
      }
      if ("sign" in request) {
        const signed = await this.#parts.authority.sign(request);
        return { id: request.id, value: signed as unknown as JsonValue };
      }
      if ("configureCa" in request) {
        return { id: request.id, value: await this.#parts.authority.configure(request) };
      }
      if ("login" in request) {
        return { id: request.id, value: await this.#parts.auth.login(request) };
      }
      if ("authMethod" in request) {
        return { id: request.id, value: await this.#parts.auth.setMethod(request) };
      }
      if ("fire" in request) {
        this.#parts.requests.permit(["event", request.fire.Name, "write"], request);
        await this.#parts.fire(request.fire);
        return { id: request.id, value: true };
      }
      if ("operator" in request) {
        const { ask } = request.operator;
        const access = ask === "transfer-leader" ? "write" : "read";
        this.#parts.requests.permit(["operator", "", access], request);
        return { id: request.id, value: await this.#parts.group.answer(request.operator) };
      }
      if ("archive" in request) {
        return { id: request.id, value: await this.#parts.savedStates.answer(request) };
      }
      const metrics = "status" in request ? request.metrics : undefined;
      const status = this.#parts.clusterStatus(metrics) as unknown as JsonValue;
      return { id: request.id, value: status };
    } catch (failure) {
      return { id: request.id, error: errorData(failure) };
    }
  }

  #handle(socket: ObjectSocket, request: LinkRequest, bytes: number): void {
    if ("cancel" in request) {
      this.#abroad.cancel(socket, request.id);
      return this.#reads.cancel(socket, request.id);
    }
    if ("read" in request && this.#parts.datacenters.isAbroad(request)) {
      return this.#readAbroad(socket, request, bytes);
    }
    if ("read" in request) {
      try {
        if (this.#parts.requests.mayAnswerAtOnce(request)) {
          return this.#answerOrWait(socket, request);
        }
      } catch (failure) {
        return this.#fail(socket, request.id, failure);
      }
      void this.#readLater(socket, request, bytes);
      return;
    }
    void this.answer(request, bytes).then((reply) => this.#outboxes.push(socket, reply));
  }

  #readAbroad(socket: ObjectSocket, request: Abroad<ReadRequest>, bytes: number): void {
    const { minIndex = 0 } = request;
    if (minIndex === 0) {
      void this.answer(request, bytes).then((reply) => this.#outboxes.push(socket, reply));
      return;
    }
    try {
      this.#abroad.begin(socket, { ...request, minIndex });
    } catch (failure) {
      return this.#fail(socket, request.id, failure);
    }
    this.#outboxes.push(socket, this.#waits(request, minIndex));
  }

  async #readLater(socket: ObjectSocket, request: ReadRequest, bytes: number): Promise<void> {
    let ended: (() => void) | undefined;
    try {
      ended = this.#inFlight.enter(bytes);
      await this.#parts.requests.readable(request);
      this.#answerOrWait(socket, request);
    } catch (failure) {
      this.#fail(socket, request.id, failure);
    } finally {
      ended?.();
    }
  }

  #fail(socket: ObjectSocket, id: number, failure: unknown): void {
    this.#outboxes.push(socket, { id, error: errorData(failure) });
  }

  /** Compares and registers in one turn: a change in between cannot be missed. Throws ServiceError. */
  #answerOrWait(socket: ObjectSocket, request: ReadRequest): void {
    const { minIndex = 0 } = request;
    if (minIndex > 0 && this.#reads.joinHeavy(socket, request)) {
      return this.#outboxes.push(socket, this.#waits(request, minIndex));
    }
    const evaluated = this.#parts.requests.evaluate(request);
    if (evaluated.elsewhere?.isDue) {
      return void this.#parts.failover.complete(request, evaluated).then(
        (completed) => this.#outboxes.push(socket, this.#readAnswer(request, completed)),
        (failure: unknown) => this.#fail(socket, request.id, failure),
      );
    }
    if (minIndex === 0 || isNews(evaluated.index, request)) {
      return this.#outboxes.push(socket, this.#readAnswer(request, evaluated));
    }
    this.#reads.add(socket, request, evaluated);
    this.#outboxes.push(socket, this.#waits(request, evaluated.index));
  }

  #waits(request: ReadRequest, index: number): ReadAnswer {
    return { ...this.#readAnswer(request, { index, body: null }), waiting: true };
  }

  #readAnswer(
    { id, consistency }: ReadRequest,
    answer: Pick<Evaluated, "index" | "body" | "isFiltered" | "elsewhere">,
  ): ReadAnswer {
    const { index, body, isFiltered, elsewhere } = answer;
    return {
      id,
      index,
      body,
      ...(isFiltered && { isFiltered }),
      ...(elsewhere && { isNotFollowed: true }),
      knownLeader: this.#parts.knownLeader(),
      // Whatever the leader vouched for is as fresh as the leader itself.
      lastContactMs: consistency === "stale" ? this.#parts.requests.lastContactMs() : 0,
    };
  }

  #greet(socket: ObjectSocket): void {
    const { incarnation, reconnectSpreadMs, serverName, servers } = this.#parts;
    this.#outboxes.send(
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
}

/** Servers propose these themselves, never through here. */
function refuseInternal({ write }: WriteRequest): void {
  if (write.type === "acl.bootstrap" && write.resetIndex !== 0) {
    const who = "only a server's own disk holds an index to reset ACLs";
    throw new ServiceError("permission-denied", `Permission denied: ${who}`);
  }
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
