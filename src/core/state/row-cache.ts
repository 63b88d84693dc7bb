// Rows of one table that were read or written lately, so that a key which is used again and again
// costs no SQL. A cached row is exactly what the database would answer, or every server would no
// longer compute the same: it is kept only under its own key, and text that SQLite would change
// (lone surrogates) makes the cache forget everything.

import type { SqlRow, SqlValue } from "../lib/sql.ts";

const rowsMax = 4_096;
/** A longer row is not kept: it takes the place of many, and its statement is a small part of its
 * cost. */
const rowCharactersMax = 2_048;

export class RowCache<Row extends SqlRow> {
  readonly #rows = new Map<SqlValue, Row>();

  get(key: readonly SqlValue[]): Row | undefined {
    return this.#rows.get(nameOf(key));
  }

  /** Keeps a row as it is in the database. */
  keep(key: readonly SqlValue[], row: Row): void {
    let characters = 0;
    for (const column in row) {
      const value = row[column];
      if (typeof value !== "string") continue;
      if (!value.isWellFormed()) return this.forget(key);
      characters += value.length;
    }
    if (characters > rowCharactersMax) return this.forget(key);
    const name = nameOf(key);
    if (this.#rows.size >= rowsMax && !this.#rows.has(name)) this.#forgetOldest();
    this.#rows.set(name, row);
  }

  /** What is under `key` changes. */
  forget(key: readonly SqlValue[]): void {
    const name = nameOf(key);
    if (typeof name === "string" && !name.isWellFormed()) this.clear();
    else this.#rows.delete(name);
  }

  clear(): void {
    this.#rows.clear();
  }

  #forgetOldest(): void {
    for (const name of this.#rows.keys()) {
      this.#rows.delete(name);
      return;
    }
  }
}

function nameOf(key: readonly SqlValue[]): SqlValue {
  return key.length === 1 ? (key[0] as SqlValue) : key.join("\0");
}
