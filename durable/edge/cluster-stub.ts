// The Cluster port as a Worker sees it: stubs of the datacenter's servers. A client keeps to one server (by hash of
// what identifies it) while that answers. A blocking query waits on a hibernating socket, so that it costs the server
// nothing.

import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { Command, CommandResult, CommandType } from "../../src/core/state/commands.ts";
import type { ReadOperation } from "../../src/core/state/reads.ts";
import type {
  Cluster,
  ClusterStatus,
  ReadOptions,
  ReadReply,
  WriteOptions,
} from "../../src/ports/cluster.ts";
import { BlockingReads } from "../../src/link/blocking-reads.ts";
import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import { deployedLinkLiveness } from "../../src/link/liveness.ts";
import { readRequest, tokenOf } from "../../src/link/cluster.ts";
import {
  decodeServerFrame,
  encodeRequests,
  type LinkReply,
  type LinkRequest,
  type ReadAnswer,
  type ValueAnswer,
} from "../../src/link/protocol.ts";
import { isSuccess, jsonOf, type Platform, textOf } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { edgeAgentObject, edgeNode, serverCount, serverObject } from "../platform/topology.ts";

const callTimeoutMs = 10_000;
const holdMs = 7_000;

/** What a Worker, or an object, has to reach a datacenter's servers. */
export type ClusterAccess = Pick<Platform, "objects" | "random" | "timers" | "nowMs"> & {
  settings: Settings;
};

export class StubCluster implements Cluster {
  readonly #access: ClusterAccess;
  readonly #settings: Settings;
  readonly #first: number;

  /** `affinity`: whatever identifies the client; the same text goes to the same server. Or that server's number. */
  constructor(access: ClusterAccess, affinity: string | number) {
    this.#access = access;
    this.#settings = access.settings;
    this.#first = typeof affinity === "number" ? affinity : hash(affinity);
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
    const { timers, nowMs } = this.#access;
    const servers = serverCount(this.#settings, dc);
    let attempts = 0;
    const link = new LinkClient({
      timers,
      nowMs,
      requestMs: callTimeoutMs,
      liveness: deployedLinkLiveness,
      hasOthers: () => servers > 1,
      // The home server first; one that cannot be reached, or has gone silent, is not asked twice in a row.
      connect: () => this.#connect(dc, (this.#first + attempts++) % servers),
      schedule: (flush) => queueMicrotask(flush),
      frameGapMs: 0,
      holdMs,
      random: this.#access.random,
    });
    await link.start();
    try {
      const reads = new BlockingReads(link);
      return await reads.read({ ...request, minIndex }, options.waitMs ?? 0, options.signal);
    } finally {
      link.stop();
    }
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

  async status(options: { dc?: string }): Promise<ClusterStatus> {
    const reply = await this.#ask(this.#datacenter(options.dc), { id: 1, status: true });
    return (reply as ValueAnswer).value as unknown as ClusterStatus;
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

  /** Another server is asked only where the first one cannot have accepted anything. */
  async #ask(dc: string, request: LinkRequest): Promise<LinkReply> {
    const servers = serverCount(this.#settings, dc);
    const attempts = "write" in request ? 1 : servers;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#askServer(dc, (this.#first + attempt) % servers, request);
      } catch (failure) {
        if (failure instanceof ServiceError) throw failure;
        if (attempt + 1 < attempts) continue;
        if ("write" in request) {
          throw new ServiceError("unknown-outcome", "rpc error making call: EOF");
        }
        throw new ServiceError("no-leader", "No cluster leader");
      }
    }
  }

  async #askServer(dc: string, n: number, request: LinkRequest): Promise<LinkReply> {
    const answer = await this.#access.objects.call(
      serverObject(dc, n),
      "/rpc/requests",
      encodeRequests([request]),
      callTimeoutMs,
    );
    if (!isSuccess(answer)) throw new Error(`server answered ${answer.status}`);
    const frame = decodeServerFrame(textOf(answer.body));
    const reply = "replies" in frame ? frame.replies[0] : undefined;
    if (!reply) throw new Error("server gave no reply");
    if ("error" in reply) throw new ServiceError(reply.error.code, reply.error.message);
    return reply;
  }

  async #connect(dc: string, n: number): Promise<LinkSocket> {
    // Accepted by the link client, once it listens: the first frame must not be missed.
    return await this.#access.objects.connect(serverObject(dc, n), "/link");
  }
}

/** Number of the server that a client keeps to. */
export function homeServer(settings: Settings, affinity: string): number {
  return hash(affinity) % Math.max(1, serverCount(settings, settings.DEFAULT_DC));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value >>> 0;
}
