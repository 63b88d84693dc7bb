// Counts what the platform will bill for an object: requests, messages, time awake, rows written. Counting must cost
// next to nothing itself, so it is done by sampling: one event of many is kept, and stands for all of them. Memory is
// lost whenever an object sleeps, and what is kept must not depend on that: each event is judged alone, when it
// happens.

import type { Sql } from "../../src/core/lib/sql.ts";

/** Of one object in one month. */
export interface ObjectUsage {
  /** `2026-11`, in UTC. */
  month: string;
  /** Calls, sockets opened, alarms. */
  requests: number;
  /** Of those, how many came through the Worker. */
  workerRequests: number;
  messages: number;
  /** Time that events took, ms; those that overlapped are counted each. */
  busyMs: number;
  rowsWritten: number;
}

/** What an object says of itself. */
export interface ObjectReport {
  /** When this instance was constructed. */
  startedMs: number;
  months: ObjectUsage[];
}

/** Where an object is asked for its {@link ObjectReport}. */
export const usagePath = "/usage";
/** Where the instance of an object is told to end. */
export const resetPath = "/reset";
/** What the Worker asks objects, one of which there is in almost every request that it gets. */
export const workerPaths: ReadonlySet<string> = new Set([
  ...["/rpc/requests", "/call", "/link", "/gossip", "/events"],
]);

export interface UsageParts {
  sql: Sql;
  nowMs(): number;
  /** In [0, 1). */
  random(): number;
}

type Kind = "requests" | "messages";

/** One event of so many is kept; keeping one is a row written. */
const eventsPerSample = 256;
/** Turns that write, of which one is kept, with a row more. */
const turnsPerSample = 16;
const monthsKept = 3;

type UsageRow = {
  month: string;
  requests: number;
  worker_requests: number;
  messages: number;
  busy_ms: number;
  rows_written: number;
};

export class UsageMeter {
  readonly #parts: UsageParts;
  #rowsOfTurn = 0;
  #isReady = false;

  constructor(parts: UsageParts) {
    this.#parts = parts;
  }

  /** An event begins; what it gives back is to be called at its end. */
  event(kind: Kind, fromWorker = false): () => void {
    const { random, nowMs } = this.#parts;
    if (random() * eventsPerSample >= 1) return () => undefined;
    const startMs = nowMs();
    return () => {
      this.#add({
        [kind]: eventsPerSample,
        busyMs: eventsPerSample * Math.max(0, nowMs() - startMs),
        ...(fromWorker && { workerRequests: eventsPerSample }),
      });
    };
  }

  /** A statement, or an alarm that was set, wrote rows. */
  wrote(rows: number): void {
    this.#rowsOfTurn += rows;
  }

  /** A turn that wrote is over. */
  turnEnded(): void {
    const rows = this.#rowsOfTurn;
    this.#rowsOfTurn = 0;
    if (rows === 0 || this.#parts.random() * turnsPerSample >= 1) return;
    this.#add({ rowsWritten: turnsPerSample * rows + 1 });
  }

  /** The newest month first. */
  months(): ObjectUsage[] {
    this.#prepare();
    return this.#parts.sql
      .exec<UsageRow>("SELECT * FROM usage_month ORDER BY month DESC")
      .map((row) => ({
        month: row.month,
        requests: row.requests,
        workerRequests: row.worker_requests,
        messages: row.messages,
        busyMs: row.busy_ms,
        rowsWritten: row.rows_written,
      }));
  }

  #add(more: Partial<Omit<ObjectUsage, "month">>): void {
    this.#prepare();
    const { sql, nowMs } = this.#parts;
    const { requests = 0, workerRequests = 0, messages = 0, busyMs = 0, rowsWritten = 0 } = more;
    const month = new Date(nowMs()).toISOString().slice(0, "2026-11".length);
    sql.exec(
      `INSERT INTO usage_month (month, requests, worker_requests, messages, busy_ms, rows_written)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (month) DO UPDATE SET requests = requests + excluded.requests,
      worker_requests = worker_requests + excluded.worker_requests, messages = messages + excluded.messages,
      busy_ms = busy_ms + excluded.busy_ms, rows_written = rows_written + excluded.rows_written`,
      ...[month, requests, workerRequests, messages, busyMs, rowsWritten],
    );
    sql.exec(
      `DELETE FROM usage_month WHERE month NOT IN
      (SELECT month FROM usage_month ORDER BY month DESC LIMIT ${monthsKept})`,
    );
  }

  #prepare(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#parts.sql.exec(
      `CREATE TABLE IF NOT EXISTS usage_month (month TEXT NOT NULL PRIMARY KEY, requests INTEGER NOT NULL,
      worker_requests INTEGER NOT NULL, messages INTEGER NOT NULL, busy_ms INTEGER NOT NULL,
      rows_written INTEGER NOT NULL) WITHOUT ROWID`,
    );
  }
}
