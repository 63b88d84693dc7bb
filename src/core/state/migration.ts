// What migrations of an area's tables are made of. They run before anybody reads, so nothing hears of them.

import type { Sql, SqlRow, SqlValue } from "../lib/sql.ts";
import type { TableDefinition } from "./table.ts";
import { twinName } from "./twin.ts";

/** Changes the tables of an area from one version to the next, inside the transaction that records it. */
export type Migration = (sql: Sql) => void;

const pageRows = 256;

/** Adds columns that `complete` of the table's definition fills in; for migrations. */
export function addColumns<Row extends SqlRow>(
  sql: Sql,
  definition: TableDefinition<Row>,
  columns: readonly (keyof Row & string)[],
): void {
  addColumnsTo(sql, definition, columns);
  const twin = twinName(definition.name);
  const found = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?";
  if (sql.exec(found, twin).length > 0) addColumnsTo(sql, { ...definition, name: twin }, columns);
}

function addColumnsTo<Row extends SqlRow>(
  sql: Sql,
  definition: TableDefinition<Row>,
  columns: readonly (keyof Row & string)[],
): void {
  const { name, key } = definition;
  for (const column of columns) {
    sql.exec(`ALTER TABLE ${name} ADD COLUMN ${column} ${definition.columns[column]}`);
  }
  const keys = key.join(", ");
  const marks = key.map(() => "?").join(", ");
  const assignments = columns.map((column) => `${column} = ?`).join(", ");
  const update = `UPDATE ${name} SET ${assignments} WHERE (${keys}) = (${marks})`;
  const keyOf = (row: Row): SqlValue[] => key.map((column) => row[column] as SqlValue);
  for (let after: SqlValue[] | null = []; after !== null;) {
    const beyond: string = after.length > 0 ? `WHERE (${keys}) > (${marks}) ` : "";
    const rows: Row[] = sql.exec<Row>(
      `SELECT * FROM ${name} ${beyond}ORDER BY ${keys} LIMIT ?`,
      ...after,
      pageRows,
    );
    for (const row of rows) {
      const complete = definition.complete?.(row) ?? row;
      sql.exec(update, ...columns.map((column) => complete[column] as SqlValue), ...keyOf(row));
    }
    const last: Row | undefined = rows.at(-1);
    after = last && rows.length === pageRows ? keyOf(last) : null;
  }
}
