// What servers compare to notice that they have diverged: a hash over (index, result, rows touched) of every
// applied entry, begun anew at each multiple of 1,024 entries, so that servers which were upgraded at different
// times, or took a snapshot, compare equal again after one window. Long texts are sampled: it must stay cheap.

import type { SqlRow, SqlValue } from "../lib/sql.ts";
import type { CommandOutcome } from "./commands.ts";
import type { TableDefinition } from "./table.ts";

/** Entries between two comparisons. */
export const digestWindow = 1_024;
/** Who compares may be this many windows behind. */
const marksKept = 8;
/** Of the algorithm: only digests of one version may be compared. Raise it with every change here. */
export const digestVersion = 2;

/** A window that is complete. */
export interface DigestMark {
  /** The last entry of the window, a multiple of {@link digestWindow}. */
  index: number;
  /** Of the entries after the mark before. Servers with the same state and version have the same. */
  digest: number;
  version: number;
}

/** Above the 32 bits of the hash stands the version; 0 is a window that was not followed from its start. */
const versionUnit = 2 ** 32;
const sampleCharacters = 64;
const basis = 0x811c9dc5;

export class Digest {
  #rows = 0;
  /** The newest last. */
  #marks: DigestMark[] = [];

  /** The newest complete window of this instance; null before the first. */
  get mark(): DigestMark | null {
    return this.#marks.at(-1) ?? null;
  }

  /** The last few windows that this instance saw whole, the newest last. */
  get marks(): readonly DigestMark[] {
    return this.#marks;
  }

  /** An entry begins, or what it did is undone. */
  forgetRows(): void {
    this.#rows = 0;
  }

  /** A row was written (or removed: null). The order of rows within an entry does not matter. */
  noteRow(definition: TableDefinition<SqlRow>, key: readonly SqlValue[], row: SqlRow | null): void {
    let hash = mix(basis, definition.name);
    for (const value of key) hash = mixValue(hash, value);
    if (row) {
      for (const column of Object.keys(definition.columns)) {
        // Older code does not have what `complete` derives.
        if (definition.derived?.includes(column)) continue;
        hash = mixValue(hash, row[column] as SqlValue);
      }
    }
    this.#rows = (this.#rows + hash) >>> 0;
  }

  /** The digest after an entry, from the one before it, which stood at `index` - 1. */
  advance(before: number, index: number, outcome: CommandOutcome): number {
    const isFirst = (index - 1) % digestWindow === 0;
    const isFollowed = Math.floor(before / versionUnit) === digestVersion;
    if (!isFirst && !isFollowed) return 0;
    // Texts of errors may improve; what they mean may not.
    const result = outcome.ok ? JSON.stringify(outcome.value) : outcome.error.code;
    let hash = mix(isFirst ? basis : before % versionUnit, `${index} ${this.#rows} ${outcome.ok}`);
    hash = mixValue(hash, result);
    if (index % digestWindow === 0) this.#pass({ index, digest: hash, version: digestVersion });
    return digestVersion * versionUnit + hash;
  }

  /** After a rollback or an install: `appliedIndex` is what the state really stands at. */
  reload(appliedIndex: number): void {
    this.forgetRows();
    this.#marks = this.#marks.filter(({ index }) => index <= appliedIndex);
  }

  #pass(mark: DigestMark): void {
    this.#marks.push(mark);
    if (this.#marks.length > marksKept) this.#marks.shift();
  }
}

function mixValue(hash: number, value: SqlValue): number {
  if (typeof value !== "string") return mix(hash, `\0${String(value)}`);
  if (value.length <= 2 * sampleCharacters) return mix(hash, `"${value}`);
  const sample = value.slice(0, sampleCharacters) + value.slice(-sampleCharacters);
  return mix(hash, `"${value.length} ${sample}`);
}

/** FNV-1a over UTF-16 code units, continued from `hash`. */
function mix(hash: number, text: string): number {
  let mixed = hash;
  for (let at = 0; at < text.length; at++) {
    mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  }
  return mixed >>> 0;
}
