// The user events of the agent at the Worker's URL: those that are for it, in rows, because it sleeps between two of
// them. Whoever waits for the next one has a socket that sleeps with it.

import { isFor, type EventService } from "../../src/core/gossip/user-events.ts";
import { eventWindow, isUserEvent, type UserEvent } from "../../src/core/model/user-event.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { ObjectSocket } from "../platform/platform.ts";
import { sendToAll } from "../platform/sockets.ts";

/** Socket, and its tag, of those who wait for an event. */
export const eventsSocket = "/events";
export const eventsTag = "events";
/** Said on it when there is another one. */
const movedFrame = "moved";

export interface EdgeEventsParts {
  sql: Sql;
  nodeName: string;
  sockets(): readonly ObjectSocket[];
}

export class EdgeEvents {
  readonly #parts: EdgeEventsParts;

  constructor(parts: EdgeEventsParts) {
    this.#parts = parts;
    // Those for others are kept to be known again.
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS agent_events (
      seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, own INTEGER NOT NULL, body TEXT NOT NULL) STRICT`);
  }

  /** The oldest first. */
  list(): UserEvent[] {
    const rows = this.#parts.sql.exec<{ body: string }>(
      "SELECT body FROM (SELECT seq, body FROM agent_events WHERE own = 1 ORDER BY seq DESC LIMIT ?) ORDER BY seq",
      eventWindow,
    );
    return rows.map(({ body }) => JSON.parse(body) as UserEvent);
  }

  /** Whether one of them is new, and asks for services. */
  needsServices(events: readonly unknown[]): boolean {
    return this.#fresh(events).some(({ ServiceFilter }) => ServiceFilter !== "");
  }

  hear(events: readonly unknown[], services: readonly EventService[]): void {
    const { sql, nodeName, sockets } = this.#parts;
    let isMoved = false;
    for (const event of this.#fresh(events)) {
      const own = isFor(event, { nodeName, services: () => services });
      const [last] = sql.exec<{ n: number | null }>(
        "SELECT max(seq) AS n FROM agent_events ORDER BY 1",
      );
      const seq = (last?.n ?? 0) + 1;
      const body = JSON.stringify(event);
      sql.exec("INSERT INTO agent_events VALUES (?, ?, ?, ?)", seq, event.ID, own ? 1 : 0, body);
      this.#trim(seq);
      isMoved ||= own;
    }
    if (!isMoved) return;
    sendToAll(sockets(), movedFrame);
  }

  #trim(newest: number): void {
    const { sql } = this.#parts;
    // Pools send nothing twice that is older.
    const known = newest - 2 * eventWindow;
    sql.exec("DELETE FROM agent_events WHERE own = 0 AND seq <= ?", known);
    const [oldest] = sql.exec<{ seq: number }>(
      "SELECT seq FROM agent_events WHERE own = 1 ORDER BY seq DESC LIMIT 1 OFFSET ?",
      eventWindow - 1,
    );
    if (!oldest) return;
    const shown = Math.min(oldest.seq, known);
    sql.exec("DELETE FROM agent_events WHERE own = 1 AND seq < ?", shown);
  }

  #fresh(events: readonly unknown[]): UserEvent[] {
    return events.filter((event): event is UserEvent => isUserEvent(event) && !this.#has(event.ID));
  }

  #has(id: string): boolean {
    return this.#parts.sql.exec("SELECT seq FROM agent_events WHERE id = ?", id).length > 0;
  }
}
