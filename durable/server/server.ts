// One server of a datacenter: the Durable Object that is a Raft peer. This file only composes: what each part does
// is in its own file, and the parts meet here.
//
// Paths, none of which the public Worker lets through: /link (WebSocket), /rpc/<op> (peers, Workers, host agents).

import { DurableObject } from "cloudflare:workers";

import type { Applied } from "../../src/core/state/machine.ts";
import type { Env } from "../platform/env.ts";
import type { PeerAddress } from "../raft/transport.ts";
import { serverOperations } from "./operations.ts";
import { buildServer, type ServerParts } from "./parts.ts";
import {
  parseServerObjectName,
  serverCount,
  serverIdentity,
  serversExpected,
  serverStub,
} from "../platform/topology.ts";

/**
 * Deadlines farther away than this are alarms, so that the object can sleep. A candidate's patience is below it: an
 * election would otherwise leave an alarm behind that wakes the object for nothing.
 */
const timerMsMax = 8_000;
/** A watchdog may bark this much later rather than write a row to be on time. */
const watchdogSlackMs = 300_000;
const peerJudgeIntervalMs = 1_000;

export class Server extends DurableObject<Env> {
  readonly #self: PeerAddress;
  readonly #datacenter: string;
  readonly #number: number;
  readonly #parts: ServerParts;
  #timer: { handle: ReturnType<typeof setTimeout>; deadlineMs: number } | null = null;
  #led = false;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { dc, n } = parseServerObjectName(state.id.name ?? "");
    this.#datacenter = dc;
    this.#number = n;
    this.#self = serverIdentity(env, dc, n);
    this.#parts = buildServer(
      state,
      env,
      { self: this.#self, datacenter: dc },
      {
        abort: (reason) => this.#abort(reason),
        wakeAt: (deadlineMs) => this.#wakeAt(deadlineMs),
        applied: (entries, replaced) => this.#applied(entries, replaced),
        leadershipChanged: () => this.#leadershipChanged(),
        status: () => this.#status(),
      },
    );
    this.#wake();
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/link") return this.#parts.links.accept();
    const name = pathname.slice("/rpc/".length);
    const operation = Object.hasOwn(serverOperations, name) ? serverOperations[name] : undefined;
    if (!operation) return new Response("unknown operation", { status: 404 });
    try {
      return await operation(request, this.#parts);
    } catch (failure) {
      if (failure instanceof SyntaxError) return new Response(failure.message, { status: 400 });
      throw failure;
    }
  }

  override async alarm(): Promise<void> {
    // An object that this alarm has just constructed has forgotten what the alarm was for.
    if (!this.#parts.clock.isDue(Date.now())) this.#parts.raft.watchdog(Date.now());
    await this.#parts.clock.fire(Date.now());
    this.#parts.driver.run();
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    this.#parts.links.message(socket, frame);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#parts.links.closed(socket);
    // Without an answer to the close the connection, and with it a self-hosted workerd, would stay.
    socket.close(1000, "closed");
  }

  override webSocketError(socket: WebSocket): void {
    this.#parts.links.closed(socket);
  }

  /** What construction leaves to do once every part exists. */
  #wake(): void {
    this.#parts.clock.handle("raft", () => this.#parts.driver.tick());
    this.#parts.clock.handle("sessions", () => this.#parts.sessions.fire());
    void this.ctx.blockConcurrencyWhile(async () => {
      this.#parts.clock.loaded(await this.ctx.storage.getAlarm());
    });
    if (this.#parts.raft.role === "leader") {
      this.#led = true;
      this.#parts.sessions.resume();
      this.#parts.reaper.arm();
      // On one's own machine a process was started again, perhaps with other addresses; on Cloudflare only memory went.
      if (this.env.HOST) this.ctx.waitUntil(this.#takeOffice());
    }
    const count = serverCount(this.env, this.#datacenter);
    if (this.#parts.storage.empty && count === serversExpected(this.env, this.#datacenter)) {
      if (this.#number === 0) this.#bootstrapAlone(count);
      else this.ctx.waitUntil(this.#wakeFirst());
    }
    this.#parts.driver.run();
  }

  #bootstrapAlone(count: number): void {
    const members = Array.from({ length: count }, (_, n) => ({
      ...serverIdentity(this.env, this.#datacenter, n),
      voter: true,
    }));
    this.#parts.raft.bootstrap(
      { members: members.map(({ id, name, address, voter }) => ({ id, name, address, voter })) },
      Date.now(),
    );
  }

  /** Only server 0 may write the first configuration; it does so when it is constructed. */
  async #wakeFirst(): Promise<void> {
    const response = await serverStub(this.env, this.#datacenter, 0).fetch(
      "http://server/rpc/status",
      {
        method: "POST",
      },
    );
    await response.arrayBuffer();
  }

  #applied(entries: readonly Applied[], replaced: boolean): void {
    for (const { command, outcome, touched } of entries) {
      if (command?.type === "session.create" && outcome.ok) {
        this.#parts.sessions.created(command.session.ID, command.session.TTL);
      }
      if (command?.type === "session.destroy") this.#parts.sessions.ended(command.id);
      if (!replaced) this.#parts.links.fire(touched);
    }
    this.#parts.reaper.applied(entries);
    if (replaced) this.#parts.links.fireAll();
  }

  #leadershipChanged(): void {
    const leads = this.#parts.raft.role === "leader";
    if (leads === this.#led) return;
    this.#led = leads;
    if (!leads) {
      this.#parts.sessions.deposed();
      return;
    }
    this.#parts.sessions.elected(this.#parts.machine.listSessionTtls());
    this.#parts.reaper.arm();
    this.ctx.waitUntil(this.#takeOffice());
  }

  /** Brings the catalog in line with the servers; on hosts of one's own goes on watching them while it leads. */
  async #takeOffice(): Promise<void> {
    const { term } = this.#parts.raft;
    const leads = (): boolean =>
      this.#parts.raft.role === "leader" && this.#parts.raft.term === term;
    try {
      await this.#committedInTerm();
      await this.#parts.members.adoptIdentities(this.#ownServers());
      await this.#parts.members.reconcileServers();
      while (leads() && this.env.HOST?.timing === "lan") {
        await new Promise((resolve) => setTimeout(resolve, peerJudgeIntervalMs));
        if (leads()) await this.#parts.members.judgePeers(Date.now());
        if (leads()) await this.#parts.members.promoteLearner();
      }
    } catch (failure) {
      // Deposed in between: the next leader does it again.
      console.warn(`server ${this.#self.name}: reconciling servers: ${String(failure)}`);
    }
  }

  /** A leader may change the configuration only after an entry of its own term. */
  async #committedInTerm(): Promise<void> {
    await this.#parts.driver.readIndex({ lease: true });
  }

  /** The servers of this Worker as they are meant to be known. */
  #ownServers(): PeerAddress[] {
    const count = this.env.HOST ? serverCount(this.env, this.#datacenter) : 0;
    return Array.from({ length: count }, (_, n) => serverIdentity(this.env, this.#datacenter, n));
  }

  #status(): { leader: string; peers: string[] } {
    const { members } = this.#parts.raft.configuration;
    return {
      leader: members.find(({ id }) => id === this.#parts.raft.leader)?.address ?? "",
      peers: members.map(({ address }) => address),
    };
  }

  #wakeAt(deadlineMs: number | null): void {
    const now = Date.now();
    const isFar = deadlineMs !== null && deadlineMs - now > timerMsMax;
    if (isFar) this.#parts.clock.set("raft", deadlineMs, watchdogSlackMs);
    else this.#parts.clock.clear("raft");
    if (deadlineMs === null || isFar) {
      if (this.#timer) clearTimeout(this.#timer.handle);
      this.#timer = null;
      return;
    }
    // A timer that fires too early only asks again; making a new one for every heartbeat would cost more.
    if (this.#timer && this.#timer.deadlineMs <= deadlineMs) return;
    if (this.#timer) clearTimeout(this.#timer.handle);
    const handle = setTimeout(
      () => {
        this.#timer = null;
        this.#parts.driver.tick();
      },
      Math.max(0, deadlineMs - now),
    );
    this.#timer = { handle, deadlineMs };
  }

  #abort(reason: unknown): never {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    console.error(`server ${this.#self.name} stops: ${text}`);
    this.ctx.abort(text);
    throw reason;
  }
}
