// The Cluster port over a link.

import type { GroupHealth, OperatorQuestion } from "../core/model/autopilot.ts";
import type { CaConfiguration } from "../core/model/ca-configuration.ts";
import type { AuthMethod, LoginRequest } from "../core/model/auth/types.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { UserEvent } from "../core/model/user-event.ts";
import type { Command, CommandResult, CommandType } from "../core/state/commands.ts";
import type { ReadOperation } from "../core/state/reads.ts";
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
} from "../ports/cluster.ts";
import { BlockingReads } from "./blocking-reads.ts";
import { FollowedReads } from "./followed-reads.ts";
import type { LinkClient } from "./client.ts";
import { saveState } from "./saved-state.ts";
import type { ReadAnswer, ReadRequest, ValueAnswer } from "./protocol.ts";

export class LinkCluster implements Cluster {
  readonly #link: LinkClient;
  readonly #blocking: BlockingReads;
  readonly #followed: FollowedReads;
  readonly #datacenter: string;

  /** `followWaitMs`: how long a wait for what is followed lasts before it is begun anew. */
  constructor(link: LinkClient, datacenter: string, followWaitMs?: number) {
    this.#link = link;
    this.#blocking = new BlockingReads(link);
    this.#followed = new FollowedReads(
      this.#blocking,
      async (request) => (await link.ask(request)) as ReadAnswer,
      followWaitMs,
    );
    this.#datacenter = datacenter;
  }

  async read(
    op: ReadOperation["op"],
    args: Record<string, JsonValue>,
    options: ReadOptions,
  ): Promise<ReadReply> {
    const request = { ...readRequest(op, args, options), ...this.#elsewhere(options) };
    const { minIndex } = options;
    // Another datacenter's answers are not followed, which would keep a server awake for as long as they are.
    if (options.cached && request.dc === undefined) return await this.#cached(request, options);
    if (minIndex === undefined || minIndex === 0)
      return (await this.#link.ask(request)) as ReadAnswer;
    const waitMs = options.waitMs ?? 0;
    return await this.#blocking.read({ ...request, minIndex }, waitMs, options.signal);
  }

  /** Views that are answered from memory. */
  get followed(): FollowedReads {
    return this.#followed;
  }

  stop(): void {
    this.#followed.stop();
  }

  /** With an index the view itself is waited for: the next answer that is newer than what the caller holds. */
  async #cached(request: Omit<ReadRequest, "id">, options: ReadOptions): Promise<ReadReply> {
    const { answer, hit, ageSeconds, key } = await this.#followed.read(request);
    const { minIndex = 0, waitMs = 0, signal } = options;
    const newest =
      minIndex > 0 && answer.index <= minIndex
        ? await this.#blocking.read({ ...request, minIndex }, waitMs, signal)
        : answer;
    const isCurrent = (): boolean => this.#followed.isCurrent(key, newest);
    return { ...newest, cache: { hit, ageSeconds, isCurrent } };
  }

  async write<Type extends CommandType>(
    command: Extract<Command, { type: Type }>,
    options: WriteOptions,
  ): Promise<CommandResult<Type>> {
    const reply = await this.#link.ask({ write: command, ...this.#for(options) });
    return (reply as ValueAnswer).value as CommandResult<Type>;
  }

  async renewSession(id: string, options: WriteOptions): Promise<string> {
    const reply = await this.#link.ask({ renew: id, ...this.#for(options) });
    return (reply as ValueAnswer).value as string;
  }

  async status(options: { dc?: string; metrics?: number }): Promise<ClusterStatus> {
    const { metrics } = options;
    const wanted = metrics === undefined ? {} : { metrics };
    const reply = await this.#link.ask({ status: true, ...wanted, ...this.#elsewhere(options) });
    return (reply as ValueAnswer).value as unknown as ClusterStatus;
  }

  async servers(options: { dc?: string; token?: string; stale?: boolean }): Promise<GroupMember[]> {
    const servers = options.stale === true ? "any" : "leader";
    const reply = await this.#link.ask({ servers, ...this.#for(options) });
    return (reply as ValueAnswer).value as unknown as GroupMember[];
  }

  async removeServer(choice: ServerChoice, options: WriteOptions): Promise<void> {
    await this.#link.ask({ remove: choice, ...this.#for(options) });
  }

  async signCertificate(csr: string, options: WriteOptions): Promise<IssuedCertificate> {
    const reply = await this.#link.ask({ sign: csr, ...this.#for(options) });
    return (reply as ValueAnswer).value as unknown as IssuedCertificate;
  }

  async configureCa(configuration: CaConfiguration, options: WriteOptions): Promise<void> {
    await this.#link.ask({ configureCa: configuration, ...this.#for(options) });
  }

  async autopilotHealth(options: WriteOptions): Promise<GroupHealth> {
    const health = await this.#operate({ ask: "autopilot-health" }, options);
    return health as unknown as GroupHealth;
  }

  async transferLeadership(id: string, options: WriteOptions): Promise<void> {
    await this.#operate({ ask: "transfer-leader", id }, options);
  }

  async #operate(operator: OperatorQuestion, options: WriteOptions): Promise<JsonValue> {
    const reply = await this.#link.ask({ operator, ...this.#for(options) });
    return (reply as ValueAnswer).value;
  }

  async fireEvent(event: UserEvent, options: WriteOptions): Promise<void> {
    await this.#link.ask({ fire: event, ...this.#for(options) });
  }

  async setAuthMethod(method: AuthMethod, options: WriteOptions): Promise<string> {
    const reply = await this.#link.ask({ authMethod: method, ...this.#for(options) });
    return (reply as ValueAnswer).value as string;
  }

  async login(request: LoginRequest, options: { dc?: string }): Promise<string> {
    const reply = await this.#link.ask({ login: request, ...this.#elsewhere(options) });
    return (reply as ValueAnswer).value as string;
  }

  async permitRestore(options: WriteOptions): Promise<void> {
    await this.#link.ask({ archive: { do: "permit" }, ...this.#for(options) });
  }

  async saveState(options: SaveOptions): Promise<SavedState> {
    return await saveState(this.#link, { ...options, ...this.#elsewhere(options) });
  }

  async datacenters(): Promise<string[]> {
    const reply = await this.#link.ask({ datacenters: true });
    return (reply as ValueAnswer).value as string[];
  }

  /** The datacenter that a request is for, unless it is the own one: a server of that one asks it. */
  #elsewhere({ dc }: { dc?: string }): { dc?: string } {
    return dc === undefined || dc === "" || dc === this.#datacenter ? {} : { dc };
  }

  #for(options: { dc?: string; token?: string }): { dc?: string; token?: string } {
    return { ...this.#elsewhere(options), ...tokenOf(options) };
  }
}

/** The request that asks for a read; `minIndex` is left to whoever may wait. */
export function readRequest(
  op: string,
  args: Record<string, JsonValue>,
  options: ReadOptions,
): Omit<ReadRequest, "id"> {
  const { consistency, maxStaleMs } = options;
  return {
    read: op,
    args,
    ...(consistency === undefined ? {} : { consistency }),
    ...(maxStaleMs === undefined ? {} : { maxStaleMs }),
    ...tokenOf(options),
  };
}

export function tokenOf(options: { token?: string }): { token?: string } {
  return options.token === undefined || options.token === "" ? {} : { token: options.token };
}
