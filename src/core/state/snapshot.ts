// A copy of the whole state for a peer that needs one, taken while commands go on being applied. Rows are sent
// in primary-key order; a row that changes behind the cursor is remembered and sent again, so the copy is
// whole at the moment the last chunk is cut. The receiver applies chunks as they come.

import type { SqlRow, SqlValue } from "../lib/sql.ts";
import type { Table } from "./table.ts";

/** A row of a table, or, without `row`, the primary key of one that is gone. */
type SentRow =
  | { table: string; row: SqlRow }
  | { table: string; gone: readonly SqlValue[] }
  /** Everything that was sent before holds no more. */
  | { cleared: true };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SnapshotStream {
  readonly #tables: readonly Table<SqlRow>[];
  /** Position in `#tables` of the table being read; its length when all were. */
  #at = 0;
  /** Primary key of the last row sent from that table. */
  #after: readonly SqlValue[] | null = null;
  #cleared = false;
  readonly #changed = new Map<string, { table: string; key: readonly SqlValue[] }>();

  constructor(tables: readonly Table<SqlRow>[]) {
    this.#tables = tables;
  }

  /** Told by the state machine of every row that is written or removed. */
  noteChange(table: string, key: readonly SqlValue[]): void {
    this.#changed.set(JSON.stringify([table, key]), { table, key });
  }

  /** The whole state was replaced: begins anew. */
  restart(): void {
    this.#at = 0;
    this.#after = null;
    this.#changed.clear();
    this.#cleared = true;
  }

  /**
   * The next chunk, of about `bytesMax` bytes (one row more at most). When `final`, the receiver then has the
   * state as it is now.
   */
  next(bytesMax: number): { data: Uint8Array; final: boolean } {
    const rows: SentRow[] = this.#cleared ? [{ cleared: true }] : [];
    this.#cleared = false;
    let bytesLeft = bytesMax;
    while (bytesLeft > 0 && this.#at < this.#tables.length)
      bytesLeft -= this.#readPage(rows, bytesLeft);
    if (this.#at >= this.#tables.length) {
      for (const [id, { table, key }] of this.#changed) {
        if (bytesLeft <= 0) break;
        this.#changed.delete(id);
        bytesLeft -= this.#send(rows, table, key);
      }
    }
    const final = this.#at >= this.#tables.length && this.#changed.size === 0;
    return { data: encoder.encode(JSON.stringify(rows)), final };
  }

  /** Appends rows of the current table; answers about how many bytes that took. */
  #readPage(rows: SentRow[], bytesLeft: number): number {
    const table = this.#tables[this.#at] as Table<SqlRow>;
    const page = table.page(this.#after, bytesLeft);
    let bytes = 0;
    for (const row of page) {
      rows.push({ table: table.definition.name, row });
      bytes += sizeOf(row);
      this.#after = table.keyOf(row);
    }
    if (page.length === 0) {
      this.#at++;
      this.#after = null;
    }
    return bytes;
  }

  #send(rows: SentRow[], name: string, key: readonly SqlValue[]): number {
    const table = this.#tables.find(({ definition }) => definition.name === name);
    const row = table?.get(...key);
    rows.push(row ? { table: name, row } : { table: name, gone: key });
    return row ? sizeOf(row) : 0;
  }
}

/** Applies one chunk. */
export function installChunk(tables: readonly Table<SqlRow>[], data: Uint8Array): void {
  const byName = new Map(tables.map((table) => [table.definition.name, table]));
  for (const sent of JSON.parse(decoder.decode(data)) as SentRow[]) {
    if ("cleared" in sent) {
      for (const each of tables) each.clear();
      continue;
    }
    const table = byName.get(sent.table);
    if (!table) throw new Error(`snapshot names an unknown table: ${sent.table}`);
    if ("row" in sent) table.put(table.definition.complete?.(sent.row) ?? sent.row);
    else table.remove(...sent.gone);
  }
}

/** About the bytes a row takes in a chunk. */
function sizeOf(row: SqlRow): number {
  let size = 64;
  for (const column in row) {
    const value = row[column];
    size += column.length + (typeof value === "string" ? value.length : 12);
  }
  return size;
}
