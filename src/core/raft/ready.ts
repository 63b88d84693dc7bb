// Ready: everything the host must do, in the order of its fields.
//
//   1. In ONE storage transaction, top to bottom: `snapshot` events, `hardState`, `truncateFrom`,
//      `entries`, then apply `committed` to the state machine. With `fence` set, that transaction
//      must write at least one row even if all else is empty.
//   2. acknowledge(ready). Nothing else may be called on the Raft between takeReady and this; only
//      now does a leader count its own entries, and only now may the next Ready be taken.
//   3. Let `messages` leave, once the transaction is durable (on Cloudflare: the output gate).
//      Best effort: they may be lost, delayed, doubled or reordered.
//   4. Answer `reads`: each as soon as the applied index has reached its index.
//
// If anything throws in 1, the instance is finished: roll back, abort, construct anew from storage.
// A single-voter group commits without messages: the Ready after the one that carried the entries
// brings them back as `committed`. So drain in a loop until a Ready is `empty`; an empty one needs
// no acknowledgement.

import type { Entry, HardState, IndexedConfiguration, LogPosition, Message } from "./types.ts";

/** What a receiver of a snapshot must do to its storage. */
export type SnapshotEvent =
  /** Mark the storage as installing, with `floor`; delete the whole log and the whole state. */
  | { kind: "begin"; floor: LogPosition }
  /** Put these rows. */
  | { kind: "chunk"; data: Uint8Array }
  /** Set base index, base term, base configuration and applied index; clear the mark. */
  | { kind: "finish"; index: number; term: number; configuration: IndexedConfiguration };

/** The answer to readIndex(id). null: could not be confirmed (leadership lost); ask elsewhere. */
export interface ReadResult {
  id: number;
  index: number | null;
}

export interface Ready {
  snapshot: SnapshotEvent[];
  /** null: unchanged. */
  hardState: HardState | null;
  /** Delete persisted entries with index >= this; null: nothing to delete. */
  truncateFrom: number | null;
  /** Append, contiguous, after the truncation. */
  entries: Entry[];
  /** Write a row in any case: proves to the platform that this instance is the newest. */
  fence: boolean;
  /** Apply in order; all are in the log once `entries` are. */
  committed: Entry[];
  messages: Message[];
  reads: ReadResult[];
  empty: boolean;
}

/** Whether the transaction of this Ready writes anything but applied state. */
export function readyWrites(ready: Ready): boolean {
  return (
    ready.fence ||
    ready.hardState !== null ||
    ready.truncateFrom !== null ||
    ready.entries.length > 0 ||
    ready.snapshot.length > 0
  );
}
