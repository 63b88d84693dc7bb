// Copies of this server's state for peers that need one: the state machine's streams, ended by the position in the log
// that the whole copy stands for.

import type { SnapshotChunk, SnapshotSource } from "../../src/core/raft/storage.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { RaftStorage } from "./storage.ts";

type Stream = ReturnType<StateMachine["openSnapshot"]>;

const chunkBytesMax = 1_000_000;

export class StateSnapshots implements SnapshotSource {
  readonly #storage: RaftStorage;
  readonly #machine: StateMachine;
  readonly #streams = new Map<number, Stream>();

  constructor(storage: RaftStorage, machine: StateMachine) {
    this.#storage = storage;
    this.#machine = machine;
  }

  open(stream: number): void {
    this.#streams.set(stream, this.#machine.openSnapshot());
  }

  next(stream: number): SnapshotChunk {
    const open = this.#streams.get(stream);
    if (!open) throw new Error(`snapshot stream ${stream} is not open`);
    const { data, final } = open.next(chunkBytesMax);
    return { data, final: final ? this.#position() : null };
  }

  close(stream: number): void {
    const open = this.#streams.get(stream);
    if (!open) return;
    this.#streams.delete(stream);
    this.#machine.closeSnapshot(open);
  }

  /** Cut in the same turn as the last chunk. */
  #position(): NonNullable<SnapshotChunk["final"]> {
    const index = this.#machine.appliedIndex;
    const term = this.#storage.term(index);
    const configuration = this.#storage.configurationUpTo(index);
    if (term === undefined || !configuration) {
      throw new Error(`the log does not reach the applied index ${index}`);
    }
    return { index, term, configuration };
  }
}
