// Simulated storage: an image of what a server has persisted, and the transactions that change it.
//
// A server has one durable image; every instance works on its own fork of it, as SQLite shows a
// transaction's writes at once though they are not durable yet. A transaction reaches the durable
// image after the disk's latency, in order; a crash drops those that have not, and a superseded
// instance's never do.

import { assert } from "../../src/core/lib/assert.ts";
import { decodeConfiguration } from "../../src/core/raft/membership.ts";
import type { Ready } from "../../src/core/raft/ready.ts";
import type { LogReader } from "../../src/core/raft/storage.ts";
import type {
  Entry,
  HardState,
  IndexedConfiguration,
  LogPosition,
} from "../../src/core/raft/types.ts";
import type { Result } from "./commands.ts";
import type { SimStateMachine } from "./machine.ts";

export type Transaction =
  | { type: "ready"; ready: Ready; appliedIndex: number }
  /** Deletes entries up to `index`. */
  | { type: "compact"; index: number };

export class DiskImage implements LogReader {
  hardState: HardState = { term: 0, votedFor: null, leader: null };
  base: { index: number; term: number; configuration: IndexedConfiguration | null } = {
    index: 0,
    term: 0,
    configuration: null,
  };
  log: Entry[] = [];
  appliedIndex = 0;
  installing: LogPosition | null = null;
  machine: SimStateMachine;

  constructor(machine: SimStateMachine) {
    this.machine = machine;
  }

  fork(): DiskImage {
    const copy = new DiskImage(this.machine.fork());
    copy.hardState = this.hardState;
    copy.base = this.base;
    copy.log = this.log.slice();
    copy.appliedIndex = this.appliedIndex;
    copy.installing = this.installing;
    return copy;
  }

  get empty(): boolean {
    return this.lastIndex() === 0 && this.hardState.term === 0 && this.installing === null;
  }

  baseIndex(): number {
    return this.base.index;
  }

  baseTerm(): number {
    return this.base.term;
  }

  baseConfiguration(): IndexedConfiguration | null {
    return this.base.configuration;
  }

  firstIndex(): number {
    return this.base.index + 1;
  }

  lastIndex(): number {
    return this.base.index + this.log.length;
  }

  term(index: number): number | undefined {
    if (index === this.base.index) return this.base.term;
    return this.log[index - this.base.index - 1]?.term;
  }

  entries(from: number, toExclusive: number, bytesMax: number): Entry[] {
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = from; index < toExclusive; index += 1) {
      const entry = this.log[index - this.base.index - 1];
      if (entry === undefined) break;
      bytes += entry.data.length;
      if (bytes > bytesMax && found.length > 0) break;
      found.push(entry);
    }
    return found;
  }

  /** The latest configuration at or before `index`. */
  configurationAt(index: number): IndexedConfiguration {
    for (let at = Math.min(index, this.lastIndex()); at > this.base.index; at -= 1) {
      const entry = this.log[at - this.base.index - 1];
      if (entry?.kind !== "configuration") continue;
      return { index: at, configuration: decodeConfiguration(entry.data) };
    }
    return this.base.configuration ?? { index: 0, configuration: { members: [] } };
  }

  /** Everything of a Ready but the applying. */
  persist(ready: Ready): void {
    for (const event of ready.snapshot) {
      if (event.kind === "begin") this.#beginInstall(event.floor);
      else if (event.kind === "chunk") this.machine.install(event.data);
      else {
        const { index, term, configuration } = event;
        this.base = { index, term, configuration };
        this.appliedIndex = index;
        this.installing = null;
        this.machine.finishInstall(index);
      }
    }
    if (ready.hardState !== null) this.hardState = ready.hardState;
    if (ready.truncateFrom !== null) {
      assert(ready.truncateFrom > this.base.index, "what is compacted is not truncated");
      this.log.length = Math.min(this.log.length, ready.truncateFrom - this.base.index - 1);
    }
    for (const entry of ready.entries) {
      assert(entry.index === this.lastIndex() + 1, "entries reach the disk in order");
      this.log.push(entry);
    }
  }

  #beginInstall(floor: LogPosition): void {
    this.installing = floor;
    this.log = [];
    this.base = { index: 0, term: 0, configuration: null };
    this.appliedIndex = 0;
    this.machine.clear();
  }

  /** Applies what code that knows commands up to `version` can; one result for each applied. */
  apply(entries: readonly Entry[], version = Number.POSITIVE_INFINITY): (Result | null)[] {
    if (entries.length === 0) return [];
    assert(entries[0]?.index === this.appliedIndex + 1, "entries are applied in order");
    const results = this.machine.apply(entries, version);
    this.appliedIndex += results.length;
    return results;
  }

  compact(index: number): void {
    const to = Math.min(index, this.appliedIndex);
    if (to <= this.base.index) return;
    const term = this.term(to);
    assert(term !== undefined, "what is compacted was here");
    const configuration = this.configurationAt(to);
    this.log = this.log.slice(to - this.base.index);
    this.base = { index: to, term, configuration };
  }

  run(transaction: Transaction): void {
    if (transaction.type === "compact") {
      this.compact(transaction.index);
      return;
    }
    this.persist(transaction.ready);
    const { ready, appliedIndex } = transaction;
    this.apply(ready.committed.filter((entry) => entry.index <= appliedIndex));
  }
}
