// Everything small that changes with every apply, in one row: how far the log is applied, the index of each
// table, the digest that servers compare, and the clock that the log carries. It lives in memory while a
// batch is applied and is written once at its end.

import type { SqlRow } from "../lib/sql.ts";
import type { Table, TableDefinition } from "./table.ts";
import { firstVersions } from "./versions.ts";
import type { CommandVersions } from "./versions.ts";

/** Something whose last change clients can see; the area that owns it defines it. */
export interface TableIndex {
  /** In Consul's words where it has one; unique among all areas. */
  readonly name: string;
}

export interface MetaRow extends SqlRow {
  id: number;
  applied_index: number;
  digest: number;
  /** Latest stamp of an applied entry, ms since 1970 in leader time. */
  clock_ms: number;
  /** JSON object: index name → index. */
  indexes: string;
  /** JSON object: type of command → newest version applied, of those that not all code knows; null: none. */
  commands: string | null;
}

export const metaTable: TableDefinition<MetaRow> = {
  name: "state_meta",
  columns: {
    id: "INTEGER NOT NULL",
    applied_index: "INTEGER NOT NULL",
    digest: "INTEGER NOT NULL",
    clock_ms: "INTEGER NOT NULL",
    indexes: "TEXT NOT NULL",
    commands: "TEXT",
  },
  key: ["id"],
  derived: ["commands"],
  complete: (row) => ({ ...row, commands: row.commands ?? null }),
};

/** Not an index; it stands among them because it changes with them. */
const offsetName = "ahead-of-log";

export class Meta {
  appliedIndex = 0;
  digest = 0;
  clockMs = 0;
  #indexes: Record<string, number> = {};
  #commands: CommandVersions = {};
  readonly #table: Table<MetaRow>;

  constructor(table: Table<MetaRow>) {
    this.#table = table;
  }

  /** Index of the last change to a table; 0 when it never changed. */
  index({ name }: TableIndex): number {
    return this.#indexes[name] ?? 0;
  }

  /** The largest of several tables' indexes. */
  maxIndex(...indexes: readonly TableIndex[]): number {
    return Math.max(...indexes.map((each) => this.index(each)));
  }

  bump({ name }: TableIndex, index: number): void {
    this.#indexes[name] = index;
  }

  /** How far indexes are ahead of the log: restored ones may be greater than any that it has come to. */
  get indexOffset(): number {
    return this.#indexes[offsetName] ?? 0;
  }

  /** All indexes, by name. */
  get indexes(): Readonly<Record<string, number>> {
    return this.#indexes;
  }

  /** Takes the indexes of another state. What comes after `logIndex` will have greater ones than `newest`. */
  replaceIndexes(indexes: Record<string, number>, newest: number, logIndex: number): void {
    const offset = Math.max(this.indexOffset, newest - logIndex);
    this.#indexes = { ...indexes, ...(offset > 0 && { [offsetName]: offset }) };
  }

  /** Versions of commands in the log that servers of the first format do not know. */
  get usedVersions(): CommandVersions {
    return this.#commands;
  }

  /** Notes that an entry with such a command is applied. */
  noteVersion(type: string, version: number): void {
    if ((firstVersions[type] ?? 0) >= version || (this.#commands[type] ?? 0) >= version) return;
    this.#commands = { ...this.#commands, [type]: version };
  }

  /** What {@link restore} takes to undo a command that was refused half-way. */
  save(): Record<string, number> {
    return { ...this.#indexes };
  }

  restore(indexes: Record<string, number>): void {
    this.#indexes = indexes;
  }

  load(): void {
    const row = this.#table.get(1);
    this.appliedIndex = row?.applied_index ?? 0;
    this.digest = row?.digest ?? 0;
    this.clockMs = row?.clock_ms ?? 0;
    this.#indexes = row ? (JSON.parse(row.indexes) as Record<string, number>) : {};
    this.#commands = row?.commands ? (JSON.parse(row.commands) as CommandVersions) : {};
  }

  store(): void {
    this.#table.put({
      id: 1,
      applied_index: this.appliedIndex,
      digest: this.digest,
      clock_ms: this.clockMs,
      indexes: JSON.stringify(this.#indexes),
      commands: Object.keys(this.#commands).length > 0 ? JSON.stringify(this.#commands) : null,
    });
  }
}
