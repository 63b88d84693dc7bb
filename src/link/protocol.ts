// The link: how a host agent (or a Worker that waits for a blocking query) talks to one server. One WebSocket,
// many requests a frame, many frames in flight, replies in any order. The same requests and replies travel by
// POST to /rpc/requests when nobody waits.
//
// A reply frame is one line of JSON, then the bodies of its replies back to back, so that a body, which already
// is JSON text, is not quoted a second time.

import { isRecord } from "../core/lib/record.ts";
import { operatorQuestion, type OperatorQuestion } from "../core/model/autopilot.ts";
import type { ErrorData } from "../core/model/errors.ts";
import type { AuthMethod, LoginRequest } from "../core/model/auth/types.ts";
import type { JsonValue } from "../core/model/json.ts";
import { isUserEvent, type UserEvent } from "../core/model/user-event.ts";
import type { Command } from "../core/state/commands.ts";
import type { CaConfiguration } from "../core/model/ca-configuration.ts";
import type { Consistency, ServerChoice } from "../ports/cluster.ts";

export const linkVersion = 1;

/** Headers by which an agent shows what it knows when it opens a link, or asks its own servers. */
export const gossipProofHeader = "x-proconsul-gossip-proof";
export const agentKeyHeader = "x-proconsul-agent-key";
/** The same among servers of several hosts. */
export const serverKeyHeader = "x-proconsul-server-key";

/** Closes a gossip socket whose member is not taken in; the reason says why. */
export const memberRefusedCode = 4_009;

/** Under which whoever may use a deployment at all shows its secret. */
export const deploySecretHeader = "x-proconsul-secret";

/** Commands that only servers make, for themselves: who asks over a link is refused. */
export const internalCommands: ReadonlySet<string> = new Set<Command["type"]>([
  "acl.initialize",
  "acl.token.expire",
  "autopilot.initialize",
  "auth.method.set",
  "auth.login",
  "federation.forget",
  "federation.learn",
  "replication.copy",
  "replication.failed",
  "session.expire",
  "snapshot.sweep",
  "tombstone.reap",
  "ca.initialize",
  "ca.prepare",
  "ca.follow",
  "ca.serial",
  "ca.issue",
  "ca.issue-agent",
  "ca.configure",
  "ca.prune",
]);

/** Auto-answered by the platform without waking the object. */
export const linkPing = "ping";
export const linkPong = "pong";

/** What a pool tells a member that it has taken in. */
export interface PoolHello {
  /** Come back after a uniformly random delay up to this many ms. */
  reconnectSpreadMs: number;
  /** Lamport time of the newest user event. */
  clock: number;
}

export function encodePoolHello(hello: PoolHello): string {
  return JSON.stringify({ hello });
}

/** Null for any other frame of a gossip socket. */
export function decodePoolHello(frame: unknown): PoolHello | null {
  const hello = poolFrame(frame, "hello");
  if (!isRecord(hello)) return null;
  const { reconnectSpreadMs, clock } = hello;
  const whole = (value: unknown): number => (Number.isSafeInteger(value) ? Number(value) : 0);
  return {
    reconnectSpreadMs: Math.max(whole(reconnectSpreadMs), 0),
    // Absent from pools of an older version.
    clock: Math.max(whole(clock), 0),
  };
}

export function encodePoolEvents(events: readonly UserEvent[]): string {
  return JSON.stringify({ events });
}

/** Null for any other frame of a gossip socket; what is no event is left out. */
export function decodePoolEvents(frame: unknown): UserEvent[] | null {
  const events = poolFrame(frame, "events");
  return Array.isArray(events) ? events.filter(isUserEvent) : null;
}

/** What a frame says under a name; undefined when it says something else. */
function poolFrame(frame: unknown, name: string): unknown {
  if (typeof frame !== "string" || !frame.startsWith(`{"${name}":`)) return undefined;
  try {
    return (JSON.parse(frame) as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

export interface ReadRequest {
  id: number;
  read: string;
  args: Record<string, JsonValue>;
  consistency?: Consistency;
  maxStaleMs?: number;
  minIndex?: number;
  /** `minIndex` is that of the newest answer to this question: a lower index is news too. */
  follows?: true;
  token?: string;
  dc?: string;
}

export interface WriteRequest {
  id: number;
  write: Command;
  token?: string;
  dc?: string;
}

/** Restarts a session's TTL; answered with the body of `session.info`. */
export interface RenewRequest {
  id: number;
  renew: string;
  token?: string;
  dc?: string;
}

/** Ends a blocking read; never answered. */
export interface CancelRequest {
  id: number;
  cancel: true;
}

export interface StatusRequest {
  id: number;
  status: true;
  /** Number of the interval whose metrics are wanted, too. */
  metrics?: number;
  dc?: string;
}

/** Who belongs to the group of servers; answered with a list of GroupMember. */
export interface ServersRequest {
  id: number;
  servers: "leader" | "any";
  token?: string;
  dc?: string;
}

/** Takes a server out of the group; answered with true. */
export interface RemoveServerRequest {
  id: number;
  remove: ServerChoice;
  token?: string;
  dc?: string;
}

/** Signs a certificate; answered with an IssuedCertificate. */
export interface SignRequest {
  id: number;
  /** PEM. */
  sign: string;
  token?: string;
  dc?: string;
}

/** Configures Connect's certificate authority; answered with true. */
export interface ConfigureCaRequest {
  id: number;
  configureCa: CaConfiguration;
  token?: string;
  dc?: string;
}

/** What else an operator asks of the group; answered with what the question says. */
export interface OperatorRequest {
  id: number;
  operator: OperatorQuestion;
  token?: string;
  dc?: string;
}

/** Tells every agent; answered with true. Twice is once, by the event's id. */
export interface FireRequest {
  id: number;
  fire: UserEvent;
  token?: string;
  dc?: string;
}

/** Somebody who wants a token, and shows none; answered with the token as JSON text. */
export interface LoginOverLink {
  id: number;
  login: LoginRequest;
  dc?: string;
}

/** Makes or changes an auth method; answered with it as JSON text. */
export interface AuthMethodRequest {
  id: number;
  authMethod: AuthMethod;
  token?: string;
  dc?: string;
}

/** A step in saving the whole state (`saved-state.ts`), or the question whether one may be restored. */
export interface ArchiveRequest {
  id: number;
  archive:
    | { do: "permit" }
    | { do: "open" }
    | { do: "measure"; of: number }
    /** The next piece, whose number this is; from 0. */
    | { do: "read"; of: number; piece: number }
    | { do: "close"; of: number };
  consistency?: Consistency;
  token?: string;
  dc?: string;
}

/** Which datacenters can be asked; answered with their names, the nearest first. */
export interface DatacentersRequest {
  id: number;
  datacenters: true;
}

export type LinkRequest =
  | ReadRequest
  | WriteRequest
  | RenewRequest
  | CancelRequest
  | StatusRequest
  | DatacentersRequest
  | ServersRequest
  | RemoveServerRequest
  | SignRequest
  | ConfigureCaRequest
  | OperatorRequest
  | FireRequest
  | LoginOverLink
  | AuthMethodRequest
  | ArchiveRequest;

/** Whether it must not be sent again once its answer was lost. */
export function isOnce(request: LinkRequest): boolean {
  if ("operator" in request) return request.operator.ask === "transfer-leader";
  return ["write", "remove", "configureCa", "login", "authMethod"].some((name) => name in request);
}

export interface ReadAnswer {
  id: number;
  index: number;
  knownLeader: boolean;
  lastContactMs: number;
  body: string | null;
  /** Something was left out that the token may not see. */
  isFiltered?: true;
  /** It depends on other datacenters, too, of which the index says nothing. */
  isNotFollowed?: true;
  /**
   * The index the caller holds is still the newest: another answer with this id follows when it moved. This one has no
   * body.
   */
  waiting?: true;
}

export interface ValueAnswer {
  id: number;
  value: JsonValue;
}

export interface ErrorAnswer {
  id: number;
  error: ErrorData;
}

export type LinkReply = ReadAnswer | ValueAnswer | ErrorAnswer;

/** First frame on every link, and again when a server woke from hibernation and forgot who waits for what. */
export interface Hello {
  version: number;
  /** Draws a new one at each construction; a change means: send your waiting reads again. */
  incarnation: number;
  serverName: string;
  /** `ip:port` of all servers, this one among them, where agents may reach each by itself; else empty. */
  servers: string[];
  /** Reconnect after a uniformly random delay up to this many ms. */
  reconnectSpreadMs: number;
}

/** Whether an answer's index ends the wait of a read that may wait. */
export function isNews(
  index: number,
  { minIndex = 0, follows }: Pick<ReadRequest, "minIndex" | "follows">,
): boolean {
  return index > minIndex || (follows === true && index !== minIndex);
}

export type ServerFrame = { hello: Hello } | { replies: LinkReply[] };

export function encodeRequests(requests: readonly LinkRequest[]): string {
  return JSON.stringify(requests);
}

/** Throws on anything that is not a list of requests; the server then closes the link. */
export function decodeRequests(frame: string): LinkRequest[] {
  const requests = JSON.parse(frame) as unknown;
  if (!Array.isArray(requests)) throw new TypeError("a link frame is a list of requests");
  for (const request of requests as unknown[]) checkRequest(request);
  return requests as LinkRequest[];
}

const archiveSteps: ReadonlySet<unknown> = new Set<ArchiveRequest["archive"]["do"]>([
  ...(["permit", "open", "measure", "read", "close"] as const),
]);

function checkRequest(request: unknown): void {
  if (typeof request !== "object" || request === null) throw new TypeError("request is no object");
  const fields = request as Record<string, unknown>;
  if (!Number.isSafeInteger(fields.id)) throw new TypeError("request has no id");
  const { token, dc, consistency, minIndex, maxStaleMs } = fields;
  const areTexts = [token, dc, consistency].every((one) => one === undefined || isText(one));
  const areNumbers = [minIndex, maxStaleMs].every(
    (one) => one === undefined || Number.isFinite(one),
  );
  if (!areTexts || !areNumbers) throw new TypeError("request says oddly how it is to be answered");
  const isRead = typeof fields.read === "string" && isRecord(fields.args);
  const isWrite = isRecord(fields.write) && typeof fields.write.type === "string";
  const isRenew = typeof fields.renew === "string";
  const isSmall = [fields.cancel, fields.status, fields.datacenters].includes(true);
  const isOfCa = typeof fields.sign === "string" || isRecord(fields.configureCa);
  const isArchive = isRecord(fields.archive) && archiveSteps.has(fields.archive.do);
  const isOperation = isOfGroup(fields) || isOfCa || isArchive;
  const isOther = isOperation || isLogin(fields) || isAuthMethod(fields);
  if (!isRead && !isWrite && !isRenew && !isSmall && !isOther) {
    throw new TypeError("request is none that a server knows");
  }
}

function isOfGroup({ servers, remove, operator, fire }: Record<string, unknown>): boolean {
  if (servers === "leader" || servers === "any") return true;
  if (fire !== undefined) return isUserEvent(fire);
  if (operator !== undefined) return operatorQuestion(operator) !== null;
  return isRecord(remove) && (typeof remove.id === "string" || typeof remove.address === "string");
}

function isLogin({ login }: Record<string, unknown>): boolean {
  if (!isRecord(login)) return false;
  const { AuthMethod: method, BearerToken: bearer, Meta: meta } = login;
  const isMeta = meta === null || (isRecord(meta) && Object.values(meta).every(isText));
  return isText(method) && isText(bearer) && isMeta;
}

/** What is in it is held against its shape before anything is done with it. */
function isAuthMethod({ authMethod }: Record<string, unknown>): boolean {
  return isRecord(authMethod);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function encodeHello(hello: Hello): string {
  return JSON.stringify({ hello });
}

export function encodeReplies(replies: readonly LinkReply[]): string {
  const bodies: string[] = [];
  const heads = replies.map((reply) => {
    if (!("body" in reply) || reply.body === null) return reply;
    bodies.push(reply.body);
    return { ...reply, body: reply.body.length };
  });
  return `${JSON.stringify({ replies: heads })}\n${bodies.join("")}`;
}
