// What restores leave to do. The catalog of another state is brought in line with who is a member now. Then the rows
// of the state before, or those of a restore that nobody goes on with, are swept away: the leader proposes it, slice
// by slice, so that all servers remove the same. What is left to do stands in rows, for the next leader.

import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import {
  abandonedMs,
  restoredLately,
  sweepDueMs,
} from "../../src/core/state/tables/snapshot/restore.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { ServerRequests } from "../server/requests.ts";

const owner = "snapshots";
/** Slices that one alarm removes; others may want something meanwhile. */
const slicesPerRound = 8;
/** Pools that do not answer are asked again, but not for ever. */
const reconcileRetryMs = 5_000;
const reconcileMsMax = 5 * 60_000;

export interface SnapshotSweeperParts {
  machine: StateMachine;
  clock: AlarmClock;
  requests: ServerRequests;
  nowMs(): number;
  leads(): boolean;
  /** Brings the catalog in line with the members. Rejects when that cannot be done yet. */
  reconcile(): Promise<void>;
  warn(line: string): void;
}

export class SnapshotSweeper {
  readonly #parts: SnapshotSweeperParts;
  /** The restore after which the catalog was brought in line. */
  #reconciled = "";

  constructor(parts: SnapshotSweeperParts) {
    this.#parts = parts;
    parts.clock.handle(owner, () => this.#sweep());
  }

  applied(entries: readonly Applied[]): void {
    if (!this.#parts.leads()) return;
    if (entries.some(({ command }) => command?.type.startsWith("snapshot."))) this.arm();
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const { machine, clock } = this.#parts;
    const dueMs = machine.ask(sweepDueMs);
    if (dueMs === null) clock.clear(owner);
    else clock.set(owner, dueMs);
  }

  async #sweep(): Promise<void> {
    const { clock, requests, nowMs, leads } = this.#parts;
    if (!(await this.#reconcile())) return clock.set(owner, nowMs() + reconcileRetryMs);
    for (let slice = 0; slice < slicesPerRound && leads(); slice++) {
      const beforeMs = nowMs() - abandonedMs;
      const write = { type: "snapshot.sweep", beforeMs } as const;
      if (!(await requests.writeHere({ id: 0, write }))) break;
    }
    if (leads()) this.arm();
  }

  /** Whether it is done, or was tried long enough. */
  async #reconcile(): Promise<boolean> {
    const { machine, reconcile, nowMs, leads, warn } = this.#parts;
    const last = machine.ask(restoredLately);
    if (!last || last.restore === this.#reconciled || !leads()) return true;
    try {
      await reconcile();
    } catch (failure) {
      warn(`the restored catalog may name members that are none: ${String(failure)}`);
      if (nowMs() - last.atMs < reconcileMsMax) return false;
    }
    this.#reconciled = last.restore;
    return true;
  }
}
