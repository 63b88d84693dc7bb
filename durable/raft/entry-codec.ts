// Log entries as bytes: the same packing in a row of the log and in a message between peers.
//
// Each entry is: kind (1 byte), index and term (8 bytes each, as IEEE doubles: both stay below 2^53), length of
// the data (4 bytes), data. Entries follow each other without gaps.

import { assert } from "../../src/core/lib/assert.ts";
import type { Entry } from "../../src/core/raft/types.ts";

/** What packing adds to the data of each entry. */
export const entryHeaderBytes = 21;
const kinds: readonly Entry["kind"][] = ["command", "noop", "configuration"];

export function packEntries(entries: readonly Entry[]): Uint8Array {
  let size = 0;
  for (const entry of entries) size += entryHeaderBytes + entry.data.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const entry of entries) {
    view.setUint8(at, kinds.indexOf(entry.kind));
    view.setFloat64(at + 1, entry.index);
    view.setFloat64(at + 9, entry.term);
    view.setUint32(at + 17, entry.data.length);
    bytes.set(entry.data, at + entryHeaderBytes);
    at += entryHeaderBytes + entry.data.length;
  }
  return bytes;
}

/** Throws when the bytes are not what {@link packEntries} makes, or the entries are not contiguous. */
export function unpackEntries(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Entry[] = [];
  let at = 0;
  while (at < bytes.length) {
    assert(at + entryHeaderBytes <= bytes.length, "packed entries end inside a header");
    const kind = kinds[view.getUint8(at)];
    assert(kind !== undefined, "packed entry of an unknown kind");
    const index = view.getFloat64(at + 1);
    const term = view.getFloat64(at + 9);
    assert(Number.isSafeInteger(index) && index > 0, "packed entry without an index");
    assert(Number.isSafeInteger(term) && term >= 0, "packed entry without a term");
    const length = view.getUint32(at + 17);
    const start = at + entryHeaderBytes;
    assert(start + length <= bytes.length, "packed entries end inside an entry");
    const previous = entries.at(-1);
    assert(!previous || index === previous.index + 1, "packed entries are not contiguous");
    entries.push({
      kind,
      index,
      term,
      data: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return entries;
}
