// Rows of tables that were read or written lately, so that a key which is used again and again costs no SQL. A
// cached row is exactly what the database would answer, or every server would no longer compute the same: it is
// kept only under its own key, and text that SQLite would change (lone surrogates) makes the cache forget
// everything. All tables of a state share one budget of memory.

import { memoryOf } from "../lib/bounded-map.ts";
import type { SqlRow, SqlValue } from "../lib/sql.ts";

/** A larger row is not kept: it takes the place of many, and its statement is a small part of its cost. */
const rowBytesMax = 4_096;
/** What a row takes beside its texts: the object, its numbers, its slot in the map. */
const rowOverheadBytes = 256;

/** Memory for the rows of several caches. */
export class RowBudget {
  readonly #bytesMax: number;
  readonly #caches: RowCache<SqlRow>[] = [];
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  share(cache: RowCache<SqlRow>): void {
    this.#caches.push(cache);
  }

  /** Makes room at the cost of the cache that holds most. */
  makeRoom(bytes: number): void {
    while (this.bytes > 0 && this.bytes + bytes > this.#bytesMax) {
      const [largest] = this.#caches.toSorted((one, other) => other.bytes - one.bytes);
      largest?.forgetOldest();
    }
  }
}

export class RowCache<Row extends SqlRow> {
  readonly #budget: RowBudget;
  readonly #rows = new Map<SqlValue, { row: Row; bytes: number }>();
  bytes = 0;

  constructor(budget: RowBudget) {
    this.#budget = budget;
    budget.share(this);
  }

  get(key: readonly SqlValue[]): Row | undefined {
    return this.#rows.get(nameOf(key))?.row;
  }

  /** Keeps a row as it is in the database. */
  keep(key: readonly SqlValue[], row: Row): void {
    this.forget(key);
    let bytes = rowOverheadBytes;
    for (const column in row) {
      const value = row[column];
      if (typeof value !== "string") continue;
      if (!value.isWellFormed()) return;
      bytes += memoryOf(value);
      if (bytes > rowBytesMax) return;
    }
    this.#budget.makeRoom(bytes);
    this.#rows.set(nameOf(key), { row, bytes });
    this.#count(bytes);
  }

  /** What is under `key` changes. */
  forget(key: readonly SqlValue[]): void {
    const name = nameOf(key);
    if (typeof name === "string" && !name.isWellFormed()) this.clear();
    else this.#drop(name);
  }

  forgetOldest(): void {
    for (const name of this.#rows.keys()) {
      this.#drop(name);
      return;
    }
  }

  clear(): void {
    this.#rows.clear();
    this.#count(-this.bytes);
  }

  #drop(name: SqlValue): void {
    const kept = this.#rows.get(name);
    if (!kept) return;
    this.#rows.delete(name);
    this.#count(-kept.bytes);
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#budget.bytes += bytes;
  }
}

function nameOf(key: readonly SqlValue[]): SqlValue {
  return key.length === 1 ? (key[0] as SqlValue) : key.join("\0");
}
