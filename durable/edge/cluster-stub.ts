// The Cluster port as a Worker sees it: stubs of the datacenter's servers. A client keeps to one server (by hash of
// what identifies it) while that answers. A blocking query waits on a hibernating socket, so that it costs the server
// nothing.

import type { GroupHealth, OperatorQuestion } from "../../src/core/model/autopilot.ts";
import type { CaConfiguration } from "../../src/core/model/ca-configuration.ts";
import { type ErrorData, isUnknownToken, ServiceError } from "../../src/core/model/errors.ts";
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
import { saveState } from "../../src/link/saved-state.ts";
import { readRequest, tokenOf } from "../../src/link/cluster.ts";
import type { LinkReply, LinkRequest, ReadAnswer, ValueAnswer } from "../../src/link/protocol.ts";
import {
  type ClusterAccess,
  errorOf,
  fromAbroad,
  ServerCalls,
} from "../datacenters/server-calls.ts";
import { deployedDirectory } from "../datacenters/directory.ts";
import { jsonOf } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { hashOf, shardOf } from "../platform/shard.ts";
import { edgeAgentObject, edgeNode, serverCount } from "../platform/topology.ts";

const callTimeoutMs = 10_000;

export class StubCluster implements Cluster {
  readonly #access: ClusterAccess;
  readonly #calls: ServerCalls;
  readonly #own: string;

  /**
   * `affinity`: whatever identifies the client; the same text goes to the same server. Or that server's number. `own`:
   * the datacenter that a request is about when it names none.
   */
  constructor(
    access: ClusterAccess,
    affinity: string | number,
    own: string = access.settings.DEFAULT_DC,
  ) {
    this.#access = access;
    this.#own = own;
    const first = typeof affinity === "number" ? affinity : hashOf(affinity);
    this.#calls = new ServerCalls(access, deployedDirectory(access.settings, own), first);
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
    const link = this.#calls.link(dc);
    await link.start();
    try {
      const reads = new BlockingReads(link);
      return await this.#shown(dc, options, async (shown) => {
        const { token: _given, ...question } = request;
        const asked = { ...question, ...shown, minIndex };
        return await reads.read(asked, options.waitMs ?? 0, options.signal);
      });
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
      const replies = await this.#calls.askAll(this.#own, frame);
      outcomes.push(...replies.map((reply) => ("error" in reply ? errorOf(reply.error) : null)));
    }
    return outcomes;
  }

  /** A session created here without a node belongs to the node `edge`, which exists once it is needed. */
  async #prepare(dc: string, command: Command): Promise<void> {
    const edge = edgeNode(this.#access.objects, dc).name;
    // In another datacenter there is no such node.
    if (dc !== this.#own) return;
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
    const link = this.#calls.link(this.#datacenter(options.dc));
    await link.start();
    try {
      return await this.#shown(this.#datacenter(options.dc), options, async (shown) => {
        const { consistency } = options;
        const asked = { ...shown, ...(consistency && { consistency }) };
        return await saveState(link, asked, () => link.stop());
      });
    } catch (failure) {
      link.stop();
      throw failure;
    }
  }

  async datacenters(): Promise<string[]> {
    const reply = await this.#calls.ask(this.#own, { id: 1, datacenters: true });
    return (reply as ValueAnswer).value as string[];
  }

  #datacenter(dc: string | undefined): string {
    const wanted = dc === undefined || dc === "" ? this.#own : dc;
    this.#calls.requirePath(wanted);
    return wanted;
  }

  /**
   * Asks with the token that may be shown there: one that is local to the own datacenter is nobody's elsewhere, where
   * it counts as none. Whether it is local is asked only when it is not known there: then nothing was done.
   */
  async #shown<Answer>(
    dc: string,
    { token }: { token?: string },
    ask: (shown: { token?: string }) => Promise<Answer>,
  ): Promise<Answer> {
    const shown = tokenOf({ ...(token !== undefined && { token }) });
    try {
      return await ask(shown);
    } catch (failure) {
      const isElsewhere = dc !== this.#own && isUnknownToken(failure);
      if (!isElsewhere || !(await this.#isLocal(shown))) throw failure;
      return await ask({});
    }
  }

  async #isLocal(shown: { token?: string }): Promise<boolean> {
    const question = { id: 1, read: "acl.token.self", args: {}, ...shown };
    const own = await this.#calls.ask(this.#own, question).catch(() => null);
    const body = (own as ReadAnswer | null)?.body ?? "{}";
    return (JSON.parse(body) as { Local?: boolean }).Local === true;
  }

  /** What another datacenter refuses is told as Consul's servers tell it. */
  async #ask(dc: string, request: LinkRequest & { token?: string }): Promise<LinkReply> {
    const { token, ...question } = request;
    return await this.#shown(dc, token === undefined ? {} : { token }, (shown) =>
      this.#calls.ask(dc, { ...question, ...shown }),
    ).catch((failure: unknown) => {
      throw dc === this.#own ? failure : fromAbroad(failure, request);
    });
  }
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
