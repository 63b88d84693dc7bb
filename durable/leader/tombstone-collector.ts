// Forgets deletions when they are old enough: by then every blocking query that could still hold an index from before
// has ended (Consul semantics §2.3). The leader proposes it, so that all servers forget the same.

import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import { oldestTombstoneMs } from "../../src/core/state/tables/kv/tombstone.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { ServerRequests } from "../server/requests.ts";

export const tombstoneTtlMs = 15 * 60_000;
/** Deletions of this long are reaped together. */
const granularityMs = 30_000;
const owner = "tombstones";

/** Commands that can leave a tombstone behind. */
const deletes = /^(kv\.delete|txn$|session\.(destroy|expire)$|catalog\.)/;

export interface ReaperParts {
  machine: StateMachine;
  clock: AlarmClock;
  requests: ServerRequests;
  nowMs(): number;
  leads(): boolean;
}

export class TombstoneCollector {
  readonly #parts: ReaperParts;

  constructor(parts: ReaperParts) {
    this.#parts = parts;
    parts.clock.handle(owner, () => this.#reap());
  }

  applied(entries: readonly Applied[]): void {
    const { clock, leads } = this.#parts;
    if (!leads() || clock.deadline(owner) !== undefined) return;
    if (entries.some(({ command }) => command && deletes.test(command.type))) this.arm();
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const oldestMs = this.#parts.machine.ask(oldestTombstoneMs);
    if (oldestMs === null) return;
    this.#parts.clock.set(owner, oldestMs + tombstoneTtlMs + granularityMs, granularityMs);
  }

  async #reap(): Promise<void> {
    const { requests, nowMs, leads } = this.#parts;
    if (!leads()) return;
    const untilMs = nowMs() - tombstoneTtlMs;
    await requests.writeHere({ id: 0, write: { type: "tombstone.reap", untilMs } });
    this.arm();
  }
}
