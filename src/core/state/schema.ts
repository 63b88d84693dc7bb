// Brings the tables in a database to what this code expects. Each area's schema has a version of its own, kept
// in a table because the platform refuses `PRAGMA user_version`; its migrations are a list, and a database
// from before versions were kept is at version 1.

import type { Sql, SqlRow } from "../lib/sql.ts";
import type { Area } from "./area.ts";
import type { Table, TableDefinition } from "./table.ts";

/** Version of an area's schema: each migration leads from one to the next. */
export function schemaVersion({ migrations = [] }: Area): number {
  return migrations.length + 1;
}

/**
 * Creates what is missing and migrates what is old. Must run in a transaction. Throws an Error when a newer
 * version of this code wrote the database.
 */
export function openSchema(
  sql: Sql,
  areas: readonly Area[],
  bound: ReadonlyMap<string, Table<SqlRow>>,
  twins: readonly TableDefinition<SqlRow>[] = [],
): void {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS state_schema (area TEXT NOT NULL, version INTEGER NOT NULL, " +
      "PRIMARY KEY (area)) STRICT, WITHOUT ROWID",
  );
  const stored = sql.exec<{ area: string; version: number }>(
    "SELECT area, version FROM state_schema ORDER BY area",
  );
  const versions = new Map(stored.map(({ area, version }) => [area, version]));
  for (const area of areas) {
    const newest = schemaVersion(area);
    const known = versions.get(area.name);
    if (known === newest || area.tables.length === 0) continue;
    if (known !== undefined && known > newest) {
      throw new Error(`schema of ${area.name} is version ${known}, newer than ${newest}`);
    }
    const version = known ?? (hasTables(sql, area) ? 1 : newest);
    for (const migrate of (area.migrations ?? []).slice(version - 1)) migrate(sql);
    for (const { name } of area.tables) bound.get(name)?.create();
    noteVersion(sql, area.name, newest);
  }
  // Their schema is that of the tables they stand beside: only how many there are can be newer.
  if ((versions.get(twinSchema) ?? 0) >= twins.length) return;
  for (const { name } of twins) bound.get(name)?.create();
  noteVersion(sql, twinSchema, twins.length);
}

const twinSchema = "next";

function noteVersion(sql: Sql, area: string, version: number): void {
  sql.exec(
    "INSERT INTO state_schema (area, version) VALUES (?, ?) " +
      "ON CONFLICT (area) DO UPDATE SET version = excluded.version",
    area,
    version,
  );
}

function hasTables(sql: Sql, { tables }: Area): boolean {
  return tables.some(
    ({ name }) =>
      sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", name).length > 0,
  );
}
