// The leader's view of who is a member: turns what pools report and what the Raft configuration says into catalog
// entries. Reports arrive from an outbox that repeats them until they are answered, so every step may be repeated.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { Introduction } from "../raft/bootstrap.ts";
import type { PeerAddress } from "../platform/topology.ts";
import type { RaftDriver } from "../raft/driver.ts";
import { type MemberFact, type MemberStatus, reconcileCommand } from "./member-registration.ts";
import type { ServerRequests } from "../server/requests.ts";

export interface ReconcilerParts {
  raft: Raft;
  machine: StateMachine;
  requests: ServerRequests;
  driver: RaftDriver;
  nowMs(): number;
  datacenter: string;
  warn(line: string): void;
  /** Members that no pool watches and that never fail. */
  lasting: readonly MemberFact[];
}

/** A peer that has not answered its leader for this long has failed. */
const peerSilenceMs = 5_000;
const changeWaitMs = 5_000;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  /** Peers that the catalog was told have failed. */
  readonly #failedPeers = new Set<string>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Writes what differs. Rejects with ServiceError when there is no leader to write it. */
  async report(facts: readonly MemberFact[]): Promise<void> {
    const { machine, datacenter, requests } = this.#parts;
    for (const fact of facts) {
      const command = reconcileCommand(machine, datacenter, fact);
      if (!command) continue;
      try {
        await requests.write({ id: 0, write: command });
      } catch (failure) {
        // What the catalog refuses, such as a name that a healthy node of another id holds, it will refuse again: the
        // facts behind it must not wait for that.
        if (!(failure instanceof ServiceError) || failure.code !== "invalid") throw failure;
        this.#parts.warn(`member ${fact.name} is ${fact.status}, but: ${failure.message}`);
      }
    }
  }

  /** On election: every server of the configuration is a node with service `consul`. */
  async reconcileServers(): Promise<void> {
    this.#failedPeers.clear();
    const facts = this.#parts.raft.configuration.members.map((member) =>
      serverFact(member, "alive"),
    );
    await this.report([...facts, ...this.#parts.lasting]);
  }

  /**
   * Servers that were started again under another name or address: the configuration, which is the only source of
   * membership, takes it over, one change at a time.
   */
  async adoptIdentities(servers: readonly PeerAddress[]): Promise<void> {
    const { raft, driver, nowMs } = this.#parts;
    for (const { id, name, address } of servers) {
      const member = raft.configuration.members.find((other) => other.id === id);
      if (!member || (member.name === name && member.address === address)) continue;
      const proposed = raft.proposeConfiguration({ type: "update", id, name, address }, nowMs());
      driver.schedule();
      if ("lastIndex" in proposed) await driver.waitApplied(proposed.lastIndex, changeWaitMs);
    }
  }

  /**
   * A server introduced itself to the leader. One that is a member may have moved; one with an empty log is taken in as
   * a learner, and gets a vote when it has caught up.
   */
  async welcome({ server, empty }: Introduction): Promise<void> {
    const { raft, driver, nowMs } = this.#parts;
    if (raft.role !== "leader") return;
    if (raft.configuration.members.some(({ id }) => id === server.id)) {
      await this.adoptIdentities([server]);
      return;
    }
    if (!empty) return;
    const { id, name, address } = server;
    raft.proposeConfiguration({ type: "addLearner", id, name, address }, nowMs());
    driver.schedule();
  }

  /** Gives a vote to the first learner that has caught up. */
  async promoteLearner(): Promise<void> {
    const { raft, driver, nowMs } = this.#parts;
    for (const member of raft.configuration.members.filter(({ voter }) => !voter)) {
      const proposed = raft.proposeConfiguration({ type: "promote", id: member.id }, nowMs());
      if (!("lastIndex" in proposed)) continue;
      driver.schedule();
      await driver.waitApplied(proposed.lastIndex, changeWaitMs);
      await this.report([serverFact(member, "alive")]);
      return;
    }
  }

  /** Servers are watched by nobody but their leader, where it has heartbeats to judge by. */
  async judgePeers(nowMs: number): Promise<void> {
    const { raft } = this.#parts;
    for (const { id, lastAckMs } of raft.peers()) {
      const member = raft.configuration.members.find((other) => other.id === id);
      const failed = nowMs - lastAckMs > peerSilenceMs;
      if (!member || failed === this.#failedPeers.has(id)) continue;
      await this.report([serverFact(member, failed ? "failed" : "alive")]);
      if (failed) this.#failedPeers.add(id);
      else this.#failedPeers.delete(id);
    }
  }
}

function serverFact({ id, name, address }: Member, status: MemberStatus): MemberFact {
  const colon = address.lastIndexOf(":");
  return {
    id,
    name,
    address: address.slice(0, colon),
    serverPort: Number(address.slice(colon + 1)),
    status,
  };
}
