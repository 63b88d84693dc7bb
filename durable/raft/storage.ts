// Raft's log and hard state in SQLite.
//
// Rows written are what costs money, so one row packs all entries that were appended together (at most
// `packedRowBytesMax`). A conflict inside a packed row rewrites that row in the same turn. Compaction removes
// only rows that lie wholly below the new base. Everything is synchronous; the platform's output gate makes it
// durable before anything leaves the object.

import { assert } from "../../src/core/lib/assert.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { LogReader } from "../../src/core/raft/storage.ts";
import { decodeConfiguration, emptyConfiguration } from "../../src/core/raft/membership.ts";
import type {
  Entry,
  HardState,
  IndexedConfiguration,
  LogPosition,
} from "../../src/core/raft/types.ts";
import { entryHeaderBytes, packEntries, unpackEntries } from "./entry-codec.ts";

/** The platform's limit for a row is 2 MB, and not enforced locally. */
const packedRowBytesMax = 1_000_000;

interface StateRow extends Record<string, string | number | null> {
  term: number;
  voted_for: string | null;
  leader: string | null;
  base_index: number;
  base_term: number;
  /** Set between the first and the last chunk of a snapshot. */
  installing_floor_index: number | null;
  installing_floor_term: number | null;
}

interface LogRow extends Record<string, number | Uint8Array> {
  first_index: number;
  last_index: number;
  last_term: number;
  entries: Uint8Array;
}

export class RaftStorage implements LogReader {
  readonly #sql: Sql;
  #state: StateRow;
  #lastIndex = 0;
  #lastTerm = 0;
  /** Bytes of all packed rows; null after some were deleted, until somebody asks. */
  #logBytes: number | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS raft_state (
      id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL, voted_for TEXT, leader TEXT,
      base_index INTEGER NOT NULL, base_term INTEGER NOT NULL,
      installing_floor_index INTEGER, installing_floor_term INTEGER) STRICT`);
    sql.exec(`CREATE TABLE IF NOT EXISTS raft_log (
      first_index INTEGER PRIMARY KEY, last_index INTEGER NOT NULL, last_term INTEGER NOT NULL,
      entries BLOB NOT NULL) STRICT`);
    sql.exec(`CREATE TABLE IF NOT EXISTS raft_configurations (
      log_index INTEGER PRIMARY KEY, configuration TEXT NOT NULL) STRICT`);
    sql.exec(
      `INSERT INTO raft_state VALUES (1, 0, NULL, NULL, 0, 0, NULL, NULL) ON CONFLICT DO NOTHING`,
    );
    this.#state = this.#loadState();
    this.#loadTail();
  }

  // Reading.

  get hardState(): HardState {
    const { term, voted_for: votedFor, leader } = this.#state;
    return { term, votedFor, leader };
  }

  baseConfiguration(): IndexedConfiguration | null {
    return this.configurationUpTo(this.#state.base_index);
  }

  /** The newest configuration, in the log or at its base; without members when there is none. */
  latestConfiguration(): IndexedConfiguration {
    const newest = this.configurationUpTo(this.#lastIndex);
    return newest ?? { index: 0, configuration: emptyConfiguration };
  }

  /** The configuration in force at `index`. */
  configurationUpTo(index: number): IndexedConfiguration | null {
    const [row] = this.#sql.exec<{ log_index: number; configuration: string }>(
      `SELECT log_index, configuration FROM raft_configurations WHERE log_index <= ?
       ORDER BY log_index DESC LIMIT 1`,
      index,
    );
    if (!row) return null;
    return {
      index: row.log_index,
      configuration: JSON.parse(row.configuration) as IndexedConfiguration["configuration"],
    };
  }

  baseIndex(): number {
    return this.#state.base_index;
  }

  baseTerm(): number {
    return this.#state.base_term;
  }

  /** What the log reached before a snapshot began that was not finished; null when none is under way. */
  get installing(): LogPosition | null {
    const { installing_floor_index: index, installing_floor_term: term } = this.#state;
    return index === null || term === null ? null : { index, term };
  }

  get empty(): boolean {
    return this.#lastIndex === 0 && this.#state.term === 0;
  }

  /** About the bytes that the log takes on disk. */
  logBytes(): number {
    this.#logBytes ??=
      this.#sql.exec<{ bytes: number }>(
        "SELECT coalesce(sum(length(entries)), 0) AS bytes FROM raft_log",
      )[0]?.bytes ?? 0;
    return this.#logBytes;
  }

  firstIndex(): number {
    return this.#state.base_index + 1;
  }

  lastIndex(): number {
    return this.#lastIndex;
  }

  term(index: number): number | undefined {
    if (index === this.#state.base_index) return this.#state.base_term;
    if (index === this.#lastIndex) return this.#lastTerm;
    if (index < this.#state.base_index || index > this.#lastIndex) return undefined;
    return this.entries(index, index + 1, 1)[0]?.term;
  }

  /** Entries of [from, toExclusive), stopping after `bytesMax` of data but never before the first one. */
  entries(from: number, toExclusive: number, bytesMax: number): Entry[] {
    const found: Entry[] = [];
    let size = 0;
    let next = from;
    while (next < toExclusive) {
      const [row] = this.#sql.exec<LogRow>(
        "SELECT * FROM raft_log WHERE first_index <= ? ORDER BY first_index DESC LIMIT 1",
        next,
      );
      if (!row || row.last_index < next) break;
      for (const entry of unpackEntries(row.entries)) {
        if (entry.index < next || entry.index >= toExclusive) continue;
        size += entry.data.length;
        if (found.length > 0 && size > bytesMax) return found;
        found.push(entry);
      }
      next = row.last_index + 1;
    }
    return found;
  }

  // Writing. All of it inside the caller's transaction.

  saveHardState(hardState: HardState): void {
    this.#sql.exec(
      "UPDATE raft_state SET term = ?, voted_for = ?, leader = ? WHERE id = 1",
      hardState.term,
      hardState.votedFor,
      hardState.leader,
    );
    Object.assign(this.#state, {
      term: hardState.term,
      voted_for: hardState.votedFor,
      leader: hardState.leader,
    });
  }

  /** Deletes every entry at or after `index`. */
  truncate(index: number): void {
    assert(index > this.#state.base_index, "truncation below the base of the log");
    const [row] = this.#sql.exec<LogRow>(
      "SELECT * FROM raft_log WHERE first_index < ? AND last_index >= ?",
      index,
      index,
    );
    this.#sql.exec("DELETE FROM raft_log WHERE last_index >= ?", index);
    this.#sql.exec("DELETE FROM raft_configurations WHERE log_index >= ?", index);
    if (row) this.#insert(unpackEntries(row.entries).filter((entry) => entry.index < index));
    this.#loadTail();
  }

  append(entries: readonly Entry[]): void {
    const [first] = entries;
    if (!first) return;
    assert(first.index === this.#lastIndex + 1, "appended entries do not continue the log");
    let row: Entry[] = [];
    let size = 0;
    for (const entry of entries) {
      if (entry.kind === "configuration") this.#saveConfiguration(entry);
      const entryBytes = entryHeaderBytes + entry.data.length;
      if (row.length > 0 && size + entryBytes > packedRowBytesMax) {
        this.#insert(row);
        row = [];
        size = 0;
      }
      row.push(entry);
      size += entryBytes;
    }
    this.#insert(row);
  }

  /** Forgets packed rows that lie wholly at or below `index`, which every voter has and this peer has applied. */
  compact(index: number): void {
    const [row] = this.#sql.exec<LogRow>(
      "SELECT * FROM raft_log WHERE last_index <= ? ORDER BY last_index DESC LIMIT 1",
      index,
    );
    if (!row) return;
    this.#sql.exec("DELETE FROM raft_log WHERE last_index <= ?", row.last_index);
    this.#logBytes = null;
    this.#saveBase(row.last_index, row.last_term);
    this.#sql.exec(
      `DELETE FROM raft_configurations WHERE log_index <
       (SELECT max(log_index) FROM raft_configurations WHERE log_index <= ?)`,
      row.last_index,
    );
  }

  /** A snapshot begins: the log goes, and nothing here is whole until {@link finishInstalling}. */
  beginInstalling(floor: LogPosition): void {
    this.#sql.exec("DELETE FROM raft_log");
    this.#sql.exec("DELETE FROM raft_configurations");
    this.#sql.exec(
      `UPDATE raft_state SET installing_floor_index = ?, installing_floor_term = ?,
       base_index = 0, base_term = 0 WHERE id = 1`,
      floor.index,
      floor.term,
    );
    this.reload();
  }

  finishInstalling(index: number, term: number, configuration: IndexedConfiguration): void {
    this.#sql.exec(
      `UPDATE raft_state SET installing_floor_index = NULL, installing_floor_term = NULL
       WHERE id = 1`,
    );
    this.#sql.exec(
      "INSERT OR REPLACE INTO raft_configurations VALUES (?, ?)",
      configuration.index,
      JSON.stringify(configuration.configuration),
    );
    this.#saveBase(index, term);
    this.#loadTail();
  }

  /** Writes a row for no other reason than that only the newest instance of an object can. */
  fence(): void {
    this.#sql.exec("UPDATE raft_state SET term = term WHERE id = 1");
  }

  /** After a transaction that was rolled back: what memory holds may never have been written. */
  reload(): void {
    this.#state = this.#loadState();
    this.#loadTail();
  }

  #insert(entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (!first || !last) return;
    const packed = packEntries(entries);
    this.#sql.exec(
      "INSERT INTO raft_log (first_index, last_index, last_term, entries) VALUES (?, ?, ?, ?)",
      first.index,
      last.index,
      last.term,
      packed,
    );
    if (this.#logBytes !== null) this.#logBytes += packed.length;
    this.#lastIndex = last.index;
    this.#lastTerm = last.term;
  }

  #saveBase(index: number, term: number): void {
    this.#sql.exec("UPDATE raft_state SET base_index = ?, base_term = ? WHERE id = 1", index, term);
    this.#state = this.#loadState();
  }

  #saveConfiguration(entry: Entry): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO raft_configurations VALUES (?, ?)",
      entry.index,
      JSON.stringify(decodeConfiguration(entry.data)),
    );
  }

  #loadState(): StateRow {
    const [row] = this.#sql.exec<StateRow>("SELECT * FROM raft_state WHERE id = 1");
    assert(row, "raft_state has no row");
    return row;
  }

  #loadTail(): void {
    this.#logBytes = null;
    const [row] = this.#sql.exec<LogRow>(
      "SELECT first_index, last_index, last_term FROM raft_log ORDER BY first_index DESC LIMIT 1",
    );
    this.#lastIndex = row?.last_index ?? this.#state.base_index;
    this.#lastTerm = row?.last_term ?? this.#state.base_term;
  }
}
