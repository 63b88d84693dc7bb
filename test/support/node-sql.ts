// The Sql port on node:sqlite, made as strict as a Durable Object's SQLite, so that what passes here passes
// there: the same limits, the same refusals, no statement that the other would not run.

import { constants, DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { Sql, SqlRow, SqlValue } from "../../src/core/lib/sql.ts";

const parametersMax = 100;

export class NodeSql implements Sql {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; parameters: number }>();
  #depth = 0;

  /** `path` is a file, or `:memory:`; with `image`, what another one had serialized. */
  constructor(path = ":memory:", image?: Uint8Array) {
    this.#database = new DatabaseSync(path, {
      enableDoubleQuotedStringLiterals: false,
      limits: {
        variableNumber: parametersMax,
        likePatternLength: 50,
        column: 100,
        sqlLength: 100_000,
        length: 2_097_152,
      },
    });
    if (image !== undefined) this.#database.deserialize(image);
    this.#database.setAuthorizer(authorize);
  }

  exec<Row extends SqlRow = SqlRow>(text: string, ...parameters: SqlValue[]): Row[] {
    const { statement, parameters: wanted } = this.#prepare(text);
    if (parameters.length !== wanted) {
      throw new Error(`wrong number of parameters: ${parameters.length} for ${wanted}: ${text}`);
    }
    return statement.all(...parameters.map(checkedParameter)) as Row[];
  }

  transaction<Result>(body: () => Result): Result {
    const name = `depth_${this.#depth}`;
    this.#database.exec(this.#depth === 0 ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`);
    const isOutermost = this.#depth === 0;
    this.#depth++;
    try {
      const result = body();
      this.#database.exec(isOutermost ? "COMMIT" : `RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#database.exec(isOutermost ? "ROLLBACK" : `ROLLBACK TO ${name}`);
      if (!isOutermost) this.#database.exec(`RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Rows inserted, updated or deleted since the database was opened; entries of indexes do not count. */
  get rowsWritten(): number {
    return this.exec<{ count: number }>("SELECT total_changes() AS count")[0]?.count ?? 0;
  }

  /** An independent copy, in memory, of what is committed. */
  fork(): NodeSql {
    this.#database.setAuthorizer(null); // copying asks for a PRAGMA
    try {
      return new NodeSql(":memory:", this.#database.serialize());
    } finally {
      this.#database.setAuthorizer(authorize);
    }
  }

  close(): void {
    this.#database.close();
  }

  #prepare(text: string): { statement: StatementSync; parameters: number } {
    const known = this.#statements.get(text);
    if (known) return known;
    if (/^\s*(begin|commit|end|rollback|savepoint|release)\b/i.test(text)) {
      throw new Error(`not authorized: transactions are transaction()'s: ${text}`);
    }
    if (/;\s*\S/.test(withoutLiterals(text))) throw new Error(`more than one statement: ${text}`);
    const prepared = {
      statement: this.#database.prepare(text),
      parameters: withoutLiterals(text).split("?").length - 1,
    };
    this.#statements.set(text, prepared);
    return prepared;
  }
}

function withoutLiterals(text: string): string {
  return text.replace(/'(?:[^']|'')*'/g, "''");
}

function checkedParameter(value: SqlValue): SqlValue {
  const isAllowed =
    value === null ||
    typeof value === "string" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    value instanceof Uint8Array;
  if (!isAllowed) throw new TypeError(`cannot bind a ${typeof value}`);
  return value;
}

function authorize(action: number, name: string | null, detail: string | null): number {
  return isForbidden(action, name, detail) ? constants.SQLITE_DENY : constants.SQLITE_OK;
}

/** What a Durable Object refuses. */
function isForbidden(action: number, name: string | null, detail: string | null): boolean {
  switch (action) {
    case constants.SQLITE_ATTACH:
    case constants.SQLITE_CREATE_TEMP_TABLE:
    case constants.SQLITE_CREATE_TEMP_INDEX:
      return true;
    case constants.SQLITE_PRAGMA:
      return name !== "table_info";
    case constants.SQLITE_FUNCTION:
      return detail === "sqlite_version";
    default:
      return false;
  }
}
