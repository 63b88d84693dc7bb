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
import { readRequest, tokenOf } from "../../src/link/cluster.ts";
import {
  decodeServerFrame,
  encodeRequests,
  type LinkReply,
  type LinkRequest,
  type ReadAnswer,
  type ValueAnswer,
} from "../../src/link/protocol.ts";
import type { Env } from "../platform/env.ts";
import { edgeAgentStub, edgeNode, serverCount, serverStub } from "../platform/topology.ts";

const callTimeoutMs = 10_000;
const holdMs = 7_000;

export class StubCluster implements Cluster {
  readonly #env: Env;
  readonly #first: number;

  /** `affinity`: whatever identifies the client; the same text goes to the same server. Or that server's number. */
  constructor(env: Env, affinity: string | number) {
    this.#env = env;
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
    const link = new LinkClient({
      connect: () => this.#connect(dc),
      schedule: (flush) => queueMicrotask(flush),
      frameGapMs: 0,
      holdMs,
      random: Math.random,
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
    const edge = edgeNode(this.#env, dc).name;
    if (command.type !== "session.create" || command.session.Node !== edge) return;
    const response = await edgeAgentStub(this.#env, dc).fetch("http://agent/call", {
      method: "POST",
      body: JSON.stringify({ method: "announce", args: [] }),
    });
    const { error } = await response.json<{ error?: ErrorData }>();
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
    return Promise.resolve(Object.keys(this.#env.DATACENTERS));
  }

  #datacenter(dc: string | undefined): string {
    const wanted = dc === undefined || dc === "" ? this.#env.DEFAULT_DC : dc;
    if (wanted !== this.#env.DEFAULT_DC || serverCount(this.#env, wanted) === 0) {
      throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
    }
    return wanted;
  }

  /** Another server is asked only where the first one cannot have accepted anything. */
  async #ask(dc: string, request: LinkRequest): Promise<LinkReply> {
    const servers = serverCount(this.#env, dc);
    const attempts = "write" in request ? 1 : servers;
    for (let attempt = 0; ; attempt++) {
      try {
        const stub = serverStub(this.#env, dc, (this.#first + attempt) % servers);
        return await askStub(stub, request);
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

  async #connect(dc: string): Promise<LinkSocket> {
    const stub = serverStub(this.#env, dc, this.#first % serverCount(this.#env, dc));
    const response = await stub.fetch("http://server/link", { headers: { Upgrade: "websocket" } });
    const socket = response.webSocket;
    if (!socket) throw new Error(`no link: status ${response.status}`);
    // Accepted by the link client, once it listens: the first frame must not be missed.
    return socket;
  }
}

async function askStub(stub: DurableObjectStub, request: LinkRequest): Promise<LinkReply> {
  const response = await stub.fetch("http://server/rpc/requests", {
    method: "POST",
    body: encodeRequests([request]),
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  const frame = decodeServerFrame(await response.text());
  const reply = "replies" in frame ? frame.replies[0] : undefined;
  if (!response.ok || !reply) throw new Error(`server answered ${response.status}`);
  if ("error" in reply) throw new ServiceError(reply.error.code, reply.error.message);
  return reply;
}

/** Number of the server that a client keeps to. */
export function homeServer(env: Env, affinity: string): number {
  return hash(affinity) % Math.max(1, serverCount(env, env.DEFAULT_DC));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value >>> 0;
}
