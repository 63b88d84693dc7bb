// Keeps the catalog in line with who is a member: what pools report, what the leader sees of its peers, and what was
// written before. Only the leader judges, and only in its own term: a verdict of a leader that was deposed meanwhile
// is refused, not forwarded. What is believed is compared with what is written again and again, so that a verdict that
// was wrong, or came too late, does not stay.

import { hostPortOf } from "../../src/core/lib/host-port.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { nameKey } from "../../src/core/state/rows.ts";
import type { RosterMember } from "../presence/pool-peers.ts";
import type { ServerRequests } from "../server/requests.ts";
import {
  catalogMembers,
  failedMembers,
  type MemberFact,
  type MemberStatus,
  reconcileCommand,
} from "./member-registration.ts";

export interface ReconcilerParts {
  raft: Raft;
  machine: StateMachine;
  requests: ServerRequests;
  datacenter: string;
  warn(line: string): void;
  /** Members that no pool watches and that never fail. */
  lasting: readonly MemberFact[];
  /** Which of these members have an open socket at some pool of the datacenter. Never rejects. */
  heldAnywhere(members: readonly { name: string; id: string }[]): Promise<{ names: Set<string> }>;
  /** The members of every pool of the datacenter; null when one does not say. Never rejects. */
  roster(): Promise<RosterMember[] | null>;
}

/** A peer that has not answered its leader for this long has failed. */
const peerSilenceMs = 5_000;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  /** What was last said about a member that the catalog refuses: it is tried again every second. */
  #refused = "";
  /** The last report about a member that is under way, by its name. Never rejects. */
  readonly #reporting = new Map<string, Promise<void>>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /**
   * Writes what differs. Reports about one member go one after the other: each is compared with what is written, and
   * what another one writes is not there yet. Rejects with NotLeader or ServiceError when this server could not.
   */
  async report(facts: readonly MemberFact[]): Promise<void> {
    const names = facts.map(({ name }) => name);
    const before = names.flatMap((name) => this.#reporting.get(name) ?? []);
    const report =
      before.length === 0
        ? this.#report(facts)
        : Promise.all(before).then(() => this.#report(facts));
    const over = report.catch(() => undefined);
    for (const name of names) this.#reporting.set(name, over);
    try {
      await report;
    } finally {
      for (const name of names) {
        if (this.#reporting.get(name) === over) this.#reporting.delete(name);
      }
    }
  }

  async #report(facts: readonly MemberFact[]): Promise<void> {
    const { machine, datacenter, requests, warn } = this.#parts;
    const held = await this.#stillHeld(facts);
    const believed = facts.filter(({ name }) => !held.has(name));
    const commands = believed.flatMap((fact) => reconcileCommand(machine, datacenter, fact) ?? []);
    const outcomes = await Promise.allSettled(
      commands.map((command) => requests.writeHere({ id: 0, write: command })),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      const failure: unknown = outcome.reason;
      // What the catalog refuses, such as a name that a healthy node of another id holds, it will refuse again: the
      // facts behind it must not wait for that.
      if (!(failure instanceof ServiceError) || failure.code !== "invalid") throw failure;
      if (failure.message !== this.#refused)
        warn(`the catalog refuses a member: ${failure.message}`);
      this.#refused = failure.message;
    }
  }

  /**
   * Agents that one pool calls failed, though another one has them. That pool has asked the others itself; but one that
   * it cannot reach, the leader may.
   */
  async #stillHeld(facts: readonly MemberFact[]): Promise<Set<string>> {
    const failed = facts.filter(
      ({ status, serverPort }) => status === "failed" && serverPort === undefined,
    );
    if (failed.length === 0) return new Set();
    return (await this.#parts.heldAnywhere(failed)).names;
  }

  /** On election: every server of the configuration is a node with service `consul`. */
  async reconcileServers(): Promise<void> {
    const facts = this.#parts.raft.configuration.members.map((member) =>
      serverFact(member, "alive"),
    );
    await this.report([...facts, ...this.#parts.lasting]);
  }

  /**
   * When the catalog is another one all at once: members are taken in, and whoever it calls a member and nobody knows
   * is deregistered, as Consul's leader does within a minute. A member that is only suspected keeps what there is.
   * Rejects while a pool does not answer.
   */
  async reconcileAll(): Promise<void> {
    const { machine, raft, lasting, roster } = this.#parts;
    const members = await roster();
    if (!members) throw new Error("a pool does not say who its members are");
    await this.reconcileServers();
    const known = new Set([...raft.configuration.members, ...lasting, ...members].map(nodeKey));
    const gone = catalogMembers(machine).filter((member) => !known.has(nodeKey(member)));
    await this.report([
      ...members
        .filter(({ isOpen }) => isOpen)
        .map(({ name, id, address }) => ({ name, id, address, status: "alive" as const })),
      ...gone.map((member) => ({ ...member, status: "left" as const })),
    ]);
  }

  /** Servers are watched by nobody but their leader, where it has heartbeats to judge by. */
  async judgePeers(nowMs: number): Promise<void> {
    const { raft } = this.#parts;
    const facts = raft.peers().flatMap(({ id, lastAckMs }) => {
      const member = raft.configuration.members.find((other) => other.id === id);
      const status = nowMs - lastAckMs > peerSilenceMs ? "failed" : "alive";
      return member ? [serverFact(member, status)] : [];
    });
    await this.report(facts);
  }

  /**
   * Takes back what was written of members that are well: one that came back to another pool while the verdict was
   * under way is reported by nobody, for neither pool sees a change.
   */
  async refuteFailed(): Promise<void> {
    const { machine, raft, heldAnywhere } = this.#parts;
    const servers = new Set(raft.configuration.members.map(({ id }) => id));
    const failed = failedMembers(machine).filter(({ id }) => !servers.has(id));
    if (failed.length === 0) return;
    const held = (await heldAnywhere(failed)).names;
    await this.report(
      failed
        .filter(({ name }) => held.has(name))
        .map(({ name, id, address }) => ({ name, id, address, status: "alive" })),
    );
  }
}

function nodeKey({ name }: { name: string }): string {
  return nameKey(name);
}

export function serverFact({ id, name, address }: Member, status: MemberStatus): MemberFact {
  const { host, port } = hostPortOf(address);
  return { id, name, address: host, serverPort: port, status };
}
