// Bytes between peers and in rows of the log: what was encoded comes back, and what was not is
// refused in one of four ways, never taken for something else.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packEntries, unpackEntries } from "../../../durable/raft/entry-codec.ts";
import { decodeMessages, encodeMessages } from "../../../durable/raft/peer-codec.ts";
import { AssertionError } from "../../../src/core/lib/assert.ts";
import type { Entry, EntryKind, Message } from "../../../src/core/raft/types.ts";

const count = fc.maxSafeNat();
const text = fc.string({ unit: "grapheme", maxLength: 8 });
const bytes = fc.uint8Array({ maxLength: 40 });
const flag = fc.boolean();

/** A slice of a log: contiguous, and its terms do not go back. */
function slice(first: number, firstTerm: number): fc.Arbitrary<Entry[]> {
  const part = fc.record({
    kind: fc.constantFrom<EntryKind>("command", "noop", "configuration"),
    termUp: fc.nat(2),
    data: bytes,
  });
  return fc.array(part, { maxLength: 5 }).map((parts) => {
    let term = firstTerm;
    return parts.map(({ kind, termUp, data }, at) => {
      term += termUp;
      return { index: first + at, term, kind, data };
    });
  });
}

const entries = fc.tuple(fc.integer({ min: 1, max: 2 ** 50 }), fc.nat()).chain(([first, term]) => {
  return slice(first, term);
});

const envelope = { from: text, to: text, term: count, incarnation: count };
const reply = { ...envelope, toIncarnation: count };
const position = { lastIndex: count, lastTerm: count };
const member = fc.record({ id: text, name: text, address: text, voter: flag });
const final = fc.record({
  index: count,
  term: count,
  configuration: fc.record({
    index: count,
    configuration: fc.record({ members: fc.array(member, { maxLength: 3 }) }),
  }),
});

function type<T extends Message["type"]>(name: T): fc.Arbitrary<T> {
  return fc.constant(name);
}

const append = fc.tuple(fc.nat(), fc.nat()).chain(([prevIndex, prevTerm]) => {
  return fc.record({
    ...envelope,
    term: fc.constant(prevTerm + 100),
    type: type("append"),
    prevIndex: fc.constant(prevIndex),
    prevTerm: fc.constant(prevTerm),
    entries: slice(prevIndex + 1, prevTerm),
    commit: count,
    round: count,
    standDown: flag,
    compactable: count,
  });
});

const chunk = { stream: count, sequence: count, round: count };

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ ...envelope, ...position, type: type("preVote") }),
  fc.record({ ...reply, type: type("preVoteReply"), granted: flag }),
  fc.record({
    ...envelope,
    ...position,
    type: type("vote"),
    transferIncarnation: fc.option(count),
  }),
  fc.record({ ...reply, type: type("voteReply"), granted: flag }),
  append,
  fc.record({
    ...reply,
    type: type("appendReply"),
    round: count,
    outcome: fc.constantFrom("matched", "conflict", "stale", "snapshot"),
    index: count,
    hintIndex: count,
    hintTerm: count,
    commit: count,
  }),
  fc.record({
    ...envelope,
    ...chunk,
    type: type("snapshot"),
    data: bytes,
    final: fc.option(final),
    baseIndex: count,
    baseTerm: count,
  }),
  fc.record({
    ...reply,
    ...chunk,
    type: type("snapshotReply"),
    outcome: fc.constantFrom("received", "restart", "stale"),
  }),
  fc.record({ ...envelope, type: type("timeoutNow") }),
  fc.record({ ...envelope, type: type("probe"), commit: count }),
  fc.record({ ...reply, type: type("probeReply"), leading: flag }),
);

const messages = fc.array(message, { maxLength: 4 });

/** Whether `decode` takes the bytes; throws if it fails in a way that nobody expects. */
function accepts(decode: (data: Uint8Array) => unknown, data: Uint8Array): boolean {
  try {
    decode(data);
    return true;
  } catch (failure) {
    const expected = [RangeError, SyntaxError, TypeError, AssertionError];
    if (expected.some((kind) => failure instanceof kind)) return false;
    throw failure;
  }
}

/** Bytes with some of them changed. */
function mutated(given: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(10_000), fc.nat(255));
  return fc
    .tuple(given, fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([data, changes]) => {
      const copy = data.slice();
      for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
      return copy;
    });
}

describe("log entries", () => {
  test("come back as they went in, wherever their bytes lie", () => {
    fc.assert(
      fc.property(entries, fc.nat(9), (given, offset) => {
        const packed = packEntries(given);
        const moved = new Uint8Array(packed.length + offset + 3);
        moved.set(packed, offset);
        const found = unpackEntries(moved.subarray(offset, offset + packed.length));
        expect(found).toEqual(given);
      }),
    );
  });

  test("that end early are refused", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (given, cut) => {
        const packed = packEntries(given);
        const length = cut % (packed.length + 1);
        const ends = given.map((_, at) => packEntries(given.slice(0, at)).length);
        const whole = [...ends, packed.length].includes(length);
        expect(accepts(unpackEntries, packed.subarray(0, length))).toBe(whole);
      }),
    );
  });

  test("garbage is taken for entries, or refused", () => {
    const garbage = fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated(entries.map(packEntries)));
    fc.assert(
      fc.property(garbage, (data) => {
        // What is taken packs to the very same bytes.
        if (accepts(unpackEntries, data)) expect(packEntries(unpackEntries(data))).toEqual(data);
      }),
      { numRuns: 500 },
    );
  });
});

describe("messages between peers", () => {
  test("come back as they went in", () => {
    fc.assert(
      fc.property(messages, (given) => {
        expect(decodeMessages(encodeMessages(given))).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  test("that end early, or go on too long, are refused", () => {
    fc.assert(
      fc.property(messages, fc.nat(), (given, cut) => {
        const envelope = encodeMessages(given);
        const short = envelope.subarray(0, cut % envelope.length);
        expect(accepts(decodeMessages, short)).toBe(false);
        expect(accepts(decodeMessages, Uint8Array.of(...envelope, 0))).toBe(false);
      }),
    );
  });

  test("garbage is taken for messages, or refused", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      mutated(messages.map(encodeMessages)),
    );
    fc.assert(
      fc.property(garbage, (data) => {
        if (!accepts(decodeMessages, data)) return;
        const taken = decodeMessages(data);
        expect(decodeMessages(encodeMessages(taken))).toEqual(taken);
      }),
      { numRuns: 2000 },
    );
  });

  /** An envelope around a header that no codec made. */
  function headed(header: unknown): Uint8Array {
    const json = new TextEncoder().encode(JSON.stringify(header));
    const data = new Uint8Array(5 + json.length);
    data[0] = 1;
    new DataView(data.buffer).setUint32(1, json.length);
    data.set(json, 5);
    return data;
  }

  const sound = { from: "a", to: "b", term: 1, incarnation: 1 };
  const bare = { ...sound, type: "append", prevIndex: 4, prevTerm: 1, commit: 0, round: 1 };
  const appendHead = { ...bare, standDown: false, compactable: 0 };

  test.each([
    ["no list", { ...sound, type: "timeoutNow" }],
    ["nothing", [null]],
    ["a number", [5]],
    ["no envelope", [{ type: "timeoutNow" }]],
    ["a type from the prototype", [{ ...sound, type: "constructor" }]],
    ["a term that is text", [{ ...sound, term: "1", type: "timeoutNow" }]],
    ["a term that is a fraction", [{ ...sound, term: 1.5, type: "timeoutNow" }]],
    ["a negative index", [{ ...sound, type: "probe", commit: -1 }]],
    ["entries without a length", [{ ...appendHead, entries: { entries: -21 } }]],
    ["entries that are a list of JSON", [{ ...appendHead, entries: [5] }]],
    ["no entries", [appendHead]],
    ["bytes where there are none", [{ ...sound, type: "probe", commit: { bytes: 0 } }]],
  ])("a header with %s is refused", (_what, header) => {
    expect(accepts(decodeMessages, headed(header))).toBe(false);
  });

  test("entries that do not follow their append's position are refused", () => {
    const data = new Uint8Array();
    const base = { ...appendHead, term: 9, type: "append" as const };
    const taken = (given: Entry[]): boolean => {
      return accepts(decodeMessages, encodeMessages([{ ...base, entries: given }]));
    };
    expect(taken([{ index: 5, term: 1, kind: "noop", data }])).toBe(true);
    expect(taken([{ index: 6, term: 1, kind: "noop", data }])).toBe(false);
    expect(taken([{ index: 5, term: 0, kind: "noop", data }])).toBe(false);
    expect(taken([{ index: 5, term: 10, kind: "noop", data }])).toBe(false);
  });

  test("another version is refused", () => {
    const envelope = encodeMessages([]);
    envelope[0] = 2;
    expect(() => decodeMessages(envelope)).toThrow(/version 2/);
  });
});
