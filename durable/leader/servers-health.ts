// How the leader finds the servers of the group, by Consul's rule: alive, heard from the leader lately, in its term,
// and not far behind. Each is asked; what is remembered is only since when each is as it is.

import {
  autopilotDefaults,
  type AutopilotConfig,
  type GroupHealth,
  groupHealth,
  type ServerHealth,
} from "../../src/core/model/autopilot.ts";
import { goTime } from "../../src/core/model/time.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { findAutopilotConfig } from "../../src/core/state/tables/autopilot/config.ts";
import { consulVersion } from "../../src/members.ts";
import { type Timers, withTimeout } from "../../src/ports/timers.ts";
import type { RaftDriver } from "../raft/driver.ts";
import type { PeerTransport } from "../raft/transport.ts";
import { failedMembers } from "./member-registration.ts";

const answerTimeoutMs = 1_000;
const nsPerMs = 1e6;

export interface ServersHealthParts {
  /** Id of this server. */
  self: string;
  raft: Raft;
  driver: RaftDriver;
  machine: StateMachine;
  transport: PeerTransport;
  timers: Timers;
  /** The leader says something often enough for its silence to mean something. */
  watchesPeers: boolean;
  nowMs(): number;
}

/** What a server says of its log under `/rpc/status`. */
interface Standing {
  lastIndex: number;
  lastTerm: number;
  /** Null: it never heard from a leader. */
  lastContactMs: number | null;
}

interface Stability {
  healthy: boolean;
  sinceMs: number;
}

export class ServersHealth {
  readonly #parts: ServersHealthParts;
  readonly #stability = new Map<string, Stability>();
  #term = 0;
  #latest: GroupHealth | null = null;

  constructor(parts: ServersHealthParts) {
    this.#parts = parts;
  }

  /** What the last check found, under Consul's names; nothing before there was one in this term. */
  get gauges(): Record<string, number> {
    const { raft } = this.#parts;
    if (!this.#latest || raft.role !== "leader" || raft.term !== this.#term) return {};
    return {
      "autopilot.failure_tolerance": this.#latest.FailureTolerance,
      "autopilot.healthy": this.#latest.Healthy ? 1 : 0,
    };
  }

  get config(): AutopilotConfig {
    return this.#parts.machine.ask(findAutopilotConfig) ?? autopilotDefaults;
  }

  /** Asks every server of the group. Never rejects for one that does not answer. */
  async check(): Promise<ServerHealth[]> {
    const { raft, machine } = this.#parts;
    await this.#speak();
    const { members } = raft.configuration;
    const standings = await Promise.all(members.map((member) => this.#standing(member)));
    const failed = new Set(failedMembers(machine).map(({ id }) => id));
    this.#forgetOthers(members);
    const found = members.map((member, at) =>
      this.#judge(member, standings[at] ?? null, failed.has(member.id)),
    );
    this.#latest = groupHealth(found);
    return found;
  }

  /** Whether the server was healthy at the last check, and has been for so long. */
  isStable(id: string, forMs: number): boolean {
    const known = this.#stability.get(id);
    return known?.healthy === true && this.#parts.nowMs() - known.sinceMs >= forMs;
  }

  /** Where the leader is silent while nothing is written, followers hear from it now. */
  async #speak(): Promise<void> {
    const { driver, timers, watchesPeers } = this.#parts;
    if (watchesPeers) return;
    const late = (): Error => new Error("no majority answers");
    const round = driver.readIndex({ lease: false });
    await withTimeout(timers, round, answerTimeoutMs, late).catch(() => null);
  }

  async #standing(member: Member): Promise<Standing | null> {
    const { self, raft, transport } = this.#parts;
    if (member.id === self) {
      const { index: lastIndex, term: lastTerm } = raft.lastPosition;
      return { lastIndex, lastTerm, lastContactMs: 0 };
    }
    try {
      const answer = await transport.call(member, "status", "", answerTimeoutMs);
      return JSON.parse(new TextDecoder().decode(answer)) as Standing;
    } catch {
      return null;
    }
  }

  #judge(member: Member, standing: Standing | null, hasFailed: boolean): ServerHealth {
    const { self } = this.#parts;
    const contactMs = standing?.lastContactMs ?? null;
    const health = {
      ID: member.id,
      Name: member.name,
      Address: member.address,
      SerfStatus: hasFailed ? ("failed" as const) : ("alive" as const),
      Version: consulVersion,
      Leader: member.id === self,
      LastContact: contactMs === null ? -1 : Math.round(contactMs * nsPerMs),
      LastTerm: standing?.lastTerm ?? 0,
      LastIndex: standing?.lastIndex ?? 0,
      Voter: member.voter,
    };
    const healthy = this.#isHealthy(health);
    const sinceMs = this.#since(member.id, healthy);
    const second = Math.floor(sinceMs / 1_000) * 1_000;
    return { ...health, Healthy: healthy, StableSince: goTime(second) };
  }

  #isHealthy(health: Pick<ServerHealth, "SerfStatus" | "LastContact" | "LastTerm" | "LastIndex">) {
    const { LastContactThreshold: contactMax, MaxTrailingLogs: trailingMax } = this.config;
    const { index, term } = this.#parts.raft.lastPosition;
    return (
      health.SerfStatus === "alive" &&
      health.LastContact >= 0 &&
      health.LastContact <= contactMax &&
      health.LastTerm === term &&
      index - health.LastIndex <= trailingMax
    );
  }

  #since(id: string, healthy: boolean): number {
    const known = this.#stability.get(id);
    if (known?.healthy === healthy) return known.sinceMs;
    const sinceMs = this.#parts.nowMs();
    this.#stability.set(id, { healthy, sinceMs });
    return sinceMs;
  }

  /** What an earlier leadership saw is no longer known. */
  #forgetOthers(members: readonly Member[]): void {
    const { term } = this.#parts.raft;
    if (term !== this.#term) this.#stability.clear();
    this.#term = term;
    const ids = new Set(members.map(({ id }) => id));
    for (const id of this.#stability.keys()) if (!ids.has(id)) this.#stability.delete(id);
  }
}
