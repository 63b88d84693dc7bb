// When sessions expire. Deadlines are this server's own: never replicated, kept in a local table so that a woken
// leader still knows them. A renewal never enters the log, and its new deadline is written at most once per TTL/4.
//
// Only the leader judges. Like Consul it gives 2×TTL from creation or renewal, and a new leader 2×TTL from its
// election, so that expiry may be late but never early. So does a leader whose process was away, started again or
// stopped for a while: nobody could renew anything meanwhile. Hibernation is no such outage, for a renewal wakes it.

import { Deadlines } from "../../src/core/lib/deadlines.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { SessionTtl } from "../../src/core/state/tables/session/session.ts";

const graceFactor = 2;
const writeShare = 4;
const retryMs = 10_000;
/** So many sessions end in one round; before the next, those that are left are looked at again. */
const batchSessions = 1_000;

interface Timer {
  ttlMs: number;
  /** What the table holds: never later than the deadline in memory. */
  writtenMs: number;
}

interface TimerRow extends Record<string, string | number> {
  id: string;
  ttl_ms: number;
  deadline_ms: number;
}

export interface SessionTimerParts {
  sql: Sql;
  nowMs(): number;
  /** The earliest deadline is this one now; null: none is left. */
  arm(deadlineMs: number | null): void;
  /** Proposes the end of a session in this server's own term. Rejects when it could not. */
  expire(id: string): Promise<void>;
  /** TTL in ms as the state has it; undefined when the session has ended. */
  ttlMs(id: string): number | undefined;
  /** Every session that has a TTL. */
  sessions(): readonly SessionTtl[];
  /** Names the process that this server runs in; null where a platform keeps it going. */
  process: string | null;
  /** An alarm that is later than this says that the process was stopped. */
  outageMs: number;
}

export class SessionTimers {
  readonly #parts: SessionTimerParts;
  readonly #timers = new Map<string, Timer>();
  readonly #deadlines = new Deadlines();
  readonly #ending = new Map<string, Promise<void>>();
  /** As last asked for; undefined: the alarm has been used. */
  #armedMs: number | null | undefined;
  #leading = false;

  /** Sessions that a deadline is kept for. */
  get active(): number {
    return this.#timers.size;
  }

  constructor(parts: SessionTimerParts) {
    this.#parts = parts;
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS session_deadlines (
      id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS session_process (
      process TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`);
  }

  /** This object was constructed again while it leads: in the same process, its own deadlines still hold. */
  resume(): void {
    const { sql, process } = this.#parts;
    const [written] = sql.exec<{ process: string }>(
      "SELECT process FROM session_process ORDER BY process",
    );
    if ((written?.process ?? null) !== process) return this.elected();
    this.#leading = true;
    for (const row of sql.exec<TimerRow>("SELECT * FROM session_deadlines ORDER BY id")) {
      this.#timers.set(row.id, { ttlMs: row.ttl_ms, writtenMs: row.deadline_ms });
      this.#deadlines.set(row.id, row.deadline_ms);
    }
    this.#arm();
  }

  /** Elected, or back after an outage: every session there is gets a fresh grace period. */
  elected(): void {
    const { sql, process, sessions } = this.#parts;
    this.#leading = true;
    sql.transaction(() => {
      this.#forgetAll();
      sql.exec("DELETE FROM session_process");
      if (process !== null) sql.exec("INSERT INTO session_process VALUES (?)", process);
      for (const { id, ttlMs } of sessions()) this.#start(id, ttlMs);
    });
    this.#arm();
  }

  deposed(): void {
    if (!this.#leading) return;
    this.#leading = false;
    this.#forgetAll();
    this.#arm();
  }

  created(sessions: readonly SessionTtl[]): void {
    if (!this.#leading || sessions.length === 0) return;
    this.#parts.sql.transaction(() => {
      for (const { id, ttlMs } of sessions) if (ttlMs > 0) this.#start(id, ttlMs);
    });
    this.#arm();
  }

  renewed(id: string): void {
    const timer = this.#timers.get(id);
    if (!timer) return;
    const deadlineMs = this.#parts.nowMs() + graceFactor * timer.ttlMs;
    this.#deadlines.set(id, deadlineMs);
    if (deadlineMs - timer.writtenMs < timer.ttlMs / writeShare) return;
    this.#write(id, timer, deadlineMs);
  }

  ended(id: string): void {
    this.#deadlines.delete(id);
    if (!this.#timers.delete(id)) return;
    this.#parts.sql.exec("DELETE FROM session_deadlines WHERE id = ?", id);
  }

  /** Resolves when nothing is under way that ends this session: who renews it must look after that. */
  async settled(id: string): Promise<void> {
    await this.#ending.get(id);
  }

  /** Ends every session that is due. */
  async fire(): Promise<void> {
    const { nowMs, outageMs } = this.#parts;
    this.#armedMs = undefined;
    const { earliestMs } = this.#deadlines;
    if (earliestMs !== null && nowMs() - earliestMs > outageMs) return this.elected();
    for (;;) {
      const due = this.#deadlines.due(nowMs(), batchSessions);
      if (due.length === 0) break;
      await Promise.all(due.map((id) => this.#end(id)));
    }
    this.#arm();
  }

  async #end(id: string): Promise<void> {
    const under = this.#ending.get(id);
    if (under) return await under;
    // It may have been destroyed, or gone with its node, and nobody waits for that but this timer.
    if (this.#parts.ttlMs(id) === undefined) return this.ended(id);
    const ending = this.#parts.expire(id).then(
      () => this.ended(id),
      () => {
        // Deposed meanwhile, or not able to: the next leader judges anew, this one tries again.
        const deadlineMs = this.#deadlines.get(id);
        if (deadlineMs === undefined) return;
        this.#deadlines.set(id, Math.max(deadlineMs, this.#parts.nowMs() + retryMs));
      },
    );
    this.#ending.set(id, ending);
    await ending;
    this.#ending.delete(id);
  }

  #start(id: string, ttlMs: number): void {
    const deadlineMs = this.#parts.nowMs() + graceFactor * ttlMs;
    const timer = { ttlMs, writtenMs: 0 };
    this.#timers.set(id, timer);
    this.#deadlines.set(id, deadlineMs);
    this.#write(id, timer, deadlineMs);
  }

  #write(id: string, timer: Timer, deadlineMs: number): void {
    timer.writtenMs = deadlineMs;
    this.#parts.sql.exec(
      `INSERT INTO session_deadlines (id, ttl_ms, deadline_ms) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET deadline_ms = excluded.deadline_ms`,
      id,
      Math.round(timer.ttlMs),
      Math.round(deadlineMs),
    );
  }

  #forgetAll(): void {
    this.#timers.clear();
    this.#deadlines.clear();
    this.#parts.sql.exec("DELETE FROM session_deadlines");
  }

  #arm(): void {
    const { earliestMs } = this.#deadlines;
    if (earliestMs === this.#armedMs) return;
    this.#armedMs = earliestMs;
    this.#parts.arm(earliestMs);
  }
}
