// The storage port: what the core reads of the durable log and of snapshots. All calls are
// synchronous and see exactly what the host has persisted up to the last acknowledged Ready; the
// core never writes, it returns writes in a Ready (ready.ts).

import type { Entry, IndexedConfiguration, ServerId, SnapshotFinal } from "./types.ts";

/** The durable log. Entries `firstIndex()..lastIndex()` are contiguous; before them lies the base,
 * the position that compaction or a snapshot left (index 0, term 0 for a new log). */
export interface LogReader {
  baseIndex(): number;
  baseTerm(): number;
  /** The configuration in force at the base; null when there was none yet. */
  baseConfiguration(): IndexedConfiguration | null;
  /** Always baseIndex() + 1. */
  firstIndex(): number;
  /** baseIndex() when the log is empty. */
  lastIndex(): number;
  /** undefined outside baseIndex()..lastIndex(). */
  term(index: number): number | undefined;
  /** Entries in [from, toExclusive), at least one when there is one, then as many as fit. */
  entries(from: number, toExclusive: number, bytesMax: number): Entry[];
}

/** A piece of the state machine's state. `final` is set on the last, which the source cuts in one
 * turn together with the applied index, its term and the configuration in force there. */
export interface SnapshotChunk {
  data: Uint8Array;
  final: SnapshotFinal | null;
}

/** Reads the local state machine for a peer that needs a snapshot: a pre-copy in chunks of at most
 * 1 MB, during which applies go on. A stream is one receiver's cursor; it dies with the instance. */
export interface SnapshotSource {
  open(stream: number, to: ServerId): void;
  next(stream: number): SnapshotChunk;
  close(stream: number): void;
}
