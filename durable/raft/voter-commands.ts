// What commands every voter of the group can apply. The leader asks when it is about to propose a type or version
// for the first time; from then on the log itself says that all know it.

import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { type CommandVersions, commonVersions } from "../../src/core/state/versions.ts";
import type { PeerTransport } from "./transport.ts";

const askTimeoutMs = 2_000;
const decoder = new TextDecoder();

export interface VoterCommandsParts {
  raft: Pick<Raft, "leader" | "configuration">;
  machine: Pick<StateMachine, "knownCommands">;
  transport: PeerTransport;
}

export class VoterCommands {
  readonly #parts: VoterCommandsParts;
  #asking: Promise<CommandVersions> | null = null;

  constructor(parts: VoterCommandsParts) {
    this.#parts = parts;
  }

  /** Asks all voters at once; whoever asks meanwhile shares the answer. One that does not answer knows nothing new. */
  async common(): Promise<CommandVersions> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return await this.#asking;
  }

  async #ask(): Promise<CommandVersions> {
    const { raft, machine } = this.#parts;
    // Only a leader proposes, so the leader is this server.
    const { members } = raft.configuration;
    const others = members.filter(({ id, voter }) => voter && id !== raft.leader);
    const announced = await Promise.all(others.map((voter) => this.#askOne(voter)));
    return commonVersions([machine.knownCommands, ...announced]);
  }

  async #askOne(voter: Member): Promise<CommandVersions | undefined> {
    try {
      const answer = await this.#parts.transport.call(voter, "commands", "", askTimeoutMs);
      return JSON.parse(decoder.decode(answer)) as CommandVersions;
    } catch {
      // Older than the question, or away: either way it may not know what is new.
      return undefined;
    }
  }
}
