// Copies of the state as it was at one moment, read slowly while commands go on being applied. Whatever is about to
// change for the first time after that moment is kept aside as it was, in a table that is this server's own; readers
// take it from there. A copy can be read any number of times, each time the same.

import type { Sql, SqlRow, SqlValue } from "../../lib/sql.ts";
import { limits } from "../../model/limits.ts";
import type { TableIndex } from "../meta.ts";
import type { BeforeChange, Table, TableDefinition } from "../table.ts";
import type { StateCopy } from "./kinds.ts";

const pageBytesMax = 1_000_000;
const keptAsidePageRows = 16;
/** What a value of the database may have, with room to spare. */
const rowLengthMax = 1_900_000;

interface AsideRow extends SqlRow {
  key: string;
  body: string | null;
}

/** Where the current reading of a table stands. */
type Cursor = readonly SqlValue[] | "end";

export class StateCopies implements BeforeChange {
  readonly #sql: Sql;
  readonly #bytesMax: number;
  readonly #open = new Set<Copy>();
  #nextId = 1;

  /** `bytesMax`: what one copy may keep aside; whoever reads so slowly that it is more has to begin anew. */
  constructor(sql: Sql, bytesMax: number = limits.keptAsideBytesMax) {
    this.#sql = sql;
    this.#bytesMax = bytesMax;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS state_aside (copy INTEGER NOT NULL, name TEXT NOT NULL, " +
        "key TEXT NOT NULL, ahead INTEGER NOT NULL, body TEXT, " +
        "PRIMARY KEY (copy, name, key)) STRICT, WITHOUT ROWID",
    );
    // Of copies that an instance before this one did not finish.
    sql.exec("DELETE FROM state_aside");
  }

  get listens(): boolean {
    return this.#open.size > 0;
  }

  changing(table: Table<SqlRow>, key: readonly SqlValue[]): void {
    for (const copy of this.#open) copy.keepAside(table, key);
  }

  open(
    tables: ReadonlyMap<string, Table<SqlRow>>,
    fixed: Pick<StateCopy, "datacenter" | "index" | "indexOf">,
  ): Copy {
    const copy = new Copy(this.#sql, this.#nextId++, this.#bytesMax, tables, fixed);
    this.#open.add(copy);
    return copy;
  }

  close(copy: Copy): void {
    if (!this.#open.delete(copy)) return;
    copy.end();
  }

  /** The state is another one now: nothing can be said of the one that was copied. */
  closeAll(): void {
    for (const copy of this.#open) this.close(copy);
  }
}

export class Copy implements StateCopy {
  readonly datacenter: string;
  readonly index: number;
  readonly #indexOf: StateCopy["indexOf"];
  readonly #sql: Sql;
  readonly #id: number;
  readonly #bytesMax: number;
  readonly #tables: ReadonlyMap<string, Table<SqlRow>>;
  readonly #cursors = new Map<string, Cursor>();
  /** Kept aside so far. */
  #bytes = 0;
  #failure: string | null = null;

  constructor(
    sql: Sql,
    id: number,
    bytesMax: number,
    tables: ReadonlyMap<string, Table<SqlRow>>,
    fixed: Pick<StateCopy, "datacenter" | "index" | "indexOf">,
  ) {
    this.#sql = sql;
    this.#id = id;
    this.#bytesMax = bytesMax;
    this.#tables = tables;
    this.datacenter = fixed.datacenter;
    this.index = fixed.index;
    this.#indexOf = fixed.indexOf;
  }

  indexOf(index: TableIndex): number {
    return this.#indexOf(index);
  }

  /** Reads everything from the start again. */
  rewind(): void {
    this.#cursors.clear();
    this.#sql.exec("UPDATE state_aside SET ahead = 1 WHERE copy = ?", this.#id);
  }

  *rows<Row extends SqlRow>({ name }: TableDefinition<Row>): Iterable<Row> {
    const table = this.#table(name);
    let after: SqlValue[] | null = null;
    for (;;) {
      this.#requireWhole();
      const page: SqlRow[] = table.page(after, pageBytesMax);
      const last = page.at(-1);
      if (!last) break;
      after = table.keyOf(last);
      this.#cursors.set(name, after);
      const unchanged = page.filter((row) => this.#aside(name, table.keyOf(row)) === undefined);
      yield* unchanged as Row[];
    }
    this.#cursors.set(name, "end");
    yield* this.#changedRows<Row>(name);
  }

  row<Row extends SqlRow>({ name }: TableDefinition<Row>, ...key: SqlValue[]): Row | undefined {
    this.#requireWhole();
    const aside = this.#aside(name, key);
    if (aside !== undefined) return (aside ?? undefined) as Row | undefined;
    return this.#table(name).get(...key) as Row | undefined;
  }

  keepAside(table: Table<SqlRow>, key: readonly SqlValue[]): void {
    if (this.#failure !== null) return;
    const { name } = table.definition;
    if (this.#aside(name, key) !== undefined) return;
    const row = table.get(...key);
    const body = row ? JSON.stringify(row) : null;
    if (body !== null && body.length > rowLengthMax) {
      this.#failure = "a row is too large to be kept aside";
      return;
    }
    const keyText = JSON.stringify(key);
    this.#bytes += keyText.length + (body?.length ?? 0);
    if (this.#bytes > this.#bytesMax) {
      this.#failure = "too much of the state changed while it was saved";
      this.#sql.exec("DELETE FROM state_aside WHERE copy = ?", this.#id);
      return;
    }
    this.#sql.exec(
      "INSERT INTO state_aside (copy, name, key, ahead, body) VALUES (?, ?, ?, ?, ?)",
      ...[this.#id, name, keyText, this.#isAhead(name, key) ? 1 : 0, body],
    );
  }

  end(): void {
    this.#failure = "the state was replaced while it was saved";
    this.#sql.exec("DELETE FROM state_aside WHERE copy = ?", this.#id);
  }

  /** Rows that are no longer what they were, and that the current reading has not passed before they changed. */
  *#changedRows<Row extends SqlRow>(name: string): Iterable<Row> {
    for (let after = ""; ;) {
      this.#requireWhole();
      const page: AsideRow[] = this.#sql.exec<AsideRow>(
        "SELECT key, body FROM state_aside WHERE copy = ? AND name = ? AND key > ? " +
          "AND ahead = 1 AND body IS NOT NULL ORDER BY key LIMIT ?",
        ...[this.#id, name, after, keptAsidePageRows],
      );
      for (const { body } of page) yield JSON.parse(body ?? "") as Row;
      const last = page.at(-1);
      if (!last) return;
      after = last.key;
    }
  }

  /** The row as it was, null where there was none; undefined: it has not changed since. */
  #aside(name: string, key: readonly SqlValue[]): SqlRow | null | undefined {
    const [row] = this.#sql.exec<{ body: string | null }>(
      "SELECT body FROM state_aside WHERE copy = ? AND name = ? AND key = ?",
      ...[this.#id, name, JSON.stringify(key)],
    );
    if (!row) return undefined;
    return row.body === null ? null : (JSON.parse(row.body) as SqlRow);
  }

  /** In the database's own order. */
  #isAhead(name: string, key: readonly SqlValue[]): boolean {
    const cursor = this.#cursors.get(name);
    if (cursor === undefined || cursor === "end") return cursor === undefined;
    const marks = key.map(() => "?").join(", ");
    const comparison = `SELECT (${marks}) > (${marks}) AS ahead`;
    return this.#sql.exec<{ ahead: number }>(comparison, ...key, ...cursor)[0]?.ahead === 1;
  }

  #requireWhole(): void {
    if (this.#failure !== null) throw new Error(this.#failure);
  }

  #table(name: string): Table<SqlRow> {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`no table ${name}`);
    return table;
  }
}
