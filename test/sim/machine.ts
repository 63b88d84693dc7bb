// The state machine under simulation: an interface with two implementations. The toy one is quick,
// and small enough to be believed: what clients were told is also judged by it (model-checker.ts).
// The other is the real one, on SQLite (sqlite-machine.ts).

import type { Entry } from "../../src/core/raft/types.ts";
import type { Found, Result } from "./commands.ts";

/** Cuts a snapshot in chunks while applies go on; reads the machine it was made from. */
export interface SnapshotCursor {
  next(): { data: Uint8Array; last: boolean };
  close(): void;
}

export interface SimStateMachine {
  /** Index of the entry that only newer code can apply; nothing is applied from there on. */
  readonly parkedAt: number | null;
  /** Applies entries, the next in order, with code that knows commands up to `version`; stops
   * before one that is newer. One result for each that was applied; null for Raft's own. */
  apply(entries: readonly Entry[], version: number): (Result | null)[];
  get(key: string): Found | null;
  /** The same for machines that have applied the same entries, however they got there. */
  digest(): string;
  snapshot(): SnapshotCursor;
  clear(): void;
  install(data: Uint8Array): void;
  /** After the last chunk of a snapshot, which stands for everything up to `index`. */
  finishInstall(index: number): void;
  /** An independent copy: what a restarted instance finds on disk. */
  fork(): SimStateMachine;
  /** Nobody asks this one any more. */
  close(): void;
}

export type MachineName = "toy" | "sqlite";
