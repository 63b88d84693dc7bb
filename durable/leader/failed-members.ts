// How long members have been failed: after `reconnect_timeout`, 72 h unless told otherwise, the leader forgets them, as
// in Consul. When it saw each failure is written in a local table, beside the index at which the catalog took it: a
// member that recovered and failed anew has another one, so that a row may outlive leadership and sleep, and still not
// be believed too long.

import type { Sql } from "../../src/core/lib/sql.ts";
import { formatDuration } from "../../src/core/model/duration.ts";
import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { failedMembers, type MemberFact, serfCheckId } from "./member-registration.ts";

/** Failures of this long are forgotten together, or of a tenth of the time after which they are. */
const granularityMaxMs = 3_600_000;
const owner = "failed-members";

interface FailedRow extends Record<string, string | number> {
  name: string;
  failed_index: number;
  since_ms: number;
}

export interface FailedMembersParts {
  sql: Sql;
  machine: StateMachine;
  clock: AlarmClock;
  /** So long a member may be failed. */
  reconnectTimeoutMs: number;
  nowMs(): number;
  leads(): boolean;
  /** Servers of the group: who belongs to it is not decided here. */
  isServer(id: string): boolean;
  /** Deregisters members. Rejects when this server could not. */
  forget(members: readonly MemberFact[]): Promise<void>;
  warn(line: string): void;
}

export class FailedMembers {
  readonly #parts: FailedMembersParts;

  constructor(parts: FailedMembersParts) {
    this.#parts = parts;
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS failed_since (
      name TEXT PRIMARY KEY, failed_index INTEGER NOT NULL, since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
    parts.clock.handle(owner, () => this.#reap());
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const [oldest] = this.#look();
    if (oldest === undefined) return;
    const { clock, reconnectTimeoutMs } = this.#parts;
    const granularityMs = Math.min(granularityMaxMs, reconnectTimeoutMs / 10);
    clock.set(owner, oldest.since_ms + reconnectTimeoutMs, granularityMs);
  }

  applied(entries: readonly Applied[]): void {
    if (this.#parts.leads() && entries.some(isFailure)) this.arm();
  }

  async #reap(): Promise<void> {
    const { leads, nowMs, machine, forget, warn, reconnectTimeoutMs } = this.#parts;
    if (!leads()) return;
    const dueMs = nowMs() - reconnectTimeoutMs;
    const due = new Set(
      this.#look()
        .filter(({ since_ms: sinceMs }) => sinceMs <= dueMs)
        .map(({ name }) => name),
    );
    const members = failedMembers(machine).filter(({ name }) => due.has(name));
    const long = formatDuration(reconnectTimeoutMs * 1_000_000);
    for (const { name } of members) warn(`${name} has been failed for ${long} and is deregistered`);
    await forget(members.map((member) => ({ ...member, status: "left" })));
    this.arm();
  }

  /** Brings the table in line with the catalog; the oldest failure first. */
  #look(): FailedRow[] {
    const { sql, machine, isServer, nowMs } = this.#parts;
    const known = new Map(
      sql
        .exec<FailedRow>("SELECT * FROM failed_since ORDER BY name")
        .map((row) => [row.name, row] as const),
    );
    const failed = failedMembers(machine).filter(({ id }) => !isServer(id));
    const rows = failed.map(({ name, failedIndex }): FailedRow => {
      const row = known.get(name);
      if (row?.failed_index === failedIndex) return row;
      const begun = { name, failed_index: failedIndex, since_ms: nowMs() };
      sql.exec(
        `INSERT INTO failed_since VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET
           failed_index = excluded.failed_index, since_ms = excluded.since_ms`,
        name,
        failedIndex,
        begun.since_ms,
      );
      return begun;
    });
    for (const { name } of failed) known.delete(name);
    for (const name of known.keys()) sql.exec("DELETE FROM failed_since WHERE name = ?", name);
    return rows.toSorted((one, other) => one.since_ms - other.since_ms);
  }
}

function isFailure({ command }: Applied): boolean {
  if (command?.type !== "catalog.register") return false;
  const { Check, Checks } = command.registration;
  return [Check, ...(Checks ?? [])].some(
    (check) => check?.CheckID === serfCheckId && check.Status === "critical",
  );
}
