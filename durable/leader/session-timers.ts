// When sessions expire. Deadlines are this server's own: never replicated, kept in a local table so that a woken
// leader still knows them. A renewal never enters the log, and its new deadline is written at most once per TTL/4.
//
// Only the leader judges. Like Consul it gives 2×TTL from creation or renewal, and a new leader 2×TTL from its
// election, so that expiry may be late but never early.

import { parseDuration } from "../../src/core/model/duration.ts";
import type { Sql } from "../../src/core/lib/sql.ts";

const graceFactor = 2;
const writeShare = 4;

interface Timer {
  ttlMs: number;
  deadlineMs: number;
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
  /** The earliest deadline changed to this one; null: none is left. */
  arm(deadlineMs: number | null): void;
  /** Proposes the end of a session; when that fails it is tried again later. */
  expire(id: string): Promise<void>;
}

const retryMs = 10_000;

export class SessionTimers {
  readonly #parts: SessionTimerParts;
  readonly #timers = new Map<string, Timer>();
  #leading = false;

  constructor(parts: SessionTimerParts) {
    this.#parts = parts;
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS session_deadlines (
      id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
  }

  /** This object was constructed again while it leads: its own deadlines still hold. */
  resume(): void {
    this.#leading = true;
    for (const row of this.#parts.sql.exec<TimerRow>(
      "SELECT * FROM session_deadlines ORDER BY id",
    )) {
      this.#timers.set(row.id, {
        ttlMs: row.ttl_ms,
        deadlineMs: row.deadline_ms,
        writtenMs: row.deadline_ms,
      });
    }
    this.#arm();
  }

  /** Elected: every session there is gets a fresh grace period. */
  elected(sessions: readonly { id: string; ttlMs: number }[]): void {
    this.#leading = true;
    this.#timers.clear();
    this.#parts.sql.exec("DELETE FROM session_deadlines");
    for (const { id, ttlMs } of sessions) this.#start(id, ttlMs);
    this.#arm();
  }

  deposed(): void {
    if (!this.#leading) return;
    this.#leading = false;
    this.#timers.clear();
    this.#parts.sql.exec("DELETE FROM session_deadlines");
    this.#arm();
  }

  created(id: string, ttl: string): void {
    const ttlMs = ttl === "" ? 0 : parseDuration(ttl) / 1e6;
    if (!this.#leading || ttlMs === 0) return;
    this.#start(id, ttlMs);
    this.#arm();
  }

  renewed(id: string): void {
    const timer = this.#timers.get(id);
    if (!timer) return;
    timer.deadlineMs = this.#parts.nowMs() + graceFactor * timer.ttlMs;
    if (timer.deadlineMs - timer.writtenMs < timer.ttlMs / writeShare) return;
    this.#write(id, timer);
  }

  ended(id: string): void {
    if (!this.#timers.delete(id)) return;
    this.#parts.sql.exec("DELETE FROM session_deadlines WHERE id = ?", id);
  }

  /** Ends every session that is due. */
  async fire(): Promise<void> {
    const nowMs = this.#parts.nowMs();
    const due = [...this.#timers].filter(([, { deadlineMs }]) => deadlineMs <= nowMs);
    for (const [id, timer] of due) {
      try {
        await this.#parts.expire(id);
        this.ended(id);
      } catch {
        timer.deadlineMs = nowMs + retryMs;
      }
    }
    this.#arm();
  }

  #start(id: string, ttlMs: number): void {
    const deadlineMs = this.#parts.nowMs() + graceFactor * ttlMs;
    const timer = { ttlMs, deadlineMs, writtenMs: 0 };
    this.#timers.set(id, timer);
    this.#write(id, timer);
  }

  #write(id: string, timer: Timer): void {
    timer.writtenMs = timer.deadlineMs;
    this.#parts.sql.exec(
      `INSERT INTO session_deadlines (id, ttl_ms, deadline_ms) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET deadline_ms = excluded.deadline_ms`,
      id,
      Math.round(timer.ttlMs),
      Math.round(timer.deadlineMs),
    );
  }

  #arm(): void {
    const deadlines = [...this.#timers.values()].map(({ deadlineMs }) => deadlineMs);
    this.#parts.arm(deadlines.length === 0 ? null : Math.min(...deadlines));
  }
}
