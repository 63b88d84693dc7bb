// The leader's view of who is a member: turns what pools report and what the Raft configuration says into catalog
// entries. Reports arrive from an outbox that repeats them until they are answered, so every step may be repeated.

import type { Raft } from "../src/core/raft/raft.ts";
import type { StateMachine } from "../src/core/state/machine.ts";
import { type MemberFact, reconcileCommand } from "./reconcile.ts";
import type { ServerRequests } from "./server-requests.ts";

export interface MemberBookParts {
  raft: Raft;
  machine: StateMachine;
  requests: ServerRequests;
  datacenter: string;
  /** Members that no pool watches and that never fail. */
  lasting: readonly MemberFact[];
}

export class MemberBook {
  readonly #parts: MemberBookParts;

  constructor(parts: MemberBookParts) {
    this.#parts = parts;
  }

  /** Writes what differs. Rejects with ServiceError when there is no leader to write it. */
  async report(facts: readonly MemberFact[]): Promise<void> {
    const { machine, datacenter, requests } = this.#parts;
    for (const fact of facts) {
      const command = reconcileCommand(machine, datacenter, fact);
      if (command) await requests.write({ id: 0, write: command });
    }
  }

  /** On election: every server of the configuration is a node with service `consul`. */
  async reconcileServers(): Promise<void> {
    const facts = this.#parts.raft.configuration.members.map(({ id, name, address }) => {
      const colon = address.lastIndexOf(":");
      return {
        id,
        name,
        address: address.slice(0, colon),
        serverPort: Number(address.slice(colon + 1)),
        status: "alive" as const,
      };
    });
    await this.report([...facts, ...this.#parts.lasting]);
  }
}
