// The one synchronous door to SQLite, shaped like a Durable Object's `ctx.storage.sql`. Implementations:
// `durable/platform/cloudflare/sql.ts` and `durable/platform/node/sql.ts` (node:sqlite, made equally strict); one
// contract suite, `test/contract/sql.ts`, runs on both.  What the port fixes because the two differ: blobs come out
// as Uint8Array; an integer outside ±2^53 is an error; one statement a call; parameters are text, finite numbers,
// bytes or null, and their count must match; every SELECT that returns more than one row has an ORDER BY; no LIKE (a
// prefix is a range).

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

export interface Sql {
  /** Runs one statement; returns its rows (empty for statements without any). Throws on SQL errors. */
  exec<Row extends SqlRow = SqlRow>(statement: string, ...parameters: SqlValue[]): Row[];
  /** Runs `body` atomically: all of its changes, or, when it throws, none. May be nested. */
  transaction<Result>(body: () => Result): Result;
}
