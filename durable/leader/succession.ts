// An operator hands leadership to another server. Raft does the work; this chooses who, and says how it ended.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import { sleep, type Timers } from "../../src/ports/timers.ts";
import type { RaftDriver } from "../raft/driver.ts";

/** As long as Raft itself goes on trying, where it is most patient. */
const transferMs = 10_000;
const pollMs = 10;

export interface SuccessionParts {
  /** Id of this server. */
  self: string;
  raft: Raft;
  driver: RaftDriver;
  timers: Timers;
  nowMs(): number;
}

export class Succession {
  readonly #parts: SuccessionParts;

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
  }

  /** Resolves when another server leads: the one with this id, or, for "", the voter whose log is longest. */
  async transfer(id: string): Promise<void> {
    const { self, raft, driver, timers, nowMs } = this.#parts;
    const heir = this.#heir(id);
    if (!raft.transferLeadership(heir, nowMs())) throw refused("leadership transfer in progress");
    driver.schedule();
    const deadlineMs = nowMs() + transferMs;
    while (raft.role === "leader" || raft.leader === null || raft.leader === self) {
      if (nowMs() >= deadlineMs) throw refused("leadership transfer timeout");
      await sleep(timers, pollMs);
    }
  }

  /** Throws ServiceError. */
  #heir(id: string): string {
    const { self, raft } = this.#parts;
    if (id === self) throw refused("cannot transfer leadership to itself");
    const member = raft.configuration.members.find((one) => one.id === id);
    if (id !== "" && !member) {
      throw refused(`id ${JSON.stringify(id)} was not found in the Raft configuration`);
    }
    if (member && !member.voter) throw refused(`server ${JSON.stringify(id)} is no voter`);
    if (member) return id;
    const voters = raft.peers().filter(({ voter }) => voter);
    const [best] = voters.toSorted(
      (one, other) => other.match - one.match || other.lastAckMs - one.lastAckMs,
    );
    if (!best) throw refused("cannot find peer");
    return best.id;
  }
}

function refused(text: string): ServiceError {
  return new ServiceError("invalid", text);
}
