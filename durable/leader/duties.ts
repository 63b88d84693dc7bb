// What runs only while this server leads: session timers, garbage collection of tombstones, the catalog's view of
// members, the group's own members. Begun when leadership begins or is resumed, ended when it ends.

import type { Raft } from "../../src/core/raft/raft.ts";
import type { Applied } from "../../src/core/state/machine.ts";
import { sessionTtlMs } from "../../src/core/model/session.ts";
import { sleep, type Timers } from "../../src/ports/timers.ts";
import { InstanceEnded } from "../platform/platform.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { Federation } from "../datacenters/federation.ts";
import type { Replication } from "../datacenters/replication.ts";
import type { RaftDriver } from "../raft/driver.ts";
import type { AclKeeper } from "./acl-keeper.ts";
import type { CertificateAuthority } from "./authority/certificate-authority.ts";
import type { Autopilot } from "./autopilot.ts";
import type { FailedMembers } from "./failed-members.ts";
import type { Founding } from "./founding.ts";
import type { Reconciler } from "./reconciler.ts";
import type { ServersHealth } from "./servers-health.ts";
import type { SnapshotSweeper } from "./snapshot-sweeper.ts";
import type { SessionTimers } from "./session-timers.ts";
import type { TombstoneCollector } from "./tombstone-collector.ts";

const judgeIntervalMs = 1_000;
/** What makes certificates takes a while to load, and whoever founds a datacenter wants to write first. */
const authorityDelayMs = 250;
/** Taking back verdicts asks every pool; it happens every so many judgements. */
const judgementsPerRefutation = 5;
/** Voters that are not there yet may keep a new kind of command from being proposed. */
const foundingRetriesMs = [1_000, 5_000, 30_000] as const;
/** Consul's intervals: servers are asked every 2 s, and dead ones removed every 10 s. */
const judgementsPerHealthCheck = 2;
const judgementsPerRemoval = 10;

export interface DutiesParts {
  raft: Raft;
  driver: RaftDriver;
  sessions: SessionTimers;
  tombstones: TombstoneCollector;
  acl: AclKeeper;
  members: Reconciler;
  failed: FailedMembers;
  snapshots: SnapshotSweeper;
  autopilot: Autopilot;
  founding: Founding;
  replication: Pick<Replication, "arm" | "applied" | "begin">;
  federation: Pick<Federation, "begin">;
  authority: CertificateAuthority;
  health: ServersHealth;
  timers: Timers;
  nowMs(): number;
  warn(line: string): void;
  /** The servers of this deployment as they are meant to be known. */
  ownServers(): PeerAddress[];
  /** There are heartbeats to judge peers by; elsewhere a quiescent group is left to sleep. */
  watchesPeers: boolean;
  waitUntil(work: Promise<unknown>): void;
}

export class LeaderDuties {
  readonly #parts: DutiesParts;
  #term: number | null = null;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
  }

  /** Constructed again while it leads: deadlines of its own still hold. `restarted`: the process was, too. */
  resume(restarted: boolean): void {
    const { raft, sessions, authority, waitUntil } = this.#parts;
    if (raft.role !== "leader") return;
    this.#term = raft.term;
    sessions.resume();
    this.#arm();
    // Connect may have been enabled by what replaced this instance.
    if (restarted || authority.isMissing) waitUntil(this.#takeOffice(raft.term));
  }

  leadershipChanged(): void {
    const { raft, sessions, waitUntil } = this.#parts;
    const term = raft.role === "leader" ? raft.term : null;
    if (term === this.#term) return;
    this.#term = term;
    if (term === null) return sessions.deposed();
    sessions.elected();
    this.#arm();
    waitUntil(this.#takeOffice(term));
  }

  /** The state was restored from an archive: everything that hangs on it begins anew, as after an election. */
  restored(): void {
    const { sessions, waitUntil } = this.#parts;
    const term = this.#term;
    if (term === null) return;
    sessions.elected();
    this.#arm();
    waitUntil(this.#complete(term));
  }

  #arm(): void {
    const { tombstones, acl, authority, failed, snapshots, replication } = this.#parts;
    replication.arm();
    tombstones.arm();
    acl.arm();
    authority.arm();
    failed.arm();
    snapshots.arm();
  }

  applied(entries: readonly Applied[]): void {
    const { sessions, tombstones, acl, authority, failed, snapshots, replication } = this.#parts;
    sessions.created(
      entries.flatMap(({ command, outcome }) =>
        command?.type === "session.create" && outcome.ok
          ? [{ id: command.session.ID, ttlMs: sessionTtlMs(command.session) }]
          : [],
      ),
    );
    for (const { command } of entries) {
      if (command?.type === "session.destroy") sessions.ended(command.id);
    }
    tombstones.applied(entries);
    acl.applied(entries);
    authority.applied(entries);
    failed.applied(entries);
    snapshots.applied(entries);
    replication.applied(entries);
  }

  async #takeOffice(term: number): Promise<void> {
    const { driver, autopilot, ownServers, watchesPeers } = this.#parts;
    // A leader may change the configuration, and knows what is written, only after an entry of its own term.
    await this.#attempt(term, async () => void (await driver.readIndex({ lease: true })));
    await this.#attempt(term, () => autopilot.adoptIdentities(ownServers()));
    await this.#complete(term);
    if (watchesPeers) await this.#watch(term);
  }

  async #watch(term: number): Promise<void> {
    const { authority, autopilot, health, members, timers } = this.#parts;
    await this.#attempt(term, async () => void (await health.check()));
    for (let round = 1; this.#leads(term); round++) {
      await sleep(timers, judgeIntervalMs);
      await this.#attempt(term, () => members.judgePeers(this.#parts.nowMs()));
      if (round % judgementsPerHealthCheck === 0) {
        await this.#attempt(term, async () => void (await health.check()));
      }
      await this.#attempt(term, () => autopilot.promoteLearner());
      if (round % judgementsPerRemoval === 0) {
        await this.#attempt(term, () => autopilot.removeDead());
      }
      // It may have had to wait for voters that did not know its commands.
      await this.#attempt(term, () => authority.initialize());
      if (round % judgementsPerRefutation === 0) {
        await this.#attempt(term, () => members.refuteFailed());
      }
    }
  }

  /** What every state has, whatever else there is. */
  async #complete(term: number): Promise<void> {
    const { federation, members, replication, waitUntil } = this.#parts;
    await this.#attempt(term, () => members.reconcileServers());
    federation.begin();
    waitUntil(replication.begin());
    waitUntil(this.#found(term));
  }

  async #found(term: number): Promise<void> {
    const { acl, authority, autopilot, founding, timers } = this.#parts;
    const complete = async (): Promise<void> => {
      await acl.initialize();
      await autopilot.initialize();
      await founding.complete();
      if (authority.isMissing) await sleep(timers, authorityDelayMs);
      if (this.#leads(term)) await authority.initialize();
    };
    for (const delayMs of foundingRetriesMs) {
      if (await this.#attempt(term, complete)) return;
      await sleep(timers, delayMs);
    }
    await this.#attempt(term, complete);
  }

  #leads(term: number): boolean {
    const { raft } = this.#parts;
    return raft.role === "leader" && raft.term === term;
  }

  /** Whether it is done, or no longer this server's. One that fails is done again later, or by the next leader. */
  async #attempt(term: number, duty: () => Promise<void>): Promise<boolean> {
    if (!this.#leads(term)) return true;
    try {
      await duty();
      return true;
    } catch (failure) {
      if (failure instanceof InstanceEnded) throw failure;
      if (this.#leads(term)) this.#parts.warn(`a leader's duty failed: ${String(failure)}`);
      return !this.#leads(term);
    }
  }
}
