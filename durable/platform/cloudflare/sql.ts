// The Sql port over a Durable Object's own SQLite. See src/core/lib/sql.ts for what it promises.

import type { Sql, SqlRow, SqlValue } from "../../../src/core/lib/sql.ts";

/** What SQLite may hand out here and the port does not: bare ArrayBuffers. */
type RawValue = string | number | null | ArrayBuffer;

/** Told of writes. */
export interface WriteListener {
  /** The first write of a run of code. */
  began(): void;
  /** What a statement wrote; indexes count, too. */
  rows?(count: number): void;
  /** The run of code is over. */
  ended?(): void;
}

export class DurableSql implements Sql {
  readonly #storage: DurableObjectStorage;
  readonly #listener: WriteListener;
  #noted = false;

  constructor(storage: DurableObjectStorage, listener: WriteListener) {
    this.#storage = storage;
    this.#listener = listener;
  }

  exec<Row extends SqlRow = SqlRow>(statement: string, ...parameters: SqlValue[]): Row[] {
    for (const parameter of parameters) {
      const type = typeof parameter;
      if (type === "number" && !Number.isFinite(parameter)) {
        throw new TypeError("cannot bind a number that is not finite");
      }
      if (type === "boolean" || type === "undefined" || type === "bigint") {
        throw new TypeError(`cannot bind a ${type}`);
      }
    }
    const cursor = this.#storage.sql.exec<Record<string, RawValue>>(statement, ...parameters);
    const rows = cursor.toArray();
    if (!this.#noted || this.#listener.rows) this.#written(cursor.rowsWritten);
    for (const row of rows) checkRow(row);
    return rows as unknown as Row[];
  }

  transaction<Result>(body: () => Result): Result {
    return this.#storage.transactionSync(body);
  }

  #written(rows: number): void {
    if (rows === 0) return;
    this.#listener.rows?.(rows);
    if (this.#noted) return;
    this.#noted = true;
    queueMicrotask(() => {
      this.#noted = false;
      this.#listener.ended?.();
    });
    this.#listener.began();
  }
}

function checkRow(row: Record<string, unknown>): void {
  for (const column in row) {
    const value = row[column];
    if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value);
    else if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new RangeError(`integer in column ${column} is outside ±2^53`);
    }
  }
}
