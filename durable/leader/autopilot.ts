// Who belongs to the group of servers, as Consul's autopilot sees to it: newcomers become learners and, when they have
// caught up, voters; a server that lost its disk, and comes back under its old name or address with another id, takes
// the place of the one that it was. One change at a time, and none that would leave less than a majority alive.

import type { AutopilotConfig } from "../../src/core/model/autopilot.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { ConfigurationChange } from "../../src/core/raft/membership.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { findAutopilotConfig } from "../../src/core/state/tables/autopilot/config.ts";
import { clusterId } from "../../src/core/state/tables/cluster/identity.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { Introduction, Removal } from "../raft/bootstrap.ts";
import type { RaftDriver } from "../raft/driver.ts";
import { NotLeader } from "../raft/outcome.ts";
import type { PeerTransport } from "../raft/transport.ts";
import type { ServerRequests } from "../server/requests.ts";
import { replacedServers } from "./dead-servers.ts";
import { failedMembers, memberSince } from "./member-registration.ts";
import { type Reconciler, serverFact } from "./reconciler.ts";
import type { ServersHealth } from "./servers-health.ts";

export interface AutopilotParts {
  /** Id of this server. */
  self: string;
  transport: PeerTransport;
  raft: Raft;
  driver: RaftDriver;
  members: Reconciler;
  machine: StateMachine;
  requests: ServerRequests;
  health: ServersHealth;
  /** What this server's own configuration says, for a datacenter that has none yet. */
  initial: AutopilotConfig;
  nowMs(): number;
  warn(line: string): void;
}

const nsPerMs = 1e6;
const changeWaitMs = 5_000;
/** Below what a follower waits for its leader's answer. */
const answerTimeoutMs = 1_000;
/** A server that answered within this time is alive, whoever else claims its name. */
const recentMs = 2_000;
const strangersMax = 100;

export class Autopilot {
  readonly #parts: AutopilotParts;
  /** Ids of servers with a log of another datacenter, of which the log has a line. */
  readonly #strangers = new Set<string>();
  /** When this leader gave a server its vote, by id. */
  readonly #promotedMs = new Map<string, number>();

  constructor(parts: AutopilotParts) {
    this.#parts = parts;
  }

  /**
   * Servers that were started again under another name or address: the configuration, which is the only source of
   * membership, takes it over.
   */
  async adoptIdentities(servers: readonly PeerAddress[]): Promise<void> {
    const { raft } = this.#parts;
    for (const { id, name, address } of servers) {
      const member = raft.configuration.members.find((other) => other.id === id);
      if (!member || (member.name === name && member.address === address)) continue;
      await this.#change({ type: "update", id, name, address });
    }
  }

  /**
   * A server introduced itself to the leader. One that is a member may have moved; one with an empty log is taken in.
   * It introduces itself again and again until it has a log, so each call does one step. One with a log of this
   * datacenter was taken out: gives back the word by which it starts anew.
   */
  async welcome(introduction: Introduction): Promise<Removal | null> {
    const { raft } = this.#parts;
    const { server, empty } = introduction;
    if (raft.role !== "leader") return null;
    if (raft.configuration.members.some(({ id }) => id === server.id)) {
      await this.adoptIdentities([server]);
      return null;
    }
    if (!empty) return this.#removalOf(introduction);
    const former = raft.configuration.members.find(
      ({ name, address }) => name === server.name || address === server.address,
    );
    const { id, name, address } = server;
    if (former) await this.#replace(former, server);
    else await this.#change({ type: "addLearner", id, name, address });
    return null;
  }

  /** Null while nobody can tell: a configuration that is not committed may yet be lost. */
  #removalOf({ server, clusterId: theirs }: Introduction): Removal | null {
    const { raft, machine, warn } = this.#parts;
    const own = machine.ask(clusterId);
    if (own === null || theirs === null || raft.configurationIndex > raft.commitIndex) return null;
    if (theirs === own) return { term: raft.term };
    if (!this.#strangers.has(server.id)) {
      if (this.#strangers.size >= strangersMax) this.#strangers.clear();
      this.#strangers.add(server.id);
      const why = "its data is of another datacenter, and must be deleted before it can join";
      warn(`${server.name} (${server.id}) is not taken in: ${why}`);
    }
    return null;
  }

  /** Writes the configuration of a datacenter that has none. Rejects when it could not. */
  async initialize(): Promise<void> {
    const { machine, requests, initial: config } = this.#parts;
    if (machine.ask(findAutopilotConfig)) return;
    await requests.writeHere({ id: 0, write: { type: "autopilot.initialize", config } });
  }

  /** Gives a vote to the first learner that has caught up, and been healthy for as long as is configured. */
  async promoteLearner(): Promise<void> {
    const { raft, members, health } = this.#parts;
    const stableMs = health.config.ServerStabilizationTime / nsPerMs;
    for (const member of raft.configuration.members.filter(({ voter }) => !voter)) {
      if (!health.isStable(member.id, stableMs)) continue;
      if (!(await this.#change({ type: "promote", id: member.id }))) continue;
      this.#promotedMs.set(member.id, this.#parts.nowMs());
      await members.report([serverFact(member, "alive")]);
      return;
    }
  }

  /** Takes out servers that died and were replaced. */
  async removeDead(): Promise<void> {
    const { raft, machine, members, health, warn } = this.#parts;
    const failures = new Map(failedMembers(machine).map((one) => [one.id, one.failedIndex]));
    const servers = raft.configuration.members.map((member) => {
      return { member, failedIndex: failures.get(member.id) };
    });
    const ids = new Set(raft.configuration.members.map(({ id }) => id));
    for (const id of this.#promotedMs.keys()) if (!ids.has(id)) this.#promotedMs.delete(id);
    const dead = servers.flatMap(({ member, failedIndex }) => {
      if (failedIndex === undefined || this.#isAlive(member.id)) return [];
      return [{ member, failedIndex, silentSinceMs: this.#answeredMs(member.id) }];
    });
    if (dead.length === 0) return;
    const live = servers.flatMap(({ member, failedIndex }) => {
      if (failedIndex !== undefined) return [];
      const votesSinceMs = this.#promotedMs.get(member.id) ?? null;
      return [{ member, sinceIndex: memberSince(machine, member.name) ?? 0, votesSinceMs }];
    });
    for (const member of replacedServers(dead, live, health.config)) {
      if (member.voter && !this.#mayLose(member.id)) continue;
      if (!(await this.#change({ type: "remove", id: member.id }))) return;
      warn(`${member.name} (${member.id}) is dead and was replaced: it left the group`);
      await members.report([serverFact(member, "left")]);
    }
  }

  /** The name or address says that `former` is gone; its silence must say so, too. */
  async #replace(former: Member, newcomer: PeerAddress): Promise<void> {
    const { members, warn } = this.#parts;
    if (this.#isAlive(former.id)) {
      warn(`${newcomer.id} claims the place of ${former.name} (${former.id}), which is alive`);
      return;
    }
    if (former.voter && !this.#mayLose(former.id)) {
      warn(`${former.name} (${former.id}) cannot be replaced: too few other servers are alive`);
      return;
    }
    warn(`${newcomer.id} takes the place of ${former.name} (${former.id})`);
    if (!(await this.#change({ type: "remove", id: former.id }))) return;
    // Its name is free for the newcomer only when its node has gone, too.
    await members.report([serverFact(former, "left")]);
  }

  /** A server leaves in an orderly way: the group, and the catalog. Rejects like {@link remove}. */
  async dismiss(member: Member): Promise<void> {
    await this.#takeOut(member);
    this.#parts.warn(`${member.name} (${member.id}) left the group`);
    await this.#parts.members.report([serverFact(member, "left")]);
  }

  /** An operator takes a server out. Rejects with ServiceError when it may not go, with NotLeader to try again. */
  async remove(member: Member): Promise<void> {
    await this.#takeOut(member);
    this.#parts.warn(`an operator removed ${member.name} (${member.id})`);
  }

  /** The others are asked, because what died a moment ago may have been the majority. */
  async #takeOut(member: Member): Promise<void> {
    if (member.voter && !(await this.#othersAnswer(member.id))) {
      const name = JSON.stringify(member.name);
      const why = "too few of the others are alive to go on without it";
      throw new ServiceError("invalid", `cannot remove server ${name}: ${why}`);
    }
    if (!(await this.#change({ type: "remove", id: member.id }))) {
      throw new NotLeader("the group is changing, or this server leads no longer");
    }
  }

  async #othersAnswer(id: string): Promise<boolean> {
    const { self, raft, transport } = this.#parts;
    const voters = raft.configuration.members.filter((member) => member.voter && member.id !== id);
    const answers = await Promise.allSettled(
      voters.map(async (voter) => {
        if (voter.id !== self) await transport.call(voter, "status", "", answerTimeoutMs);
      }),
    );
    const alive = answers.filter(({ status }) => status === "fulfilled").length;
    return alive > voters.length / 2;
  }

  /** Whether a majority of the voters that would be left is alive. */
  #mayLose(id: string): boolean {
    const { raft } = this.#parts;
    const voters = raft.configuration.members.filter((member) => member.voter && member.id !== id);
    const alive = voters.filter((member) => this.#isAlive(member.id)).length;
    return alive > voters.length / 2;
  }

  #isAlive(id: string): boolean {
    return this.#parts.nowMs() - this.#answeredMs(id) <= recentMs;
  }

  #answeredMs(id: string): number {
    const { raft, nowMs } = this.#parts;
    // The leader itself is nobody's peer.
    return raft.peers().find((other) => other.id === id)?.lastAckMs ?? nowMs();
  }

  /** Resolves true when the change is applied here. */
  async #change(change: ConfigurationChange): Promise<boolean> {
    const { raft, driver, nowMs } = this.#parts;
    const proposed = raft.proposeConfiguration(change, nowMs());
    if (!("lastIndex" in proposed)) return false;
    driver.schedule();
    return await driver.waitApplied(proposed.lastIndex, changeWaitMs);
  }
}
