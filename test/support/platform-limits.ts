// A database that refuses what Cloudflare's refuses: too many parameters, a statement or a row that is too long.
// workerd does not hold rows to their limit, and node:sqlite nothing to any.

import type { Sql, SqlRow, SqlValue } from "../../src/core/lib/sql.ts";
import { limits } from "../../src/core/model/limits.ts";

const encoder = new TextEncoder();

function bytesOf(value: SqlValue): number {
  if (typeof value === "string") return encoder.encode(value).length;
  return value instanceof Uint8Array ? value.length : 8;
}

export class LimitedSql implements Sql {
  readonly #sql: Sql;
  /** The largest that there was: parameters of a statement together, in bytes, which a row of it cannot exceed. */
  readonly largest = { parameters: 0, statementBytes: 0, rowBytes: 0 };

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  exec<Row extends SqlRow = SqlRow>(statement: string, ...parameters: SqlValue[]): Row[] {
    const { sqlParametersMax, sqlStatementBytesMax, rowBytesMax } = limits;
    const { largest } = this;
    const rowBytes = parameters.reduce<number>((sum, value) => sum + bytesOf(value), 0);
    largest.parameters = Math.max(largest.parameters, parameters.length);
    largest.statementBytes = Math.max(largest.statementBytes, statement.length);
    largest.rowBytes = Math.max(largest.rowBytes, rowBytes);
    if (parameters.length > sqlParametersMax) throw new Error("too many SQL variables");
    if (statement.length > sqlStatementBytesMax) throw new Error("statement too long");
    if (rowBytes > rowBytesMax) throw new Error("string or blob too big: SQLITE_TOOBIG");
    return this.#sql.exec<Row>(statement, ...parameters);
  }

  transaction<Result>(body: () => Result): Result {
    return this.#sql.transaction(body);
  }
}
