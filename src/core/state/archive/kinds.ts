// What areas say of the records in which Consul's archives hold a state: how their rows become records, and how
// records become rows of a state that is being restored.

import type { SqlRow, SqlValue } from "../../lib/sql.ts";
import type { Packed, Packer } from "../../lib/msgpack.ts";
import type { TableIndex } from "../meta.ts";
import type { Change } from "../state.ts";
import type { TableDefinition } from "../table.ts";

/** The state as it was at one moment, while commands go on being applied. */
export interface StateCopy {
  readonly datacenter: string;
  /** Index of the last change it holds. */
  readonly index: number;
  indexOf(index: TableIndex): number;
  /** Every row of a table, in pages: what is done between two rows may take any time. */
  rows<Row extends SqlRow>(definition: TableDefinition<Row>): Iterable<Row>;
  row<Row extends SqlRow>(definition: TableDefinition<Row>, ...key: SqlValue[]): Row | undefined;
}

/** Writes what follows a record's type byte. */
export type WriteRecord = (packer: Packer) => void;

/** A state that is being restored: its tables are those of the next state. */
export interface Loading extends Change {
  /** The same at the index of a record's change. */
  at(index: number): Loading;
  /** Notes the newest index of a table. */
  setIndex(index: TableIndex, value: number): void;
  /** Notes the index of a change: those that come later have greater ones. */
  note(index: number): void;
  /** An id that nobody can guess, for something that has none: always the same for one `secret` of one restore. */
  draw(secret: string): string;
  /** The cluster that the state belongs to. */
  identify(clusterId: string): void;
}

/** One type of record. */
export interface RecordKind {
  readonly type: number;
  /** Its records, in the order in which they are to be restored. */
  save?(copy: StateCopy): Iterable<WriteRecord>;
  /** Throws PackError for what is no such record. */
  load(loading: Loading, body: Packed): void;
}

/** Index records by name; they come last in an archive. */
export interface ArchivedIndexes {
  save?(copy: StateCopy): Iterable<[name: string, value: number]>;
  /** Whether the name is one of this area's. */
  load?(loading: Loading, name: string, value: number): boolean;
}

/** What an area says of archives. */
export interface AreaArchive {
  readonly kinds?: readonly RecordKind[];
  /** Indexes that are named alike here and there. */
  readonly indexes?: readonly TableIndex[];
  readonly ownIndexes?: ArchivedIndexes;
}
