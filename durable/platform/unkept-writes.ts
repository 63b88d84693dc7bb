// A disk that is full does not fail the statement that writes: the runtime commits after the turn, breaks the output
// gate when it cannot, and constructs the object anew, none of which the object is told. A server would come back as
// the leader that it was, and fail the next write, for ever. So it is noted, outside the objects, which of them has a
// write under way: one that is constructed while it had, twice in a row, is on storage that keeps nothing. Small writes
// may still find room between large ones that do not: many losses within seconds say the same.

interface Note {
  /** Number of the last write. */
  writes: number;
  kept: number;
  /** Instances in a row that ended in mid-write. */
  losses: number;
  /** When the last ones did, at most {@link flurry} of them. */
  lostAtMs: number[];
}

/** One instance may end in mid-write for many reasons. */
const lossesMax = 2;
/** So many within this time are no chance either, whatever was kept between them. */
const flurry = 5;
const flurryMs = 10_000;

export class UnkeptWrites {
  /** By object; as long as the isolate remembers, and one of those that are in it. */
  readonly #notes = new Map<string, Note>();

  /** Notes a write; `kept` resolves once everything written is on disk, and never when it will not be. */
  begin(object: string, kept: () => Promise<void>): void {
    const note = this.#notes.get(object) ?? { writes: 0, kept: 0, losses: 0, lostAtMs: [] };
    this.#notes.set(object, note);
    const number = ++note.writes;
    kept().then(
      () => {
        note.kept = Math.max(note.kept, number);
        note.losses = 0;
      },
      () => undefined,
    );
  }

  /** The object ended by itself, and has said why. */
  forget(object: string): void {
    this.#notes.delete(object);
  }

  /** An instance of it begins. Whether the storage keeps nothing; it is then given one more try. */
  constructed(object: string, nowMs: number): boolean {
    const note = this.#notes.get(object);
    if (!note) return false;
    if (note.kept === note.writes) {
      note.losses = 0;
      return false;
    }
    note.kept = note.writes;
    note.losses += 1;
    const recent = [...note.lostAtMs, nowMs].filter((atMs) => nowMs - atMs < flurryMs);
    note.lostAtMs = recent.slice(-flurry);
    if (note.losses < lossesMax && note.lostAtMs.length < flurry) return false;
    note.losses = lossesMax - 1;
    return true;
  }
}
