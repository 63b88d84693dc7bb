// User events that a pool has taken, for members and pools that come back. Rows, so that a pool that slept knows what
// it has sent; written only when somebody fires one.

import { eventWindow, isUserEvent, type UserEvent } from "../../src/core/model/user-event.ts";
import type { Sql } from "../../src/core/lib/sql.ts";

/** Two pools may give one Lamport time to two events, so there may be more of them than ticks. */
const rowsMax = 2 * eventWindow;
/** A clock is never believed to be farther. */
const lTimeMax = 1e15;

interface EventRow extends Record<string, string | number> {
  id: string;
  ltime: number;
  /** Order of arrival. */
  seq: number;
  body: string;
}

export class EventRows {
  readonly #sql: Sql;
  #witnessed = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS user_events (
      id TEXT PRIMARY KEY, ltime INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID`);
  }

  /** Lamport time of the newest event that anybody here has heard of. */
  get clock(): number {
    return Math.max(this.#witnessed, this.#one("SELECT max(ltime) AS n FROM user_events"));
  }

  /** Somebody has heard of an event with this time. Not kept over sleep: whoever says so says it again. */
  witness(clock: number): void {
    if (clock < lTimeMax) this.#witnessed = Math.max(this.#witnessed, clock);
  }

  /** In the order in which they came. */
  all(): UserEvent[] {
    return this.#sql
      .exec<EventRow>("SELECT * FROM user_events ORDER BY seq")
      .map(({ body }) => JSON.parse(body) as UserEvent);
  }

  has(id: string): boolean {
    return this.#sql.exec("SELECT id FROM user_events WHERE id = ?", id).length > 0;
  }

  /** Keeps those that are new and not too old; gives back which. What is no event is dropped. */
  keep(events: readonly unknown[]): UserEvent[] {
    return events.flatMap((event) => (isUserEvent(event) && this.#keepOne(event) ? [event] : []));
  }

  #keepOne(event: UserEvent): boolean {
    const { ID: id, LTime: time } = event;
    const { clock } = this;
    const isInTime = time > 0 && time < lTimeMax && time + eventWindow >= clock;
    if (!isInTime || this.has(id)) return false;
    const seq = this.#one("SELECT max(seq) AS n FROM user_events") + 1;
    const body = JSON.stringify(event);
    this.#sql.exec("INSERT INTO user_events VALUES (?, ?, ?, ?)", id, time, seq, body);
    const oldest = Math.max(clock, time) - eventWindow;
    this.#sql.exec("DELETE FROM user_events WHERE ltime < ? OR seq <= ?", oldest, seq - rowsMax);
    return true;
  }

  #one(query: string): number {
    const [row] = this.#sql.exec<{ n: number | null }>(`${query} ORDER BY 1`);
    return row?.n ?? 0;
  }
}
