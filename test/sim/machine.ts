// The state machine under simulation: an interface, and a toy key-value store that is the default.
// Another one (for example the SQLite one of src/core/state) is plugged in by a factory in
// RunOptions; it must understand the commands of commands.ts.

import type { Entry } from "../../src/core/raft/types.ts";
import { decodeCommand } from "./commands.ts";

/** Cuts a snapshot in chunks while applies go on; reads the machine it was made from. */
export interface SnapshotCursor {
  next(): { data: Uint8Array; last: boolean };
}

export interface SimStateMachine {
  /** Applies one entry, the next in order; the result goes to the client that waits for it. */
  apply(entry: Entry): string | null;
  get(key: string): string | null;
  /** The same for machines that have applied the same entries, however they got there. */
  digest(): string;
  snapshot(): SnapshotCursor;
  clear(): void;
  install(data: Uint8Array): void;
  /** An independent copy: what a restarted instance finds on disk. */
  fork(): SimStateMachine;
}

type Row = [key: string, value: string | null];

export class ToyMachine implements SimStateMachine {
  #rows: Map<string, string>;
  /** Keys changed since each open snapshot passed them. */
  #cursors = new Set<ToyCursor>();

  constructor(rows: Map<string, string> = new Map()) {
    this.#rows = rows;
  }

  apply(entry: Entry): string | null {
    if (entry.kind !== "command") return null;
    const command = decodeCommand(entry.data);
    const current = this.get(command.key);
    if (command.type === "cas" && current !== command.expected) return "mismatch";
    this.#rows.set(command.key, command.value);
    for (const cursor of this.#cursors) cursor.changed(command.key);
    return "ok";
  }

  get(key: string): string | null {
    return this.#rows.get(key) ?? null;
  }

  keys(): string[] {
    return [...this.#rows.keys()].toSorted();
  }

  digest(): string {
    return this.keys()
      .map((key) => `${key}=${this.get(key)}`)
      .join(",");
  }

  snapshot(): SnapshotCursor {
    const cursor = new ToyCursor(this);
    this.#cursors.add(cursor);
    return cursor;
  }

  clear(): void {
    this.#rows.clear();
    this.#cursors.clear();
  }

  install(data: Uint8Array): void {
    for (const [key, value] of JSON.parse(new TextDecoder().decode(data)) as Row[]) {
      if (value !== null) this.#rows.set(key, value);
    }
  }

  fork(): SimStateMachine {
    return new ToyMachine(new Map(this.#rows));
  }
}

/** One key a chunk, so that even a small store is cut in several; changed keys travel again. */
class ToyCursor implements SnapshotCursor {
  readonly #machine: ToyMachine;
  #passed = "";
  #dirty = new Set<string>();

  constructor(machine: ToyMachine) {
    this.#machine = machine;
  }

  changed(key: string): void {
    if (key <= this.#passed) this.#dirty.add(key);
  }

  next(): { data: Uint8Array; last: boolean } {
    const rest = this.#machine.keys().filter((key) => key > this.#passed);
    const last = rest.length <= 1;
    const keys = rest.slice(0, 1);
    if (last) keys.push(...this.#dirty);
    this.#passed = keys[0] !== undefined && keys[0] > this.#passed ? keys[0] : this.#passed;
    const rows: Row[] = keys.map((key) => [key, this.#machine.get(key)]);
    return { data: new TextEncoder().encode(JSON.stringify(rows)), last };
  }
}
