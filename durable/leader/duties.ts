// What runs only while this server leads: session timers, garbage collection of tombstones, the catalog's view of
// members, the group's own members. Begun when leadership begins or is resumed, ended when it ends.

import type { Raft } from "../../src/core/raft/raft.ts";
import type { Applied } from "../../src/core/state/machine.ts";
import { sessionTtlMs } from "../../src/core/model/session.ts";
import { sleep, type Timers } from "../../src/ports/timers.ts";
import { InstanceEnded } from "../platform/platform.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { RaftDriver } from "../raft/driver.ts";
import type { AclKeeper } from "./acl-keeper.ts";
import type { Autopilot } from "./autopilot.ts";
import type { FailedMembers } from "./failed-members.ts";
import type { Reconciler } from "./reconciler.ts";
import type { ServersHealth } from "./servers-health.ts";
import type { SessionTimers } from "./session-timers.ts";
import type { TombstoneCollector } from "./tombstone-collector.ts";

const judgeIntervalMs = 1_000;
/** Taking back verdicts asks every pool; it happens every so many judgements. */
const judgementsPerRefutation = 5;
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
  autopilot: Autopilot;
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
    const { raft, sessions, tombstones, acl, failed, waitUntil } = this.#parts;
    if (raft.role !== "leader") return;
    this.#term = raft.term;
    sessions.resume();
    tombstones.arm();
    acl.arm();
    failed.arm();
    if (restarted) waitUntil(this.#takeOffice(raft.term));
  }

  leadershipChanged(): void {
    const { raft, sessions, tombstones, acl, failed, waitUntil } = this.#parts;
    const term = raft.role === "leader" ? raft.term : null;
    if (term === this.#term) return;
    this.#term = term;
    if (term === null) return sessions.deposed();
    sessions.elected();
    tombstones.arm();
    acl.arm();
    failed.arm();
    waitUntil(this.#takeOffice(term));
  }

  applied(entries: readonly Applied[]): void {
    const { sessions, tombstones, acl, failed } = this.#parts;
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
    failed.applied(entries);
  }

  async #takeOffice(term: number): Promise<void> {
    const { driver, acl, autopilot, members, ownServers, watchesPeers } = this.#parts;
    // A leader may change the configuration, and knows what is written, only after an entry of its own term.
    await this.#attempt(term, async () => void (await driver.readIndex({ lease: true })));
    await this.#attempt(term, () => autopilot.adoptIdentities(ownServers()));
    await this.#attempt(term, () => members.reconcileServers());
    await this.#attempt(term, () => acl.initialize());
    await this.#attempt(term, () => autopilot.initialize());
    if (watchesPeers) await this.#watch(term);
  }

  async #watch(term: number): Promise<void> {
    const { autopilot, health, members, timers } = this.#parts;
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
      if (round % judgementsPerRefutation === 0) {
        await this.#attempt(term, () => members.refuteFailed());
      }
    }
  }

  #leads(term: number): boolean {
    const { raft } = this.#parts;
    return raft.role === "leader" && raft.term === term;
  }

  /** A duty that fails is done again with the next round, or by the next leader. */
  async #attempt(term: number, duty: () => Promise<void>): Promise<void> {
    if (!this.#leads(term)) return;
    try {
      await duty();
    } catch (failure) {
      if (failure instanceof InstanceEnded) throw failure;
      if (this.#leads(term)) this.#parts.warn(`a leader's duty failed: ${String(failure)}`);
    }
  }
}
