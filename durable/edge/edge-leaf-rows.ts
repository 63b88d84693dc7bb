// Certificates of the services of an EdgeAgent over hibernation, with their keys: whoever waits for another one must
// not be given one each time the object wakes. The oldest go when there are too many.

import type { HeldLeaf, LeafStore } from "../../src/connect/leaf-certificates.ts";
import type { Sql } from "../../src/core/lib/sql.ts";

const rowsMax = 1_000;

export class LeafRows implements LeafStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS agent_leaf (key TEXT NOT NULL, made_ms INTEGER NOT NULL, " +
        "held TEXT NOT NULL, PRIMARY KEY (key)) STRICT, WITHOUT ROWID",
    );
  }

  get(key: string): HeldLeaf | undefined {
    const [row] = this.#sql.exec<{ held: string }>(
      "SELECT held FROM agent_leaf WHERE key = ? ORDER BY key",
      key,
    );
    return row && (JSON.parse(row.held) as HeldLeaf);
  }

  put(key: string, held: HeldLeaf): void {
    this.#sql.exec(
      "INSERT INTO agent_leaf (key, made_ms, held) VALUES (?, ?, ?) ON CONFLICT (key) " +
        "DO UPDATE SET made_ms = excluded.made_ms, held = excluded.held",
      key,
      held.madeMs,
      JSON.stringify(held),
    );
    this.#sql.exec(
      "DELETE FROM agent_leaf WHERE key IN " +
        "(SELECT key FROM agent_leaf ORDER BY made_ms DESC, key LIMIT -1 OFFSET ?)",
      rowsMax,
    );
  }
}
