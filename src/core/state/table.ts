// A table of replicated state: a definition as data, and the four statements that nearly everything needs.
// Whatever is written through it can be followed (snapshots send again what changed behind their cursor), so
// every change goes through `put`, `remove` or `removeRange`; SQL of one's own is for reading.

import type { Sql, SqlRow, SqlValue } from "../lib/sql.ts";
import { type RowBudget, RowCache } from "./row-cache.ts";

export type ColumnType = "TEXT NOT NULL" | "TEXT" | "INTEGER NOT NULL";

export interface TableDefinition<Row extends SqlRow> {
  name: string;
  /** In the order of the row; a long value comes last, so that reading the others skips it. */
  columns: Readonly<Record<keyof Row & string, ColumnType>>;
  /** Primary key: the commonest lookup. */
  key: readonly (keyof Row & string)[];
  /**
   * Fills in columns that follow from the others, for rows that were written before these existed: by
   * migrations, and by snapshots of a peer that runs older code.
   */
  complete?(row: Row): Row;
  /** The columns that `complete` fills in. */
  derived?: readonly (keyof Row & string)[];
  /** `CREATE [UNIQUE] INDEX` clauses after the name, e.g. `ON kv (session) WHERE session IS NOT NULL`. */
  indexes?: Readonly<Record<string, { unique?: true; on: string }>>;
}

/** What a row takes in a snapshot beside its columns. */
const rowOverheadBytes = 64;
/** Rows whose sizes are asked at once. */
const pageRowsMax = 256;

/** Hears of every row that is written or, with null for it, removed. */
export type RowListener = (
  definition: TableDefinition<SqlRow>,
  key: readonly SqlValue[],
  row: SqlRow | null,
) => void;

/** Hears of every row before it is written, or removed, while it listens. */
export interface BeforeChange {
  readonly listens: boolean;
  changing(table: Table<SqlRow>, key: readonly SqlValue[]): void;
}

export class Table<Row extends SqlRow> {
  readonly definition: TableDefinition<Row>;
  readonly #sql: Sql;
  readonly #listener: RowListener;
  readonly #before: BeforeChange | undefined;
  readonly #columns: readonly (keyof Row & string)[];
  readonly #getStatement: string;
  readonly #putStatement: string;
  readonly #removeStatement: string;
  readonly #sizeExpression: string;
  readonly #cache: RowCache<Row>;

  /** Tables of one state share `rows`, the memory for what was used lately. */
  constructor(
    sql: Sql,
    definition: TableDefinition<Row>,
    listener: RowListener,
    rows: RowBudget,
    before?: BeforeChange,
  ) {
    this.#cache = new RowCache<Row>(rows);
    this.definition = definition;
    this.#sql = sql;
    this.#listener = listener;
    this.#before = before;
    const columns = Object.keys(definition.columns) as (keyof Row & string)[];
    const isKey = definition.key.map((column) => `${column} = ?`).join(" AND ");
    const updates = columns
      .filter((column) => !definition.key.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    const onConflict = updates.length > 0 ? `UPDATE SET ${updates.join(", ")}` : "NOTHING";
    this.#columns = columns;
    const sizes = columns.map((column) => `coalesce(octet_length(${column}), 0)`);
    const namesLength = columns.join("").length;
    this.#sizeExpression = `${rowOverheadBytes + namesLength} + ${sizes.join(" + ")}`;
    this.#getStatement = `SELECT * FROM ${definition.name} WHERE ${isKey}`;
    this.#putStatement =
      `INSERT INTO ${definition.name} (${columns.join(", ")}) ` +
      `VALUES (${columns.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (${definition.key.join(", ")}) DO ${onConflict}`;
    this.#removeStatement = `DELETE FROM ${definition.name} WHERE ${isKey} RETURNING 1 AS removed`;
  }

  /** Creates the table and its indexes when they are missing. */
  create(): void {
    const { name, columns, key, indexes = {} } = this.definition;
    const described = this.#columns.map((column) => `${column} ${columns[column]}`).join(", ");
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS ${name} (${described}, PRIMARY KEY (${key.join(", ")})) ` +
        "STRICT, WITHOUT ROWID",
    );
    for (const [index, { unique, on }] of Object.entries(indexes)) {
      this.#sql.exec(`CREATE ${unique ? "UNIQUE " : ""}INDEX IF NOT EXISTS ${index} ${on}`);
    }
  }

  /** The row with this primary key; do not change it, others may get the same object. */
  get(...key: SqlValue[]): Row | undefined {
    const known = this.#cache.get(key);
    if (known) return known;
    const [row] = this.#sql.exec<Row>(this.#getStatement, ...key);
    if (row) this.#cache.keep(this.keyOf(row), row);
    return row;
  }

  /** Rows for a condition that ends with its ORDER BY (and LIMIT). */
  select(condition: string, ...parameters: SqlValue[]): Row[] {
    return this.#sql.exec<Row>(`SELECT * FROM ${this.definition.name} ${condition}`, ...parameters);
  }

  /** Inserts the row or replaces the one with its key. Do not change it afterwards. */
  put(row: Row): void {
    const key = this.keyOf(row);
    this.#beforeChange(key);
    this.#cache.forget(key);
    this.#sql.exec(this.#putStatement, ...this.#columns.map((column) => row[column] as SqlValue));
    this.#cache.keep(key, row);
    this.#listener(this.definition, key, row);
  }

  /** Whether there was such a row. */
  remove(...key: SqlValue[]): boolean {
    this.#beforeChange(key);
    this.#cache.forget(key);
    const removed = this.#sql.exec(this.#removeStatement, ...key).length > 0;
    if (removed) this.#listener(this.definition, key, null);
    return removed;
  }

  /** Removes the rows of a condition; returns their primary keys in order. */
  removeWhere(condition: string, ...parameters: SqlValue[]): SqlValue[][] {
    const { name, key } = this.definition;
    if (this.#before?.listens) {
      const inOrder = `${condition} ORDER BY ${key.join(", ")}`;
      const going = this.#sql.exec<Row>(
        `SELECT ${key.join(", ")} FROM ${name} WHERE ${inOrder}`,
        ...parameters,
      );
      for (const row of going) this.#beforeChange(this.keyOf(row));
    }
    const rows = this.#sql.exec<Row>(
      `DELETE FROM ${name} WHERE ${condition} RETURNING ${key.join(", ")}`,
      ...parameters,
    );
    const keys = rows.map((row) => this.keyOf(row));
    for (const removed of keys) {
      this.#cache.forget(removed);
      this.#listener(this.definition, removed, null);
    }
    return keys;
  }

  /**
   * Rows after a primary key (null: from the start), in key order: as many as have about `bytesMax` bytes, at
   * least one when there is one. Sizes are asked first, so that large rows are not read in vain.
   */
  page(after: readonly SqlValue[] | null, bytesMax: number): Row[] {
    const { name, key } = this.definition;
    const keys = key.join(", ");
    const beyond = after === null ? "" : `WHERE (${keys}) > (${after.map(() => "?").join(", ")}) `;
    const inOrder = `${beyond}ORDER BY ${keys} LIMIT ?`;
    const sizes = `SELECT ${this.#sizeExpression} AS size FROM ${name} ${inOrder}`;
    // The size of a text is found out by reading it, so few are asked as long as they may be large.
    for (let asked = 2; ; asked *= 4) {
      const limit = Math.min(asked, pageRowsMax);
      const found = this.#sql.exec<{ size: number }>(sizes, ...(after ?? []), limit);
      const count = countUpTo(bytesMax, found);
      if (count === 0) return [];
      const isPage = count < found.length || found.length < limit || limit === pageRowsMax;
      if (isPage) return this.select(inOrder, ...(after ?? []), count);
    }
  }

  /** Removes every row. */
  clear(): void {
    this.#cache.clear();
    this.#sql.exec(`DELETE FROM ${this.definition.name}`);
  }

  /** After a rollback: what memory holds may never have been written. */
  forgetRows(): void {
    this.#cache.clear();
  }

  #beforeChange(key: readonly SqlValue[]): void {
    if (this.#before?.listens) this.#before.changing(this, key);
  }

  keyOf(row: Row): SqlValue[] {
    return this.definition.key.map((column) => row[column] as SqlValue);
  }
}

/** How many of the first rows have so many bytes, one at least. */
function countUpTo(bytesMax: number, rows: readonly { size: number }[]): number {
  let bytes = 0;
  for (const [at, { size }] of rows.entries()) {
    bytes += size;
    if (at > 0 && bytes > bytesMax) return at;
  }
  return rows.length;
}
