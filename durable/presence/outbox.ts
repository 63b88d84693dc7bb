// What a pool has to tell the leader: one row for each member, deleted when the leader has answered, so that none is
// lost and the leader never asks. Everything that is there goes in one call.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { MemberFact } from "../leader/member-registration.ts";
import { isSuccess, type Objects } from "../platform/platform.ts";
import { serverObject } from "../platform/topology.ts";

const deliverTimeoutMs = 5_000;

interface OutboxRow extends Record<string, string> {
  name: string;
  fact: string;
}

export interface OutboxParts {
  sql: Sql;
  objects: Objects;
  datacenter: string;
  /** Servers of this deployment that may be told. */
  servers: number;
  /** Nobody took it: call {@link Outbox.deliver} again later. */
  undelivered(): void;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #delivering: Promise<void> | null = null;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      name TEXT PRIMARY KEY, fact TEXT NOT NULL) STRICT, WITHOUT ROWID`);
  }

  get isEmpty(): boolean {
    return this.#parts.sql.exec("SELECT name FROM outbox ORDER BY name LIMIT 1").length === 0;
  }

  /** A newer fact about a member replaces the one that has not been delivered. */
  put(fact: MemberFact): void {
    this.#parts.sql.exec(
      "INSERT INTO outbox VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET fact = excluded.fact",
      fact.name,
      JSON.stringify(fact),
    );
  }

  /** One delivery at a time; what is reported meanwhile goes with the next. Never rejects for want of a server. */
  deliver(): Promise<void> {
    this.#delivering ??= this.#deliverUntilEmpty();
    return this.#delivering;
  }

  async #deliverUntilEmpty(): Promise<void> {
    // What is put in the same turn goes together.
    await Promise.resolve();
    try {
      await this.#deliverAll();
    } finally {
      // In the turn that found nothing left: what is put later begins anew.
      this.#delivering = null;
    }
  }

  async #deliverAll(): Promise<void> {
    const { sql, undelivered } = this.#parts;
    for (let rows = this.#rows(); rows.length > 0; rows = this.#rows()) {
      if (!(await this.#deliverRows(rows))) return undelivered();
      sql.transaction(() => {
        for (const { name, fact } of rows) {
          // A newer fact may have replaced the one that was delivered.
          sql.exec("DELETE FROM outbox WHERE name = ? AND fact = ?", name, fact);
        }
      });
    }
  }

  /** To whichever server takes it. */
  async #deliverRows(rows: readonly OutboxRow[]): Promise<boolean> {
    const body = `[${rows.map(({ fact }) => fact).join(",")}]`;
    for (let n = 0; n < this.#parts.servers; n++) {
      if (await this.#deliverTo(n, body)) return true;
    }
    return false;
  }

  async #deliverTo(n: number, body: string): Promise<boolean> {
    const { objects, datacenter } = this.#parts;
    try {
      const server = serverObject(datacenter, n);
      return isSuccess(await objects.call(server, "/rpc/members", body, deliverTimeoutMs));
    } catch {
      return false;
    }
  }

  #rows(): OutboxRow[] {
    return this.#parts.sql.exec<OutboxRow>("SELECT * FROM outbox ORDER BY name");
  }
}
