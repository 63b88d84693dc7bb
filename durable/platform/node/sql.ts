// The Sql port on node:sqlite, made as strict as a Durable Object's SQLite, so that what passes here passes there: the
// same limits, the same refusals, no statement that the other would not run. Files are interchangeable with workerd's.

import { constants, DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { Sql, SqlRow, SqlValue } from "../../../src/core/lib/sql.ts";

const parametersMax = 100;
const statementBytesMax = 100_000;
const valueBytesMax = 2_097_152;
const alarmKey = 1;
const nanosecondsPerMs = 1_000_000n;

/** What Node 24 adds; where it is missing, this adapter counts parameters and bytes itself. */
type Newer = Partial<Pick<DatabaseSync, "setAuthorizer" | "deserialize" | "serialize">>;

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
        sqlLength: statementBytesMax,
        length: valueBytesMax,
      },
    });
    if (image !== undefined) this.#database.deserialize(image);
    if (path !== ":memory:") {
      // A commit is durable when it returns, which is this host's output gate.
      this.#database.exec("PRAGMA journal_mode = WAL");
      this.#database.exec("PRAGMA synchronous = FULL");
    }
    (this.#database as Newer).setAuthorizer?.(authorize);
  }

  exec<Row extends SqlRow = SqlRow>(text: string, ...parameters: SqlValue[]): Row[] {
    const { statement, parameters: wanted } = this.#prepare(text);
    if (parameters.length !== wanted) {
      throw new Error(`wrong number of parameters: ${parameters.length} for ${wanted}: ${text}`);
    }
    for (const parameter of parameters) checkParameter(parameter);
    return statement.all(...parameters) as Row[];
  }

  transaction<Result>(body: () => Result): Result {
    const isOutermost = this.#depth === 0;
    const name = `depth_${this.#depth}`;
    this.#run(isOutermost ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`);
    this.#depth++;
    try {
      const result = body();
      this.#run(isOutermost ? "COMMIT" : `RELEASE ${name}`);
      return result;
    } catch (error) {
      // A failed COMMIT (a full disk) may have ended the transaction by itself.
      if (!isOutermost || this.#database.isTransaction) {
        this.#run(isOutermost ? "ROLLBACK" : `ROLLBACK TO ${name}`);
      }
      if (!isOutermost) this.#run(`RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** The alarm that this file says is armed, in ms since 1970. The platform's, not the object's. */
  loadAlarm(): number | null {
    this.#database.exec(
      "CREATE TABLE IF NOT EXISTS _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)",
    );
    const select = this.#database.prepare("SELECT value FROM _cf_METADATA WHERE key = ?");
    select.setReadBigInts(true);
    const row = select.get(alarmKey) as { value: bigint | null } | undefined;
    return typeof row?.value === "bigint" ? Number(row.value / nanosecondsPerMs) : null;
  }

  saveAlarm(atMs: number | null): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO _cf_METADATA VALUES (?, ?)")
      .run(alarmKey, atMs === null ? null : nanosecondsOf(atMs));
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

  #run(text: string): void {
    const known = this.#statements.get(text);
    const prepared = known ?? { statement: this.#database.prepare(text), parameters: 0 };
    if (!known) this.#statements.set(text, prepared);
    prepared.statement.run();
  }

  #prepare(text: string): { statement: StatementSync; parameters: number } {
    const known = this.#statements.get(text);
    if (known) return known;
    if (/^\s*(begin|commit|end|rollback|savepoint|release)\b/i.test(text)) {
      throw new Error(`not authorized: transactions are transaction()'s: ${text}`);
    }
    const bare = withoutLiterals(text);
    if (/\b_cf_/i.test(bare)) throw new Error(`not authorized: the platform's own table: ${text}`);
    if (/;\s*\S/.test(bare)) throw new Error(`more than one statement: ${text}`);
    if (text.length > statementBytesMax) throw new Error("the statement is too long");
    const parameters = bare.split("?").length - 1;
    if (parameters > parametersMax) throw new Error(`too many SQL variables: ${parameters}`);
    const prepared = { statement: this.#database.prepare(text), parameters };
    this.#statements.set(text, prepared);
    return prepared;
  }
}

/** As the platform writes times. */
export function nanosecondsOf(atMs: number): bigint {
  return BigInt(Math.round(atMs)) * nanosecondsPerMs;
}

function withoutLiterals(text: string): string {
  return text.replace(/'(?:[^']|'')*'/g, "''");
}

function checkParameter(value: SqlValue): void {
  if (value === null) return;
  const isAllowed =
    typeof value === "string" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    value instanceof Uint8Array;
  if (!isAllowed) throw new TypeError(`cannot bind a ${typeof value}`);
  if (typeof value !== "number" && value.length > valueBytesMax) {
    throw new RangeError(`string or blob too big: ${value.length}`);
  }
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
      // ALTER TABLE asks for the second one itself.
      return name !== "table_info" && name !== "quick_check";
    case constants.SQLITE_FUNCTION:
      return detail === "sqlite_version";
    default:
      return false;
  }
}
