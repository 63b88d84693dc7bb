// One server of a datacenter: the object that is a Raft peer. This file only composes: what each part does is in its
// own file, and the parts meet here.
//
// Paths, none of which the public Worker lets through: /link (WebSocket), /rpc/<op> (peers, Workers, host agents),
// /rpc/link (a WebSocket, too, for servers of other datacenters).

import type { TimerHandle } from "../../src/ports/timers.ts";
import type { Configuration } from "../../src/core/raft/types.ts";
import type { Applied } from "../../src/core/state/machine.ts";
import { isStorageFault } from "../../src/core/lib/storage-fault.ts";
import type { ClusterStatus, RaftStatus } from "../../src/ports/cluster.ts";
import type { Role } from "../../src/core/raft/types.ts";
import { linkAbroad } from "../../src/link/peer-tls.ts";
import { linkTagOf } from "../link/links.ts";
import { accessorsEndedBy } from "../leader/ended-tokens.ts";
import { bearerParameter, parameter } from "../presence/pool-member.ts";
import {
  type Answer,
  type HostedObject,
  type ObjectSocket,
  type Platform,
  refusal,
  type SocketTerms,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import {
  parseServerObjectName,
  type PeerAddress,
  serverCount,
  serverIdentity,
  serverObject,
  serversExpected,
  settingsOf,
} from "../platform/topology.ts";
import { serverOperations } from "./operations.ts";
import { buildServer, type ServerParts } from "./parts.ts";

const roleNames: Record<Role, RaftStatus["state"]> = {
  leader: "Leader",
  follower: "Follower",
  preCandidate: "Candidate",
  candidate: "Candidate",
};

/**
 * Deadlines farther away than this are alarms, so that the object can sleep. A candidate's patience is below it: an
 * election would otherwise leave an alarm behind that wakes the object for nothing.
 */
const timerMsMax = 8_000;
/** A watchdog may bark this much later rather than write a row to be on time. */
const watchdogSlackMs = 300_000;

const wakeTimeoutMs = 5_000;
/**
 * A server whose disk is full comes back no sooner: it would lead on after each start, for what it has written says so,
 * and fail at the next write. Longer than the others take to choose another.
 */
const storageRestMs = 5_000;

export class ServerObject implements HostedObject {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #self: PeerAddress;
  readonly #datacenter: string;
  readonly #number: number;
  readonly #parts: ServerParts;
  #aborted = false;
  /** As agents were last told. */
  #configuration: Configuration | null = null;
  #timer: { handle: TimerHandle; deadlineMs: number } | null = null;

  constructor(platform: Platform, settings: Settings) {
    this.#platform = platform;
    const { dc, n } = parseServerObjectName(platform.objectName);
    this.#settings = settingsOf(settings, dc);
    this.#datacenter = dc;
    this.#number = n;
    this.#self = serverIdentity(settings, platform.objects, dc, n);
    this.#parts = buildServer(
      platform,
      this.#settings,
      { self: this.#self, datacenter: dc, number: n },
      {
        abort: (reason) => this.#abort(reason),
        restart: (reason) => {
          this.#sayStopped(reason);
          return this.#platform.restart(reason);
        },
        wakeAt: (deadlineMs) => this.#wakeAt(deadlineMs),
        applied: (entries, how) => this.#applied(entries, how),
        leadershipChanged: () => {
          if (this.#parts.raft.role === "leader") this.#parts.telemetry.elected();
          this.#parts.bootstrap.leadershipChanged();
          this.#parts.duties.leadershipChanged();
          this.#parts.divergence.leadershipChanged();
        },
        status: () => this.#status(),
      },
    );
    this.#wake();
  }

  woke(armedAlarmMs: number | null): void {
    this.#parts.clock.loaded(armedAlarmMs);
    this.#parts.links.resume();
  }

  async call(path: string, body: Uint8Array): Promise<Answer> {
    const name = path.slice("/rpc/".length);
    const operation = Object.hasOwn(serverOperations, name) ? serverOperations[name] : undefined;
    if (!operation || !path.startsWith("/rpc/")) return refusal(404, "unknown operation");
    try {
      return await operation(body, this.#parts);
    } catch (failure) {
      if (failure instanceof SyntaxError) return refusal(400, failure.message);
      throw failure;
    }
  }

  connect(path: string, query: string): SocketTerms | Answer {
    if (path !== "/link" && path !== linkAbroad) return refusal(404, "no such socket");
    return { tag: linkTagOf(parameter(query, bearerParameter) ?? ""), attachment: null };
  }

  opened(socket: ObjectSocket): void {
    this.#parts.links.opened(socket);
  }

  message(socket: ObjectSocket, frame: string | Uint8Array): void {
    this.#parts.links.message(socket, frame);
  }

  closed(socket: ObjectSocket): void {
    this.#parts.links.closed(socket);
  }

  async alarm(): Promise<void> {
    const nowMs = this.#platform.nowMs();
    // An object that this alarm has just constructed has forgotten what the alarm was for.
    if (!this.#parts.clock.isDue(nowMs)) this.#parts.raft.watchdog(nowMs);
    await this.#parts.clock.fire(nowMs);
    this.#parts.driver.run();
  }

  /** What construction leaves to do once every part exists. */
  #wake(): void {
    this.#parts.clock.handle("raft", () => this.#parts.driver.tick());
    this.#parts.clock.handle("sessions", () => this.#parts.sessions.fire());
    // On one's own machine a process was started again, perhaps with other addresses; on Cloudflare only memory went.
    this.#parts.duties.resume(this.#settings.HOST !== undefined);
    const count = serverCount(this.#settings, this.#datacenter);
    if (this.#parts.storage.empty && count === serversExpected(this.#settings, this.#datacenter)) {
      if (this.#number === 0) this.#bootstrapAlone(count);
      else this.#platform.waitUntil(this.#wakeFirst());
    }
    this.#parts.driver.run();
  }

  #bootstrapAlone(count: number): void {
    const members = Array.from({ length: count }, (_, n) => ({
      ...serverIdentity(this.#settings, this.#platform.objects, this.#datacenter, n),
      voter: true,
    }));
    this.#parts.raft.bootstrap(
      { members: members.map(({ id, name, address, voter }) => ({ id, name, address, voter })) },
      this.#platform.nowMs(),
    );
  }

  /** Only server 0 may write the first configuration; it does so when it is constructed. */
  async #wakeFirst(): Promise<void> {
    const first = serverObject(this.#datacenter, 0);
    await this.#platform.objects.call(first, "/rpc/status", "", wakeTimeoutMs);
  }

  #applied(
    entries: readonly Applied[],
    { replaced, term }: { replaced: boolean; term: number },
  ): void {
    this.#parts.duties.applied(entries);
    this.#parts.links.revoked(accessorsEndedBy(entries));
    const { divergence } = this.#parts;
    const marks = divergence.passed();
    if (marks.length > 0) this.#platform.waitUntil(divergence.compare(marks));
    const { configuration } = this.#parts.raft;
    if (configuration !== this.#configuration && this.#settings.HOST?.timing === "lan") {
      this.#configuration = configuration;
      this.#parts.links.greetAll();
    }
    if (replaced) {
      this.#parts.requests.replaced();
      this.#parts.replication.replaced();
    }
    this.#parts.requests.applied(entries, term);
    const restored = entries.some((entry) => entry.replaced);
    if (restored) this.#parts.duties.restored();
    if (replaced || restored) this.#parts.links.fireAll();
    else for (const { touched } of entries) this.#parts.links.fire(touched);
  }

  #status(): ClusterStatus {
    const { raft } = this.#parts;
    const { members } = raft.configuration;
    const heardMs = this.#platform.nowMs() - raft.lastContactMs;
    return {
      leader: members.find(({ id }) => id === raft.leader)?.address ?? "",
      peers: members.map(({ address }) => address),
      raft: {
        state: roleNames[raft.role],
        term: raft.term,
        lastLogIndex: raft.lastIndex,
        commitIndex: raft.commitIndex,
        appliedIndex: raft.appliedIndex,
        lastContactMs: Number.isFinite(heardMs) ? Math.max(0, heardMs) : null,
        configuration: members.map(({ id, address, voter }) => ({ id, address, voter })),
      },
    };
  }

  #wakeAt(deadlineMs: number | null): void {
    const now = this.#platform.nowMs();
    const isFar = deadlineMs !== null && deadlineMs - now > timerMsMax;
    if (isFar) this.#parts.clock.set("raft", deadlineMs, watchdogSlackMs);
    else this.#parts.clock.clear("raft");
    if (deadlineMs === null || isFar) {
      if (this.#timer) this.#platform.timers.clear(this.#timer.handle);
      this.#timer = null;
      return;
    }
    // A timer that fires too early only asks again; making a new one for every heartbeat would cost more.
    if (this.#timer && this.#timer.deadlineMs <= deadlineMs) return;
    if (this.#timer) this.#platform.timers.clear(this.#timer.handle);
    const handle = this.#platform.timers.set(
      () => {
        this.#timer = null;
        this.#parts.driver.tick();
      },
      Math.max(0, deadlineMs - now),
    );
    this.#timer = { handle, deadlineMs };
  }

  #sayStopped(reason: unknown): void {
    // Whatever is under way in an instance that has ended fails, too, and says nothing new.
    if (this.#aborted) return;
    this.#aborted = true;
    this.#platform.log("error", `server ${this.#self.name} stops: ${explained(reason)}`);
  }

  #abort(reason: unknown): never {
    this.#sayStopped(reason);
    const text = reason instanceof Error ? reason.message : String(reason);
    this.#platform.abort(text, isStorageFault(reason) ? storageRestMs : 0);
  }
}

/** A disk that is full says so in one line; what nobody has foreseen, with where it came from. */
function explained(reason: unknown): string {
  if (isStorageFault(reason)) return `its storage fails: ${(reason as Error).message}`;
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
