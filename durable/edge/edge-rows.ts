// Keeps an EdgeAgent's services and checks over hibernation: one row each, written when something changed that must
// not be forgotten. A TTL renewal alone is written at most once per TTL/4; a woken object gives that much more.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { CheckEntry, LocalChange, ServiceEntry } from "../../src/core/agent/entries.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";

const writeShare = 4;

interface StoredRow extends Record<string, string> {
  type: string;
  id: string;
  entry: string;
}

export class EdgeRows {
  readonly #sql: Sql;
  readonly #state: LocalAgentState;
  /** TTL deadline of a check as its row has it. */
  readonly #writtenDeadlines = new Map<string, number>();
  readonly #written = new Map<string, string>();

  constructor(sql: Sql, state: LocalAgentState) {
    this.#sql = sql;
    this.#state = state;
    sql.exec(`CREATE TABLE IF NOT EXISTS agent_rows (
      type TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL,
      PRIMARY KEY (type, id)) STRICT, WITHOUT ROWID`);
    this.#load();
    state.rows.subscribe((change) => this.#changed(change));
  }

  #load(): void {
    const { rows } = this.#state;
    // Services first: a check belongs to one.
    const stored = this.#sql.exec<StoredRow>("SELECT * FROM agent_rows ORDER BY type DESC, id");
    for (const { type, id, entry } of stored) {
      if (type === "service") {
        rows.putService(JSON.parse(entry) as ServiceEntry);
        continue;
      }
      const check = JSON.parse(entry) as CheckEntry;
      if (check.ttlDeadlineMs !== null) {
        this.#writtenDeadlines.set(id, check.ttlDeadlineMs);
        check.ttlDeadlineMs += (check.definition?.ttlMs ?? 0) / writeShare;
      }
      rows.putCheck(check);
    }
  }

  #changed({ type, id }: LocalChange): void {
    const { rows } = this.#state;
    const entry = type === "service" ? rows.services.get(id) : rows.checks.get(id);
    if (!entry) {
      this.#written.delete(`${type}/${id}`);
      this.#writtenDeadlines.delete(id);
      this.#sql.exec("DELETE FROM agent_rows WHERE type = ? AND id = ?", type, id);
      return;
    }
    if ("check" in entry && !this.#mustWrite(id, entry)) return;
    this.#sql.exec(
      `INSERT INTO agent_rows VALUES (?, ?, ?)
       ON CONFLICT (type, id) DO UPDATE SET entry = excluded.entry`,
      type,
      id,
      JSON.stringify(entry),
    );
  }

  #mustWrite(id: string, entry: CheckEntry): boolean {
    const { ttlDeadlineMs, definition, check } = entry;
    // An output alone is not worth a row: a woken object may show an older one.
    const said = JSON.stringify([check.Status, definition]);
    const before = this.#written.get(`check/${id}`);
    const deadline = this.#writtenDeadlines.get(id);
    const moved = ttlDeadlineMs === null ? 0 : ttlDeadlineMs - (deadline ?? 0);
    if (before === said && moved < (definition?.ttlMs ?? 0) / writeShare) return false;
    this.#written.set(`check/${id}`, said);
    if (ttlDeadlineMs !== null) this.#writtenDeadlines.set(id, ttlDeadlineMs);
    return true;
  }
}
