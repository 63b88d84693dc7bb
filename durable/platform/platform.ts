// The platform port: everything that the objects of a datacenter need from where they run. Nothing else in `durable/`
// may touch a platform, so one driver, one storage and one set of timers run on Durable Objects (cloudflare/), in a
// Node process (node/) and in the simulator (test/sim). The latter two are held to one contract suite
// (test/contract/platform.ts).
//
// What a host promises, and objects rely on:
//
//   turns       events of one object are delivered one at a time; code between two awaits is never interrupted
//   output gate whatever a turn sends (answers, calls, frames) leaves after all it has written is durable
//   memory      may be lost between any two events; sockets, their attachments, the alarm and SQL survive that
//   abort       ends this instance at once: nothing it does afterwards has an effect, and what its turn has written
//               may be lost
//   restart     the same, but what its turn has written is kept

import type { LinkSocket } from "../../src/link/client.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { Timers } from "../../src/ports/timers.ts";

export const objectKinds = ["server", "lanPool", "edgeAgent", "checker"] as const;
export type ObjectKind = (typeof objectKinds)[number];

/** Names an object; naming one that does not exist creates it. */
export interface ObjectAddress {
  kind: ObjectKind;
  name: string;
}

/** What an object answers to a call. A status of 200 to 299 is success; the body of another one says why. */
export interface Answer {
  status: number;
  body: Uint8Array | string;
}

/** An object as its host drives it. One instance is one memory; a host may replace it between any two events. */
export interface HostedObject {
  /** Before any other event: for when the platform has the alarm armed, in ms since 1970; null when it has not. */
  woke(armedAlarmMs: number | null): void;
  /** A request to `path` (which begins with "/"). Rejects only for what the object did not expect. */
  call(path: string, body: Uint8Array): Promise<Answer>;
  /** Somebody asks for a socket: on which terms it is kept, or a refusal. `query` without "?". */
  connect(path: string, query: string): SocketTerms | Answer;
  /** A socket that {@link connect} took is open. */
  opened(socket: ObjectSocket): void;
  message(socket: ObjectSocket, frame: string | Uint8Array): void | Promise<void>;
  /** The other end, or the network, closed it. */
  closed(socket: ObjectSocket): void;
  /** When it rejects, the platform calls again, with growing delays, a limited number of times. */
  alarm(): Promise<void>;
}

export interface SocketTerms {
  /** {@link Sockets.list} finds it by this. */
  tag: string;
  /** See {@link ObjectSocket.attachment}. */
  attachment: SocketAttachment;
}

/** Outlives the object's memory; at most 16 kB as JSON. */
export type SocketAttachment = Record<string, unknown> | null;

/** One end of a WebSocket. The same socket is the same value as long as the memory lasts. */
export interface ObjectSocket {
  /** Throws when the socket is closed. */
  send(frame: string): void;
  close(code: number, reason: string): void;
  attachment: SocketAttachment;
  /** When the platform last answered a ping by itself, in ms since 1970; null: never. */
  readonly autoAnsweredMs: number | null;
  /** What was sent and has not left yet, in bytes; where it is missing, nobody knows. */
  readonly bufferedBytes?: number;
}

export interface Sockets {
  /** Open sockets, of one tag or all of them. */
  list(tag?: string): ObjectSocket[];
  /** Frames that equal `ping` are answered with `pong` without waking the object. */
  autoAnswer(ping: string, pong: string): void;
}

/** The object was ended because a request took more memory or time than it has. Another one would end like it. */
export class ObjectExhausted extends Error {
  override name = "ObjectExhausted";
}

/** The platform did not let the request in: too many wait for the object. Nothing was begun. */
export class ObjectOverloaded extends Error {
  override name = "ObjectOverloaded";
}

/** Reaches other objects, and servers elsewhere. Best effort: a call may be lost, arrive twice, be overtaken. */
export interface Objects {
  /**
   * Rejects when no answer came within `timeoutMs`, with ObjectExhausted when the object ended over it; the request may
   * have been handled all the same, but not with ObjectOverloaded. Null: the caller keeps the time.
   */
  call(
    to: ObjectAddress,
    path: string,
    body: Uint8Array | string,
    timeoutMs: number | null,
  ): Promise<Answer>;
  /** The same by HTTP POST, to a server on another host. */
  post(
    url: string,
    headers: Record<string, string>,
    body: Uint8Array | string,
    timeoutMs: number,
  ): Promise<Answer>;
  /** Rejects when the object refuses. */
  connect(to: ObjectAddress, pathAndQuery: string): Promise<LinkSocket>;
  /** A WebSocket (`ws:` or `wss:`) to a server on another host. Rejects when it refuses, or after 5 s. */
  dial(url: string, headers: Record<string, string>): Promise<LinkSocket>;
  /** 64 hex digits that name the object everywhere. */
  idOf(address: ObjectAddress): string;
}

/** A request to a server that is none of the datacenter's. */
export interface OutsideRequest {
  method: "GET" | "POST";
  /** `http:` or `https:`. */
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** PEM: the only authorities that are trusted; absent: those of the platform. See {@link Outside.trustsGiven}. */
  ca?: string;
  timeoutMs: number;
  /** A longer answer is none. */
  bytesMax: number;
}

export interface OutsideAnswer {
  status: number;
  /** "" when there is none. */
  contentType: string;
  location: string;
  body: string;
}

/** One request of a check. */
export interface ProbeRequest {
  method: string;
  /** `http:` or `https:`. */
  url: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
  /** Takes any certificate; see {@link Outside.skipsVerification}. */
  skipsVerification: boolean;
  timeoutMs: number;
  /** No more of the body is read. */
  bytesMax: number;
}

export interface ProbeAnswer {
  status: number;
  statusText: string;
  /** "" when there is none. */
  location: string;
  body: string;
}

/**
 * Reaches servers elsewhere: by `ask`, those that administrators named, such as issuers of tokens; by `probe` and
 * `dial`, what services are checked by. Follows no redirect.
 */
export interface Outside {
  /** Whether a request may name the authorities that it trusts. */
  readonly trustsGiven: boolean;
  /** Rejects with an Error whose message may be shown: not reached, not trusted, too late, too long. */
  ask(request: OutsideRequest): Promise<OutsideAnswer>;
  /** Whether a probe may take any certificate. */
  readonly skipsVerification: boolean;
  /** On a connection of its own where that can be had. Rejects as {@link ask}. */
  probe(request: ProbeRequest): Promise<ProbeAnswer>;
  /** Opens a TCP connection and closes it. Rejects as {@link ask}. */
  dial(target: { host: string; port: number; timeoutMs: number }): Promise<void>;
}

/** Where there is nothing outside. */
export const noOutside: Outside = {
  trustsGiven: true,
  skipsVerification: true,
  ask: () => Promise.reject(new Error("there is no network")),
  probe: () => Promise.reject(new Error("there is no network")),
  dial: () => Promise.reject(new Error("there is no network")),
};

/** What an operator puts beside a server on its own disk, where nobody who sends requests can. */
export interface OperatorFiles {
  /** Null when there is no such file, or no disk that an operator could reach. */
  read(name: string): string | null;
  remove(name: string): void;
}

/** Where servers have no disk of their own. */
export const noOperatorFiles: OperatorFiles = { read: () => null, remove: () => undefined };

export interface Platform {
  readonly objectName: string;
  readonly outside: Outside;
  readonly operatorFiles: OperatorFiles;
  readonly sql: Sql;
  readonly sockets: Sockets;
  readonly objects: Objects;
  /** For what is sooner than a few seconds: a timer keeps an object awake, and awake costs money. */
  readonly timers: Timers;
  /** Runs `run` after the current turn; where that costs nothing, after events that have arrived meanwhile, too. */
  soon(run: () => void): void;
  /** Replaces the object's single alarm, in ms since 1970. Costs a row written. */
  setAlarm(atMs: number): void;
  nowMs(): number;
  /** In [0, 1). */
  random(): number;
  /** Work that goes on after its event was answered. */
  waitUntil(work: Promise<unknown>): void;
  /**
   * Throws {@link InstanceEnded}. For `restMs` no other instance is constructed, and whoever calls is refused: as long
   * as the host, which may forget it, remembers.
   */
  abort(reason: unknown, restMs?: number): never;
  /** Throws {@link InstanceEnded}. */
  restart(reason: string): never;
  log(level: "info" | "warn" | "error", line: string): void;
}

/** Unwinds what an instance that has ended was doing. Says nothing that was not said when it ended. */
export class InstanceEnded extends Error {
  override name = "InstanceEnded";
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** An answer's body as JSON. Throws SyntaxError. */
export function jsonOf<Value>({ body }: Answer): Value {
  return JSON.parse(textOf(body)) as Value;
}

const decoder = new TextDecoder();

export function textOf(body: Uint8Array | string): string {
  return typeof body === "string" ? body : decoder.decode(body);
}

export function jsonAnswer(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) };
}

export function refusal(status: number, text: string): Answer {
  return { status, body: text };
}
