// Datacenters of servers of one's own, joined over the WAN. Each leader describes its own datacenter, with a version
// that grows, and tells it to the others with all it knows of them: one call is enough to learn of everybody. What is
// known is state like any other, so every server of a datacenter knows it, and still does after a restart. Nothing is
// written before somebody joins, and nothing while nothing changes.

import {
  decodeDatacenter,
  type FarServer,
  type JoinedDatacenter,
} from "../../src/core/model/datacenter.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { findDatacenter, joinedDatacenters } from "../../src/core/state/tables/federation/rows.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import type { ServerRequests } from "../server/requests.ts";
import type { ServerTarget } from "./directory.ts";

/** Another datacenter is told what is known, and asked, this often. */
const exchangeMs = 30_000;
/** Consul's reconnect_timeout_wan: one that was away for so long is forgotten. */
const forgottenMs = 72 * 3_600_000;
/** A version that is farther ahead could not be exceeded by who it is about. */
const aheadMsMax = 24 * 3_600_000;

/** What a leader says to a server of another datacenter, and is answered. */
export interface FederationNews {
  from: string;
  datacenters: JoinedDatacenter[];
}

/** Throws SyntaxError for what is no news: it comes from another machine. */
export function decodeNews(given: unknown): FederationNews {
  const news = given as Partial<FederationNews> | null;
  if (typeof news?.from !== "string" || !Array.isArray(news.datacenters)) {
    throw new SyntaxError("no news of datacenters");
  }
  const { from, datacenters } = news;
  if (datacenters.length > limits.datacentersJoinedMax) {
    throw new SyntaxError("news of more datacenters than can be known");
  }
  return { from, datacenters: datacenters.map((one) => decodeDatacenter(one)) };
}

export interface FederationParts {
  datacenter: string;
  /** The datacenter that this one copies; its own name when it copies none. */
  primary: string;
  machine: Pick<StateMachine, "ask">;
  timers: Timers;
  requests: Pick<ServerRequests, "atLeader">;
  leads(): boolean;
  nowMs(): number;
  log(level: "info" | "warn", line: string): void;
  /** Servers of this datacenter as others reach them. */
  own(): FarServer[];
  /** Proposes it in this server's own term. Rejects when it could not. */
  write(command: Command): Promise<unknown>;
  /** Calls /rpc/federate of a server. Rejects when it cannot be reached, or refuses. */
  tell(server: ServerTarget, news: FederationNews): Promise<FederationNews>;
  /** The same with whichever server of a datacenter answers. */
  tellDatacenter(dc: string, news: FederationNews): Promise<FederationNews>;
  /** Called when it was heard of for the first time. */
  joined(dc: string): void;
}

export class Federation {
  readonly #parts: FederationParts;
  readonly #awaySinceMs = new Map<string, number>();
  #timer: TimerHandle = null;

  constructor(parts: FederationParts) {
    this.#parts = parts;
  }

  /** When this server begins to lead, or wakes as leader: tells the others, and goes on telling. */
  begin(): void {
    this.#awaySinceMs.clear();
    this.#again(0);
  }

  /** See {@link joinHere}; at any server. */
  async join(address: string): Promise<true> {
    const here = async (): Promise<true> => await this.joinHere(address);
    return await this.#parts.requests.atLeader("federate-join-here", { address }, here);
  }

  /** See {@link hearHere}; at any server. */
  async hear(news: FederationNews): Promise<FederationNews> {
    const here = async (): Promise<FederationNews> => await this.hearHere(news);
    return await this.#parts.requests.atLeader("federate-here", news, here);
  }

  /** At the leader: makes this datacenter known to the one that a server belongs to. Rejects with ServiceError. */
  async joinHere(address: string): Promise<true> {
    const { tell, log } = this.#parts;
    const news = await this.#news();
    let answer: FederationNews;
    try {
      answer = await tell({ address }, news);
    } catch (failure) {
      throw new ServiceError("invalid", (failure as Error).message);
    }
    this.#requireOther(answer);
    await this.#learn(answer);
    log("info", `joined datacenter ${answer.from} by ${address}`);
    return true;
  }

  /** At the leader: what one of another datacenter says, answered with all that is known here. */
  async hearHere(news: FederationNews): Promise<FederationNews> {
    this.#requireOther(news);
    await this.#learn(news);
    // Who speaks is not gone, though it may not be reached from here.
    if (this.#awaySinceMs.has(news.from)) this.#awaySinceMs.set(news.from, this.#parts.nowMs());
    const { datacenter, machine } = this.#parts;
    const heard = news.datacenters.find(({ name }) => name === datacenter);
    await this.#describe(heard?.version ?? 0);
    if (this.#timer === null) this.#again(exchangeMs);
    return { from: datacenter, datacenters: machine.ask(joinedDatacenters) };
  }

  #again(delayMs: number): void {
    const { timers, leads } = this.#parts;
    timers.clear(this.#timer);
    this.#timer = null;
    if (!leads() || this.#others().length === 0) return;
    this.#timer = timers.set(() => void this.#exchange(), delayMs);
  }

  /** Never rejects. */
  async #exchange(): Promise<void> {
    const { log } = this.#parts;
    try {
      const news = await this.#news();
      await Promise.all(this.#others().map(async (dc) => await this.#exchangeWith(dc, news)));
    } catch (failure) {
      log("warn", `cannot tell other datacenters: ${(failure as Error).message}`);
    }
    this.#again(exchangeMs);
  }

  #others(): string[] {
    const { datacenter, machine } = this.#parts;
    const names = machine.ask(joinedDatacenters).map(({ name }) => name);
    return names.filter((name) => name !== datacenter);
  }

  async #exchangeWith(dc: string, news: FederationNews): Promise<void> {
    const { tellDatacenter, log } = this.#parts;
    try {
      const answer = await tellDatacenter(dc, news);
      await this.#learn(answer);
      if (this.#awaySinceMs.delete(dc)) log("info", `datacenter ${dc} answers again`);
    } catch (failure) {
      await this.#isAway(dc, failure as Error);
    }
  }

  async #isAway(dc: string, failure: Error): Promise<void> {
    const { nowMs, log, write, leads } = this.#parts;
    const sinceMs = this.#awaySinceMs.get(dc);
    if (sinceMs === undefined) {
      this.#awaySinceMs.set(dc, nowMs());
      log("warn", `datacenter ${dc} does not answer: ${failure.message}`);
    } else if (nowMs() - sinceMs > forgottenMs && leads()) {
      this.#awaySinceMs.delete(dc);
      await write({ type: "federation.forget", name: dc });
      log("warn", `datacenter ${dc} has not answered for 72 h and is forgotten`);
    }
  }

  /** All that is known, with this datacenter as it is now. */
  async #news(): Promise<FederationNews> {
    await this.#describe(0);
    const { datacenter, machine } = this.#parts;
    return { from: datacenter, datacenters: machine.ask(joinedDatacenters) };
  }

  /** `heard`: the version under which somebody knows this datacenter, which a newer description exceeds. */
  async #describe(heard: number): Promise<void> {
    const { datacenter, primary, machine, own, write, nowMs } = this.#parts;
    const known = machine.ask((state) => findDatacenter(state, datacenter));
    const servers = own().toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const isSame =
      known?.primary === primary && JSON.stringify(known.servers) === JSON.stringify(servers);
    if (isSame && known.version >= heard) return;
    const version = Math.max(nowMs(), (known?.version ?? 0) + 1, heard + 1);
    const datacenters = [{ name: datacenter, version, servers, primary }];
    await write({ type: "federation.learn", datacenters });
  }

  /** What others say of this datacenter is none of their business. */
  async #learn({ datacenters }: FederationNews): Promise<void> {
    const { datacenter, machine, write, joined, log } = this.#parts;
    const versions = new Map(
      machine.ask(joinedDatacenters).map(({ name, version }) => [name, version] as const),
    );
    this.#requireOfNow(datacenters);
    const newer = datacenters.filter(
      ({ name, version }) => name !== datacenter && version > (versions.get(name) ?? 0),
    );
    if (newer.length === 0) return;
    await write({ type: "federation.learn", datacenters: newer });
    for (const { name } of newer) {
      if (versions.has(name)) continue;
      log("info", `heard of datacenter ${name}`);
      joined(name);
      // The others are told at once.
      this.#again(0);
    }
  }

  #requireOfNow(datacenters: readonly JoinedDatacenter[]): void {
    const latest = this.#parts.nowMs() + aheadMsMax;
    const ahead = datacenters.find(({ version }) => version > latest);
    if (!ahead) return;
    const why = "its description is of more than a day from now: is every clock right?";
    throw new ServiceError("invalid", `datacenter ${ahead.name} is not joined: ${why}`);
  }

  /** Two datacenters of one name could not be told apart; servers of this one have nothing to join. */
  #requireOther({ from, datacenters }: FederationNews): void {
    const { datacenter, own } = this.#parts;
    if (from !== datacenter) return;
    const ids = new Set(own().map(({ id }) => id));
    const theirs = datacenters.find(({ name }) => name === datacenter)?.servers ?? [];
    if (theirs.some(({ id }) => ids.has(id))) return;
    throw new ServiceError(
      "invalid",
      `both datacenters are named ${datacenter}: each needs a name of its own to be joined`,
    );
  }
}
