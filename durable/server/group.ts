// Who belongs to the group of servers, for operators: asked of the leader, which alone may change it, from any server.

import { groupHealth, type OperatorQuestion } from "../../src/core/model/autopilot.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { GroupMember, ServerChoice } from "../../src/ports/cluster.ts";
import type { Autopilot } from "../leader/autopilot.ts";
import type { ServersHealth } from "../leader/servers-health.ts";
import type { Succession } from "../leader/succession.ts";
import { NotLeader } from "../raft/outcome.ts";
import type { ServerRequests } from "./requests.ts";

export interface GroupParts {
  /** Id of this server. */
  self: string;
  raft: Raft;
  autopilot: Autopilot;
  requests: ServerRequests;
  health: ServersHealth;
  succession: Succession;
}

export class Group {
  readonly #parts: GroupParts;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError when the leader is asked and there is none. */
  async servers(from: "leader" | "any"): Promise<GroupMember[]> {
    if (from === "any") return this.#servers();
    const here = (): Promise<GroupMember[]> => Promise.resolve(this.#servers());
    return await this.#parts.requests.atLeader("servers", null, here);
  }

  /** Rejects with ServiceError. */
  async remove(choice: ServerChoice): Promise<void> {
    await this.#parts.requests.atLeader("remove", choice, () => this.removeHere(choice));
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async removeHere(choice: ServerChoice): Promise<true> {
    const { raft, autopilot } = this.#parts;
    const [key, value] = "id" in choice ? ["id", choice.id] : ["address", choice.address];
    const member = raft.configuration.members.find((one) => one[key as keyof Member] === value);
    if (!member) {
      const name = JSON.stringify(value);
      throw new ServiceError("invalid", `${key} ${name} was not found in the Raft configuration`);
    }
    await autopilot.remove(member);
    return true;
  }

  /**
   * This server leaves for good; another one leads first, if it did. False when it is alone, and stays what it is, as
   * Consul's last server does. Rejects with ServiceError.
   */
  async leave(): Promise<boolean> {
    const { self, raft, requests, succession } = this.#parts;
    const { members } = raft.configuration;
    const isMember = members.some(({ id }) => id === self);
    if (!isMember || !members.some(({ id, voter }) => voter && id !== self)) return false;
    if (raft.role === "leader") await succession.transfer("");
    return await requests.atLeader("dismiss", { id: self }, () => this.dismissHere({ id: self }));
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async dismissHere({ id }: { id: string }): Promise<true> {
    const { self, raft, autopilot } = this.#parts;
    const member = raft.configuration.members.find((one) => one.id === id);
    if (id === self) throw new NotLeader("whoever leads cannot leave");
    if (member) await autopilot.dismiss(member);
    return true;
  }

  /** Answers an operator's question, at the leader. Rejects with ServiceError. */
  async answer(question: OperatorQuestion): Promise<JsonValue> {
    const here = (): Promise<JsonValue> => this.answerHere(question);
    return await this.#parts.requests.atLeader("operator", question, here);
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async answerHere(question: OperatorQuestion): Promise<JsonValue> {
    if (question.ask === "transfer-leader") {
      await this.#parts.succession.transfer(question.id);
      return true;
    }
    return groupHealth(await this.#parts.health.check()) as unknown as JsonValue;
  }

  #servers(): GroupMember[] {
    const { leader, configuration } = this.#parts.raft;
    return configuration.members.map(({ id, name, address, voter }) => {
      return { id, name, address, leader: id === leader, voter };
    });
  }
}
