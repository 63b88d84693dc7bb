// What a datacenter is given once, by whichever server leads it first: an identity, and the configuration entries that
// its operator wrote down beforehand. Both are offered only where nothing is there yet, so every leader may try.

import type { ConfigEntry } from "../../src/core/model/config-entry/types.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { clusterId } from "../../src/core/state/tables/cluster/identity.ts";
import { findRow } from "../../src/core/state/tables/config/entries.ts";
import type { ServerRequests } from "../server/requests.ts";

export interface FoundingParts {
  machine: StateMachine;
  requests: ServerRequests;
  /** As its operator wishes to name it; absent: it is drawn. */
  clusterId: string | undefined;
  /** Entries to create, in order. */
  configEntries: readonly ConfigEntry[];
  /** In [0, 1). */
  random(): number;
  warn(line: string): void;
}

export class Founding {
  readonly #parts: FoundingParts;

  constructor(parts: FoundingParts) {
    this.#parts = parts;
  }

  /** Rejects with NotLeader or ServiceError when something is still missing. */
  async complete(): Promise<void> {
    const { machine, random } = this.#parts;
    if (machine.ask(clusterId) === null) {
      await this.#write({ type: "cluster.identify", id: this.#parts.clusterId ?? uuid(random) });
    }
    await this.#createEntries();
  }

  /** Stops at the first entry that is refused, as Consul does: those after it may need it. */
  async #createEntries(): Promise<void> {
    const { machine, configEntries, warn } = this.#parts;
    for (const { kind, entry } of configEntries) {
      if (machine.ask((state) => findRow(state, kind, entry.Name))) continue;
      try {
        await this.#write({ type: "config.cas", kind, entry, index: "0" } as Command);
      } catch (failure) {
        if (!(failure instanceof ServiceError) || failure.code !== "invalid") throw failure;
        const what = `${JSON.stringify(kind)} / ${JSON.stringify(entry.Name)}`;
        warn(`Failed to apply configuration entry ${what}: ${failure.message}`);
        return;
      }
    }
  }

  async #write(command: Command): Promise<void> {
    await this.#parts.requests.writeHere({ id: 0, write: command });
  }
}

/** A random UUID of version 4. */
function uuid(random: () => number): string {
  const digits = Array.from({ length: 30 }, () => Math.floor(random() * 16).toString(16)).join("");
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(12, 15)}`,
    variant + digits.slice(15, 18),
    digits.slice(18),
  ].join("-");
}
