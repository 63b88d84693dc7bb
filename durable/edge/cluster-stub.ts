// The Cluster port as a Worker sees it: stubs of the datacenter's servers. A client keeps to one server (by hash of
// what identifies it) while that answers. A blocking query waits on a hibernating socket, so that it costs the server
// nothing.

import type { GroupHealth, OperatorQuestion } from "../../src/core/model/autopilot.ts";
import type { CaConfiguration } from "../../src/core/model/ca-configuration.ts";
import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { AuthMethod, LoginRequest } from "../../src/core/model/auth/types.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { UserEvent } from "../../src/core/model/user-event.ts";
import type { Command, CommandResult, CommandType } from "../../src/core/state/commands.ts";
import type { ReadOperation } from "../../src/core/state/reads.ts";
import type {
  Cluster,
  ClusterStatus,
  GroupMember,
  IssuedCertificate,
  ReadOptions,
  ReadReply,
  SavedState,
  SaveOptions,
  ServerChoice,
  WriteOptions,
} from "../../src/ports/cluster.ts";
import { BlockingReads } from "../../src/link/blocking-reads.ts";
import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import { deployedLinkLiveness } from "../../src/link/liveness.ts";
import { saveState } from "../../src/link/saved-state.ts";
import { readRequest, tokenOf } from "../../src/link/cluster.ts";
import {
  encodeRequests,
  isOnce,
  type LinkReply,
  type LinkRequest,
  type ReadAnswer,
  type ValueAnswer,
} from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { withTimeout } from "../../src/ports/timers.ts";
import {
  isSuccess,
  jsonOf,
  ObjectExhausted,
  ObjectOverloaded,
  type Platform,
  textOf,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { hashOf, shardOf } from "../platform/shard.ts";
import { askInTurn } from "./in-turn.ts";
import { edgeAgentObject, edgeNode, serverCount, serverObject } from "../platform/topology.ts";

const callTimeoutMs = 10_000;
const holdMs = 7_000;
/** How long a server is waited for before another one is asked, where that is allowed. */
const patienceMs = 2_500;
/** How long a server that was silent is asked last. */
const avoidMs = 10_000;
const exhaustedText = "The request takes more memory than a server has: ask for a part of it";

const overloadedText = "Too many requests wait for this server, try again later";

/** What a Worker, or an object, has to reach a datacenter's servers. */
export type ClusterAccess = Pick<Platform, "objects" | "random" | "timers" | "nowMs"> & {
  settings: Settings;
};

export class StubCluster implements Cluster {
  readonly #access: ClusterAccess;
  readonly #settings: Settings;
  readonly #first: number;
  /** Until when a server is asked last, by its number. */
  readonly #avoidedUntilMs = new Map<number, number>();

  /** `affinity`: whatever identifies the client; the same text goes to the same server. Or that server's number. */
  constructor(access: ClusterAccess, affinity: string | number) {
    this.#access = access;
    this.#settings = access.settings;
    this.#first = typeof affinity === "number" ? affinity : hashOf(affinity);
  }

  async read(
    op: ReadOperation["op"],
    args: Record<string, JsonValue>,
    options: ReadOptions,
  ): Promise<ReadReply> {
    const request = readRequest(op, args, options);
    const dc = this.#datacenter(options.dc);
    const { minIndex } = options;
    if (minIndex === undefined || minIndex === 0) {
      return (await this.#ask(dc, { ...request, id: 1 })) as ReadAnswer;
    }
    const link = this.#link(dc);
    await link.start();
    try {
      const reads = new BlockingReads(link);
      return await reads.read({ ...request, minIndex }, options.waitMs ?? 0, options.signal);
    } finally {
      link.stop();
    }
  }

  /** For one blocking read. */
  #link(dc: string): LinkClient {
    const { timers, nowMs } = this.#access;
    const servers = this.#servers(dc);
    let attempts = 0;
    return new LinkClient({
      timers,
      nowMs,
      requestMs: callTimeoutMs,
      patienceMs,
      liveness: deployedLinkLiveness,
      hasOthers: () => servers.length > 1,
      // One that cannot be reached, or has gone silent, is not asked twice in a row.
      connect: () => this.#connect(dc, servers[attempts++ % servers.length] ?? 0),
      schedule: (flush) => queueMicrotask(flush),
      frameGapMs: 0,
      holdMs,
      // It is the only one: there is no crowd to be spread.
      random: () => 0,
    });
  }

  async write<Type extends CommandType>(
    command: Extract<Command, { type: Type }>,
    options: WriteOptions,
  ): Promise<CommandResult<Type>> {
    const dc = this.#datacenter(options.dc);
    await this.#prepare(dc, command);
    const reply = await this.#ask(dc, { id: 1, write: command, ...tokenOf(options) });
    return (reply as ValueAnswer).value as CommandResult<Type>;
  }

  /**
   * Sends writes together, to be proposed in their order. Gives back what each came to: null when it was applied.
   * Rejects with ServiceError when nothing can be said of some of them.
   */
  async writeAll(
    writes: readonly { command: Command; token?: string }[],
  ): Promise<(ServiceError | null)[]> {
    const outcomes: (ServiceError | null)[] = [];
    const requests = writes.map(({ command, ...options }, id) => ({
      id,
      write: command,
      ...tokenOf(options),
    }));
    for (const frame of framesOf(requests)) {
      const replies = await this.#askAll(this.#settings.DEFAULT_DC, frame);
      outcomes.push(...replies.map((reply) => ("error" in reply ? errorOf(reply.error) : null)));
    }
    return outcomes;
  }

  /** A session created here without a node belongs to the node `edge`, which exists once it is needed. */
  async #prepare(dc: string, command: Command): Promise<void> {
    const edge = edgeNode(this.#access.objects, dc).name;
    if (command.type !== "session.create" || command.session.Node !== edge) return;
    const answer = await this.#access.objects.call(
      edgeAgentObject(dc),
      "/call",
      JSON.stringify({ method: "announce", args: [] }),
      callTimeoutMs,
    );
    const { error } = jsonOf<{ error?: ErrorData }>(answer);
    if (error) throw new ServiceError(error.code, error.message);
  }

  async renewSession(id: string, options: WriteOptions): Promise<string> {
    const dc = this.#datacenter(options.dc);
    const reply = await this.#ask(dc, { id: 1, renew: id, ...tokenOf(options) });
    return (reply as ValueAnswer).value as string;
  }

  async status(options: { dc?: string; metrics?: number }): Promise<ClusterStatus> {
    const { dc, metrics } = options;
    const wanted = metrics === undefined ? {} : { metrics };
    const reply = await this.#ask(this.#datacenter(dc), { id: 1, status: true, ...wanted });
    return (reply as ValueAnswer).value as unknown as ClusterStatus;
  }

  async servers(options: { dc?: string; token?: string; stale?: boolean }): Promise<GroupMember[]> {
    const servers = options.stale === true ? "any" : "leader";
    const dc = this.#datacenter(options.dc);
    const reply = await this.#ask(dc, { id: 1, servers, ...tokenOf(options) });
    return (reply as ValueAnswer).value as unknown as GroupMember[];
  }

  async removeServer(choice: ServerChoice, options: WriteOptions): Promise<void> {
    await this.#ask(this.#datacenter(options.dc), { id: 1, remove: choice, ...tokenOf(options) });
  }

  async signCertificate(csr: string, options: WriteOptions): Promise<IssuedCertificate> {
    const reply = await this.#ask(this.#datacenter(options.dc), {
      id: 1,
      sign: csr,
      ...tokenOf(options),
    });
    return (reply as ValueAnswer).value as unknown as IssuedCertificate;
  }

  async configureCa(configuration: CaConfiguration, options: WriteOptions): Promise<void> {
    await this.#ask(this.#datacenter(options.dc), {
      id: 1,
      configureCa: configuration,
      ...tokenOf(options),
    });
  }

  async autopilotHealth(options: WriteOptions): Promise<GroupHealth> {
    const health = await this.#operate({ ask: "autopilot-health" }, options);
    return health as unknown as GroupHealth;
  }

  async transferLeadership(id: string, options: WriteOptions): Promise<void> {
    await this.#operate({ ask: "transfer-leader", id }, options);
  }

  async #operate(operator: OperatorQuestion, options: WriteOptions): Promise<JsonValue> {
    const dc = this.#datacenter(options.dc);
    const reply = await this.#ask(dc, { id: 1, operator, ...tokenOf(options) });
    return (reply as ValueAnswer).value;
  }

  async fireEvent(event: UserEvent, options: WriteOptions): Promise<void> {
    const dc = this.#datacenter(options.dc);
    await this.#ask(dc, { id: 1, fire: event, ...tokenOf(options) });
  }

  async setAuthMethod(method: AuthMethod, options: WriteOptions): Promise<string> {
    const dc = this.#datacenter(options.dc);
    const reply = await this.#ask(dc, { id: 1, authMethod: method, ...tokenOf(options) });
    return (reply as ValueAnswer).value as string;
  }

  async login(request: LoginRequest, options: { dc?: string }): Promise<string> {
    const reply = await this.#ask(this.#datacenter(options.dc), { id: 1, login: request });
    return (reply as ValueAnswer).value as string;
  }

  async permitRestore(options: WriteOptions): Promise<void> {
    const dc = this.#datacenter(options.dc);
    await this.#ask(dc, { id: 1, archive: { do: "permit" }, ...tokenOf(options) });
  }

  /** Over one socket, because only the server at its other end can go on. */
  async saveState(options: SaveOptions): Promise<SavedState> {
    const link = this.#link(this.#datacenter(options.dc));
    await link.start();
    try {
      return await saveState(link, options, () => link.stop());
    } catch (failure) {
      link.stop();
      throw failure;
    }
  }

  datacenters(): Promise<string[]> {
    return Promise.resolve(Object.keys(this.#settings.DATACENTERS));
  }

  #datacenter(dc: string | undefined): string {
    const wanted = dc === undefined || dc === "" ? this.#settings.DEFAULT_DC : dc;
    if (wanted !== this.#settings.DEFAULT_DC || serverCount(this.#settings, wanted) === 0) {
      throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
    }
    return wanted;
  }

  async #ask(dc: string, request: LinkRequest): Promise<LinkReply> {
    const [reply] = await this.#askAll(dc, [request]);
    if (!reply) throw new ServiceError("internal", "the server gave no reply");
    if ("error" in reply) throw errorOf(reply.error);
    return reply;
  }

  /** A write is sent to one server only: it may have been accepted though no answer came. */
  async #askAll(dc: string, requests: readonly LinkRequest[]): Promise<LinkReply[]> {
    const servers = this.#servers(dc);
    const writes = requests.some(isOnce);
    try {
      return await askInTurn({
        timers: this.#access.timers,
        servers: writes ? servers.slice(0, 1) : servers,
        patienceMs,
        timeoutMs: callTimeoutMs,
        ask: (n) => this.#askServer(dc, n, requests),
        isFinal: (failure) => failure instanceof ObjectExhausted,
        missed: (n) => this.#avoid(n),
      });
    } catch (failure) {
      if (failure instanceof ServiceError) throw failure;
      if (failure instanceof ObjectOverloaded) {
        throw new ServiceError("too-many-requests", overloadedText);
      }
      if (writes) throw new ServiceError("unknown-outcome", "rpc error making call: EOF");
      if (failure instanceof ObjectExhausted) throw new ServiceError("internal", exhaustedText);
      throw new ServiceError("no-leader", "No cluster leader");
    }
  }

  /** The home server first, unless it was silent a moment ago. */
  #servers(dc: string): number[] {
    const count = serverCount(this.#settings, dc);
    const inOrder = Array.from({ length: count }, (_, at) => (this.#first + at) % count);
    if (this.#avoidedUntilMs.size === 0) return inOrder;
    const nowMs = this.#access.nowMs();
    const isAvoided = (n: number): boolean => (this.#avoidedUntilMs.get(n) ?? 0) > nowMs;
    return [...inOrder.filter((n) => !isAvoided(n)), ...inOrder.filter(isAvoided)];
  }

  #avoid(n: number): void {
    this.#avoidedUntilMs.set(n, this.#access.nowMs() + avoidMs);
  }

  /** Replies in the order of the requests. Rejects when the server knows no leader, as when it does not answer. */
  async #askServer(dc: string, n: number, requests: readonly LinkRequest[]): Promise<LinkReply[]> {
    const answer = await this.#access.objects.call(
      serverObject(dc, n),
      "/rpc/requests",
      encodeRequests(requests),
      null,
    );
    if (!isSuccess(answer)) throw new Error(`server answered ${answer.status}`);
    const frame = decodeServerFrame(textOf(answer.body));
    const replies = "replies" in frame ? frame.replies : [];
    if (replies.length !== requests.length) throw new Error("server gave other replies");
    const [first] = replies;
    const leaderless = first && "error" in first && first.error.code === "no-leader";
    if (leaderless && requests.length === 1) throw errorOf(first.error);
    return replies;
  }

  async #connect(dc: string, n: number): Promise<LinkSocket> {
    // Accepted by the link client, once it listens: the first frame must not be missed.
    const connecting = this.#access.objects.connect(serverObject(dc, n), "/link");
    const late = (): Error => new Error(`no socket within ${patienceMs} ms`);
    try {
      return await withTimeout(this.#access.timers, connecting, patienceMs, late);
    } catch (failure) {
      this.#avoid(n);
      // It may open all the same.
      connecting.then(
        (socket) => socket.close(1000, "too late"),
        () => undefined,
      );
      throw failure;
    }
  }
}

function errorOf({ code, message }: ErrorData): ServiceError {
  return new ServiceError(code, message);
}

/** In order, each of bounded length unless one request alone is longer. */
function framesOf(requests: readonly LinkRequest[]): LinkRequest[][] {
  const frames: LinkRequest[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const request of requests) {
    const more = JSON.stringify(request).length;
    if (length + more > limits.frameLengthMax) {
      frames.push([]);
      length = 0;
    }
    frames.at(-1)?.push(request);
    length += more;
  }
  return frames;
}

/** Number of the server that a client keeps to. */
export function homeServer(settings: Settings, affinity: string): number {
  return shardOf(affinity, serverCount(settings, settings.DEFAULT_DC));
}
