// Asks the servers of any datacenter that can be reached, from a Worker or from an object. Whoever asks keeps to one
// server of each datacenter while that answers.

import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import { deployedLinkLiveness } from "../../src/link/liveness.ts";
import {
  encodeRequests,
  isOnce,
  type LinkReply,
  type LinkRequest,
} from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { withTimeout } from "../../src/ports/timers.ts";
import {
  isSuccess,
  ObjectExhausted,
  ObjectOverloaded,
  type Platform,
  textOf,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { type Directory, keyOf, type ServerTarget } from "./directory.ts";
import { askInTurn, type InTurn } from "./in-turn.ts";
import { Reach, ServerUnreachable } from "./reach.ts";
import { Silence } from "./silence.ts";

const callTimeoutMs = 10_000;
const holdMs = 7_000;
/** How long a server is waited for before another one is asked, where that is allowed. */
const patienceMs = 2_500;
/** All of it over the network: less than agents wait for the server that asks for them. */
const farTimeoutMs = 8_000;
/** How long a server that was silent is asked last. */
const avoidMs = 10_000;
const rpcPrefix = "rpc error making call: ";
const overloadedText = "Too many requests wait for this server, try again later";
const exhaustedText = "The request takes more memory than a server has: ask for a part of it";

/** What a Worker, or an object, has to reach servers. */
export type ClusterAccess = Pick<Platform, "objects" | "random" | "timers" | "nowMs"> & {
  settings: Settings;
};

export class ServerCalls {
  readonly #access: ClusterAccess;
  readonly #directory: Directory;
  readonly #reach: Reach;
  readonly #first: number;
  readonly #silence: Silence;
  /** Until when a server is asked last, by its key. */
  readonly #avoidedUntilMs = new Map<string, number>();

  /** `first`: number of the server to keep to, whatever the size of a datacenter. */
  constructor(access: ClusterAccess, directory: Directory, first: number) {
    this.#access = access;
    this.#directory = directory;
    this.#reach = new Reach(access.objects, access.settings.SERVER_KEY);
    this.#first = first;
    this.#silence = new Silence(access.nowMs);
  }

  /** Throws ServiceError when `dc` is none that can be reached from here. */
  requirePath(dc: string): void {
    if (this.#directory.servers(dc).length > 0) return;
    throw noPath();
  }

  /** For what waits at a server. Not started. */
  link(dc: string): LinkClient {
    const { timers, nowMs } = this.#access;
    let last = "";
    return new LinkClient({
      timers,
      nowMs,
      requestMs: callTimeoutMs,
      patienceMs,
      liveness: deployedLinkLiveness,
      hasOthers: () => this.#directory.servers(dc).length > 1,
      // One that cannot be reached, or has gone silent, is not asked twice in a row.
      connect: () => {
        const [first, ...others] = this.#servers(dc);
        const server = others.length > 0 && first && keyOf(first) === last ? others[0] : first;
        if (!server) return Promise.reject(noPath());
        last = keyOf(server);
        return this.#connect(server);
      },
      schedule: (flush) => queueMicrotask(flush),
      frameGapMs: 0,
      holdMs,
      // It is the only one: there is no crowd to be spread.
      random: () => 0,
    });
  }

  /** Rejects with ServiceError. */
  async ask(dc: string, request: LinkRequest): Promise<LinkReply> {
    const [reply] = await this.askAll(dc, [request]);
    if (!reply) throw new ServiceError("internal", "the server gave no reply");
    if ("error" in reply) throw errorOf(reply.error);
    return reply;
  }

  /**
   * Replies in the order of the requests. A write is sent to one server only: it may have been accepted though no
   * answer came. Rejects with ServiceError.
   */
  async askAll(dc: string, requests: readonly LinkRequest[]): Promise<LinkReply[]> {
    const servers = this.#servers(dc);
    const isFar = servers.some((server) => "address" in server);
    if (isFar && this.#silence.covers(dc)) throw noPath();
    // What a server keeps for whoever asked is with no other, either.
    const writes = requests.some((request) => isOnce(request) || "archive" in request);
    try {
      const replies = await (writes
        ? this.#askOnce(servers, requests, isFar ? farTimeoutMs : callTimeoutMs)
        : this.#askAny(servers, requests, patienceOf(servers, isFar)));
      this.#silence.ends(dc);
      return replies;
    } catch (failure) {
      const isSilent = isFar && !(failure instanceof ServiceError || failure instanceof Refused);
      if (isSilent) this.#silence.begins(dc);
      else this.#silence.ends(dc);
      throw refusalOf(failure, { writes, isSilent });
    }
  }

  /** Rejects with what the last one fails with. */
  async #askAny(
    servers: readonly ServerTarget[],
    requests: readonly LinkRequest[],
    patience: Patience,
  ): Promise<LinkReply[]> {
    return await askInTurn({
      ...patience,
      timers: this.#access.timers,
      servers,
      ask: (server) => this.#askServer(server, requests),
      isFinal: (failure) => failure instanceof ObjectExhausted,
      missed: (server) => this.#avoid(server),
    });
  }

  /** The first that hears of the requests. Rejects with what that fails with. */
  async #askOnce(
    servers: readonly ServerTarget[],
    requests: readonly LinkRequest[],
    timeoutMs: number,
  ): Promise<LinkReply[]> {
    const { timers } = this.#access;
    const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
    for (const [at, server] of servers.entries()) {
      try {
        return await withTimeout(timers, this.#askServer(server, requests), timeoutMs, late);
      } catch (failure) {
        if (!(failure instanceof ServiceError)) this.#avoid(server);
        const isUnheard = failure instanceof ServerUnreachable && failure.isUnheard;
        if (!isUnheard || at === servers.length - 1) throw failure;
      }
    }
    throw noPath();
  }

  /** The home server first, unless it was silent a moment ago. */
  #servers(dc: string): ServerTarget[] {
    const servers = this.#directory.servers(dc);
    const home = this.#first % Math.max(1, servers.length);
    const inOrder = [...servers.slice(home), ...servers.slice(0, home)];
    if (this.#avoidedUntilMs.size === 0) return inOrder;
    const nowMs = this.#access.nowMs();
    const isAvoided = (server: ServerTarget): boolean =>
      (this.#avoidedUntilMs.get(keyOf(server)) ?? 0) > nowMs;
    return [...inOrder.filter((one) => !isAvoided(one)), ...inOrder.filter(isAvoided)];
  }

  #avoid(server: ServerTarget): void {
    const nowMs = this.#access.nowMs();
    for (const [key, untilMs] of this.#avoidedUntilMs) {
      if (untilMs <= nowMs) this.#avoidedUntilMs.delete(key);
    }
    this.#avoidedUntilMs.set(keyOf(server), nowMs + avoidMs);
  }

  /** Replies in the order of the requests. Rejects when the server knows no leader, as when it does not answer. */
  async #askServer(server: ServerTarget, requests: readonly LinkRequest[]): Promise<LinkReply[]> {
    const answer = await this.#reach.call(server, "/rpc/requests", encodeRequests(requests));
    if (!isSuccess(answer)) throw new Refused(`server answered ${answer.status}`);
    const frame = decodeServerFrame(textOf(answer.body));
    const replies = "replies" in frame ? frame.replies : [];
    if (replies.length !== requests.length) throw new Refused("server gave other replies");
    const [first] = replies;
    const leaderless = first && "error" in first && first.error.code === "no-leader";
    if (leaderless && requests.length === 1) throw errorOf(first.error);
    return replies;
  }

  async #connect(server: ServerTarget): Promise<LinkSocket> {
    // Accepted by the link client, once it listens: the first frame must not be missed.
    const connecting = this.#reach.link(server);
    const late = (): Error => new Error(`no socket within ${patienceMs} ms`);
    try {
      return await withTimeout(this.#access.timers, connecting, patienceMs, late);
    } catch (failure) {
      this.#avoid(server);
      // It may open all the same.
      connecting.then(
        (socket) => socket.close(1000, "too late"),
        () => undefined,
      );
      throw failure;
    }
  }
}

type Patience = Pick<InTurn<ServerTarget, LinkReply[]>, "patienceMs" | "timeoutMs">;

/** Over the network all of them are asked, and the last one waited for, within one time. */
function patienceOf({ length }: readonly ServerTarget[], isFar: boolean): Patience {
  if (!isFar) return { patienceMs, timeoutMs: callTimeoutMs };
  const shareMs = farTimeoutMs / (length + 1);
  return { patienceMs: shareMs, timeoutMs: 2 * shareMs };
}

/** A server is there, and gave no answer that can be used. */
class Refused extends Error {
  override name = "Refused";
}

/** What whoever asked is told. */
function refusalOf(
  failure: unknown,
  { writes, isSilent }: { writes: boolean; isSilent: boolean },
): ServiceError {
  if (failure instanceof ServiceError) return failure;
  if (failure instanceof ObjectOverloaded) {
    return new ServiceError("too-many-requests", overloadedText);
  }
  const isUnheard = failure instanceof ServerUnreachable && failure.isUnheard;
  if (isSilent && (isUnheard || !writes)) return noPath();
  if (writes) return new ServiceError("unknown-outcome", "rpc error making call: EOF");
  if (failure instanceof ObjectExhausted) return new ServiceError("internal", exhaustedText);
  return new ServiceError("no-leader", "No cluster leader");
}

function noPath(): ServiceError {
  return new ServiceError("no-path-to-datacenter", "No path to datacenter");
}

/** What a server of another datacenter refused, in the words of one of this datacenter that asked it. */
export function fromAbroad(failure: unknown, request: LinkRequest): unknown {
  if (!(failure instanceof ServiceError)) return failure;
  const { code, message } = failure;
  const isQuery = "read" in request && request.read.startsWith("query.");
  const isPlain = code === "conflict" || code === "no-path-to-datacenter";
  // That something does not exist is an answer, but for queries.
  if (isPlain || (code === "not-found" && !isQuery)) return failure;
  return new ServiceError(code, message.startsWith(rpcPrefix) ? message : rpcPrefix + message);
}

export function errorOf({ code, message }: ErrorData): ServiceError {
  return new ServiceError(code, message);
}
