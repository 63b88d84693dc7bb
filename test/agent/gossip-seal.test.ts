// The seal of what agents send each other: who can open it, how often, and for how long.

import { beforeEach, expect, test } from "vitest";

import { ReplayWindows } from "../../src/agent/gossip/replay.ts";
import { type Opened, Seal, sealBytes } from "../../src/agent/gossip/seal.ts";

const [old, fresh, foreign] = [16, 24, 32].map((length) =>
  Buffer.alloc(length, length).toString("base64"),
) as [string, string, string];
const said = Buffer.from("hello");
let nowMs = 1_700_000_000_000;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
});

function seal(keys: string[], verify: { in?: boolean; out?: boolean } = {}): Seal {
  const { in: verifyIncoming = true, out: verifyOutgoing = true } = verify;
  return new Seal({ keys: () => keys, verifyIncoming, verifyOutgoing, nowMs: () => nowMs });
}

function shown(opened: Opened): string {
  return "why" in opened
    ? opened.why
    : `${opened.bytes.toString()}${opened.key !== null ? " sealed" : ""}`;
}

test.each([[[old]], [[fresh, old]], [[foreign, fresh, old]]])(
  "what is sealed is opened once, with any key of the ring",
  (ring) => {
    const sealed = seal([old]).close(said);
    expect(sealed.length).toBe(said.length + sealBytes);
    expect(sealed.includes(said)).toBe(false);
    const opener = seal(ring);
    expect(shown(opener.open(sealed))).toBe("hello sealed");
    expect(shown(opener.open(sealed))).toBe("it has come before");
  },
);

test("a rotation never leaves anybody out", () => {
  const rings = [[old], [old, fresh], [fresh, old], [fresh]];
  for (const [at, ring] of rings.entries()) {
    for (const other of rings.slice(Math.max(0, at - 1), at + 2)) {
      expect(shown(seal(other).open(seal(ring).close(said)))).toBe("hello sealed");
    }
  }
});

test("foreign keys, changed bytes, and what is too short open nothing", () => {
  const sealed = seal([foreign]).close(said);
  expect(shown(seal([old, fresh]).open(sealed))).toBe("its key is unknown");
  const opener = seal([foreign]);
  for (let at = 1; at < sealed.length; at++) {
    const bent = Buffer.from(sealed);
    bent[at] = (bent[at] ?? 0) ^ 1;
    expect(shown(opener.open(bent))).toBe("its key is unknown");
    expect(opener.open(sealed.subarray(0, at))).toHaveProperty("why");
  }
  expect(shown(opener.open(sealed))).toBe("hello sealed");
  expect(shown(opener.open(Buffer.alloc(0)))).toBe("it is no message of an agent");
  expect(shown(seal([]).open(sealed))).toBe("it is encrypted, and this agent has no key");
});

test("what was sealed more than five minutes ago, or will be, is not taken", () => {
  const sealed = seal([old]).close(said);
  for (const [skewMs, text] of [
    [300_000, "hello sealed"],
    [-300_000, "hello sealed"],
    [301_000, "it is old, or the clocks differ by more than 5 minutes"],
    [-301_000, "it is old, or the clocks differ by more than 5 minutes"],
  ] as const) {
    nowMs = 1_700_000_000_000 + skewMs;
    expect(shown(seal([old]).open(sealed))).toBe(text);
  }
});

test("without a key nothing is sealed; with one, what is not is taken only on the way to it", () => {
  const plain = seal([]).close(said);
  expect(shown(seal([]).open(plain))).toBe("hello");
  expect(shown(seal([old]).open(plain))).toBe("it is not encrypted");
  expect(shown(seal([old], { in: false }).open(plain))).toBe("hello");
  expect(seal([old], { out: false }).close(said)).toEqual(plain);
});

test("numbers may overtake each other within the window, and none counts twice", () => {
  const windows = new ReplayWindows();
  const taken = (numbers: number[]): boolean[] =>
    numbers.map((number) => windows.take("a", number));
  expect(taken([10, 12, 11, 12, 10])).toEqual([true, true, true, false, false]);
  expect(taken([2_000, 977, 976, 2_001, 11])).toEqual([true, true, false, true, false]);
  // A long way on, the same places of the window stand for other numbers.
  expect(taken([2_000 + 10_240, 2_000 + 10_239])).toEqual([true, true]);
  expect(windows.take("b", 5)).toBe(true);
});
