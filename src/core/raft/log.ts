// The log as the core sees it: what storage holds, plus a tail of recent entries in memory.
//
// Three marks divide it: entries up to `durableIndex` are acknowledged as persisted; those up to
// `handedIndex` are in the Ready being persisted; the rest wait for the next Ready. The tail keeps
// recent entries up to a byte budget, so that appends and applies seldom read storage. It lives and
// dies with the instance: after an exception the instance is discarded, and nothing here survives.

import { assert } from "../lib/assert.ts";
import { decodeConfiguration, emptyConfiguration } from "./membership.ts";
import type { LogReader } from "./storage.ts";
import type { Entry, IndexedConfiguration, LogPosition, SnapshotFinal } from "./types.ts";

/** Memory for entries that are already durable; a slower follower than this is fed from storage. */
const tailBytesMax = 4 * 1024 * 1024;
const entryOverheadBytes = 64;
const scanEntriesMax = 256;

export class RaftLog {
  readonly #reader: LogReader;
  #tail: Entry[] = [];
  #tailFirst: number;
  #tailBytes = 0;
  #lastTerm: number;
  /** A base that a snapshot has set and the host has not persisted yet. */
  #pendingBase: SnapshotFinal | null = null;
  #truncateFrom: number | null = null;
  lastIndex: number;
  durableIndex: number;
  handedIndex: number;
  commitIndex: number;
  appliedIndex: number;

  constructor(reader: LogReader, commitIndex: number, appliedIndex: number) {
    this.#reader = reader;
    this.lastIndex = reader.lastIndex();
    this.durableIndex = this.lastIndex;
    this.handedIndex = this.lastIndex;
    this.#tailFirst = this.lastIndex + 1;
    this.#lastTerm = reader.term(this.lastIndex) ?? 0;
    assert(appliedIndex <= this.lastIndex, "nothing is applied that is not in the log");
    assert(appliedIndex >= reader.baseIndex(), "nothing is compacted that is not applied");
    this.appliedIndex = appliedIndex;
    this.commitIndex = Math.max(appliedIndex, Math.min(commitIndex, this.lastIndex));
  }

  get lastTerm(): number {
    return this.#lastTerm;
  }

  firstIndex(): number {
    return this.#pendingBase === null ? this.#reader.firstIndex() : this.#pendingBase.index + 1;
  }

  /** undefined: compacted away, or beyond the end. */
  term(index: number): number | undefined {
    if (index === this.lastIndex) return this.#lastTerm;
    if (index > this.lastIndex || index < 0) return undefined;
    if (index >= this.#tailFirst) return this.#tail[index - this.#tailFirst]?.term;
    if (this.#pendingBase !== null) {
      return index === this.#pendingBase.index ? this.#pendingBase.term : undefined;
    }
    return this.#reader.term(index);
  }

  matches(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "entries are contiguous");
    assert(entry.term >= this.#lastTerm, "terms never go back along the log");
    this.#tail.push(entry);
    this.#tailBytes += entry.data.length + entryOverheadBytes;
    this.lastIndex = entry.index;
    this.#lastTerm = entry.term;
  }

  /** Takes in a leader's entries: what is already here stays, a conflict removes ours (§5.3).
   * Returns the index from which entries were replaced, or null when none were. */
  merge(entries: readonly Entry[]): number | null {
    let truncated: number | null = null;
    for (const entry of entries) {
      if (entry.index <= this.commitIndex) continue;
      if (entry.index <= this.lastIndex) {
        if (this.matches(entry.index, entry.term)) continue;
        this.truncate(entry.index);
        truncated ??= entry.index;
      }
      this.append(entry);
    }
    return truncated;
  }

  /** Deletes entries with index >= `from`. */
  truncate(from: number): void {
    assert(from > this.commitIndex, "a committed entry is never removed");
    const term = this.term(from - 1);
    assert(term !== undefined, "the entry before a conflict is known");
    this.#tail.length = Math.max(0, Math.min(this.#tail.length, from - this.#tailFirst));
    this.#tailFirst = Math.min(this.#tailFirst, from);
    this.#recount();
    this.lastIndex = from - 1;
    this.#lastTerm = term;
    if (from > this.handedIndex) return;
    this.#truncateFrom = Math.min(from, this.#truncateFrom ?? from);
    this.handedIndex = from - 1;
    this.durableIndex = Math.min(this.durableIndex, from - 1);
  }

  /** Entries in [from, toExclusive), at least one when there is one, then as many as fit. May stop
   * early where memory and storage meet. */
  slice(from: number, toExclusive: number, bytesMax: number): Entry[] {
    const end = Math.min(toExclusive, this.lastIndex + 1);
    if (from >= end) return [];
    if (from < this.#tailFirst) {
      const entries = this.#reader.entries(from, Math.min(end, this.#tailFirst), bytesMax);
      assert(entries[0]?.index === from, "storage returns the entry asked for");
      return entries;
    }
    const start = from - this.#tailFirst;
    const stop = end - this.#tailFirst;
    let bytes = 0;
    let position = start;
    while (position < stop) {
      bytes += (this.#tail[position] as Entry).data.length + entryOverheadBytes;
      if (bytes > bytesMax && position > start) break;
      position += 1;
    }
    return this.#tail.slice(start, position);
  }

  /** The largest position at or before `index` whose term is at most `term`: one round trip then
   * skips a whole conflicting term. Term 0 stands for one that is compacted away. Terms never go back
   * along the log, so it is found by halving: storage is slow to read one term. */
  findAtMost(index: number, term: number): LogPosition {
    const base = this.firstIndex() - 1;
    let high = Math.min(index, this.lastIndex);
    if (high < base) return { index: high, term: 0 };
    const highest = this.term(high) ?? 0;
    if (highest <= term) return { index: high, term: highest };
    let low = base;
    let found = this.term(base) ?? 0;
    if (found > term) return base === 0 ? { index: 0, term: found } : { index: base - 1, term: 0 };
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      const at = this.term(middle) ?? 0;
      if (at > term) high = middle;
      else [low, found] = [middle, at];
    }
    return { index: low, term: found };
  }

  /** The latest configuration at or before `index`, found by reading backwards. */
  configurationAt(index: number): IndexedConfiguration {
    const first = this.firstIndex();
    for (let end = Math.min(index, this.lastIndex); end >= first; end -= scanEntriesMax) {
      const entries = this.#collect(Math.max(first, end - scanEntriesMax + 1), end + 1);
      const entry = entries.findLast((candidate) => candidate.kind === "configuration");
      if (entry === undefined) continue;
      return { index: entry.index, configuration: decodeConfiguration(entry.data) };
    }
    const base = this.#pendingBase?.configuration ?? this.#reader.baseConfiguration();
    return base ?? { index: 0, configuration: emptyConfiguration };
  }

  #collect(from: number, toExclusive: number): Entry[] {
    const entries: Entry[] = [];
    while (from + entries.length < toExclusive) {
      entries.push(...this.slice(from + entries.length, toExclusive, tailBytesMax));
    }
    return entries;
  }

  /** Forgets everything: a snapshot begins (position 0) or ends (the position it stands for). */
  reset(base: SnapshotFinal): void {
    this.#tail = [];
    this.#tailFirst = base.index + 1;
    this.#tailBytes = 0;
    this.#truncateFrom = null;
    this.#pendingBase = base;
    this.#lastTerm = base.term;
    this.lastIndex = base.index;
    this.durableIndex = base.index;
    this.handedIndex = base.index;
    this.commitIndex = base.index;
    this.appliedIndex = base.index;
  }

  hasUnhanded(): boolean {
    return this.handedIndex < this.lastIndex;
  }

  /** What the next transaction writes; marks it as handed out. */
  takeUnhanded(): { truncateFrom: number | null; entries: Entry[] } {
    const entries = this.#tail.slice(this.handedIndex + 1 - this.#tailFirst);
    assert(entries.length === this.lastIndex - this.handedIndex, "unhanded entries are in memory");
    const truncateFrom = this.#truncateFrom;
    this.#truncateFrom = null;
    this.handedIndex = this.lastIndex;
    return { truncateFrom, entries };
  }

  /** The host has persisted what was handed out. */
  acknowledge(): void {
    this.durableIndex = this.handedIndex;
    if (this.#pendingBase !== null) {
      this.#pendingBase = null;
      assert(this.#reader.baseIndex() === this.#tailFirst - 1, "the host set the snapshot's base");
    }
    assert(this.#reader.lastIndex() === this.durableIndex, "storage ends where the core believes");
    if (this.#tailBytes > tailBytesMax) this.#evict();
  }

  /** What is durable can be read again, even where nobody applies it, as in a parked server. */
  #evict(): void {
    let dropped = 0;
    while (dropped < this.#tail.length && this.#tailBytes > tailBytesMax / 2) {
      const entry = this.#tail[dropped] as Entry;
      if (entry.index > this.durableIndex) break;
      this.#tailBytes -= entry.data.length + entryOverheadBytes;
      dropped += 1;
    }
    this.#tail = this.#tail.slice(dropped);
    this.#tailFirst += dropped;
  }

  #recount(): void {
    this.#tailBytes = 0;
    for (const entry of this.#tail) this.#tailBytes += entry.data.length + entryOverheadBytes;
  }
}
