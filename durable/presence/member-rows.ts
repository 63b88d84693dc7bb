// Members of a pool as rows. Those who were judged have none.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { JoiningMember } from "./pool-member.ts";
import type { RosterMember } from "./pool-peers.ts";

export interface MemberRow extends Record<string, string | number | null> {
  name: string;
  id: string;
  address: string;
  status: string;
  /** When it will be called failed, because its socket was lost; null while it has one. */
  verdict_ms: number | null;
}

export class MemberRows {
  readonly #sql: Sql;
  #count = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS members (
      name TEXT PRIMARY KEY, id TEXT NOT NULL, address TEXT NOT NULL, status TEXT NOT NULL,
      verdict_ms INTEGER) STRICT, WITHOUT ROWID`);
    sql.exec(`CREATE TABLE IF NOT EXISTS gossip_ports (
      name TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
  }

  /** All of them, at construction: every wake reads each once, and no more. */
  load(): MemberRow[] {
    const rows = this.all();
    const members = rows.filter(({ status }) => status === "alive");
    this.#count = members.length;
    // Members that were judged were kept, once.
    if (members.length < rows.length) this.#sql.exec("DELETE FROM members WHERE status <> 'alive'");
    return members;
  }

  /** How many there are, without looking: it is asked of each that joins or is lost. */
  get count(): number {
    return this.#count;
  }

  find(name: string): MemberRow | undefined {
    return this.#sql.exec<MemberRow>("SELECT * FROM members WHERE name = ?", name)[0];
  }

  all(): MemberRow[] {
    return this.#sql.exec<MemberRow>("SELECT * FROM members ORDER BY name");
  }

  /** Who has lost its socket. */
  suspects(): MemberRow[] {
    return this.#sql.exec<MemberRow>(
      "SELECT * FROM members WHERE verdict_ms IS NOT NULL ORDER BY name",
    );
  }

  roster(): RosterMember[] {
    return this.all().map(({ name, id, address, verdict_ms: verdictMs }) => {
      return { name, id, address, isOpen: verdictMs === null };
    });
  }

  /** A member that has a socket. */
  put({ name, id, address, port }: JoiningMember): void {
    if (!this.find(name)) this.#count += 1;
    this.#sql.exec(
      `INSERT INTO members (name, id, address, status, verdict_ms) VALUES (?, ?, ?, 'alive', NULL)
       ON CONFLICT (name) DO UPDATE SET id = excluded.id, address = excluded.address,
         status = 'alive', verdict_ms = NULL`,
      ...[name, id, address],
    );
    if (port === this.portOf(name)) return;
    if (port === undefined) this.#sql.exec("DELETE FROM gossip_ports WHERE name = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO gossip_ports VALUES (?, ?)", ...[name, port]);
  }

  /** Where it listens for datagrams; undefined: nowhere. */
  portOf(name: string): number | undefined {
    const sql = "SELECT port FROM gossip_ports WHERE name = ?";
    return this.#sql.exec<{ port: number }>(sql, name)[0]?.port;
  }

  suspect(name: string, verdictMs: number): void {
    this.#sql.exec("UPDATE members SET verdict_ms = ? WHERE name = ?", verdictMs, name);
  }

  /** Nobody is judged before. */
  putOff(untilMs: number): void {
    this.#sql.exec("UPDATE members SET verdict_ms = ? WHERE verdict_ms < ?", ...[untilMs, untilMs]);
  }

  remove(name: string): void {
    if (this.find(name)) this.#count -= 1;
    this.#sql.exec("DELETE FROM members WHERE name = ?", name);
    this.#sql.exec("DELETE FROM gossip_ports WHERE name = ?", name);
  }
}
