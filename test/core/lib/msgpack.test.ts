import { describe, expect, test } from "vitest";

import {
  type Packed,
  PackEnd,
  Packer,
  PackError,
  Unpacker,
} from "../../../src/core/lib/msgpack.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

function packed(write: (packer: Packer) => void): string {
  const packer = new Packer();
  write(packer);
  return hex(packer.take());
}

/** As Go's codec writes them: what is positive is unsigned, and takes the fewest bytes. */
test.each<[number | bigint, string]>([
  [0, "00"],
  [127, "7f"],
  [128, "cc80"],
  [255, "ccff"],
  [256, "cd0100"],
  [65_535, "cdffff"],
  [65_536, "ce00010000"],
  [4_294_967_295, "ceffffffff"],
  [4_294_967_296, "cf0000000100000000"],
  [18_446_744_073_709_551_615n, "cfffffffffffffffff"],
  [-1, "ff"],
  [-32, "e0"],
  [-33, "d0df"],
  [-128, "d080"],
  [-129, "d1ff7f"],
  [-32_769, "d2ffff7fff"],
  [-2_147_483_649, "d3ffffffff7fffffff"],
])("the integer %s", (value, expected) => {
  expect(packed((packer) => packer.integer(value))).toBe(expected);
  expect(new Unpacker(bytesOf(expected)).value()).toBe(value);
});

test.each<[number, string]>([
  [31, "bf"],
  [32, "da0020"],
  [65_535, "daffff"],
  [65_536, "db00010000"],
])("a text of %d bytes", (length, head) => {
  const text = "x".repeat(length);
  const written = packed((packer) => packer.text(text));
  expect(written.slice(0, head.length)).toBe(head);
  expect(written.length).toBe(head.length + 2 * length);
  expect(new Unpacker(bytesOf(written)).value()).toEqual(new Uint8Array(Buffer.from(text)));
});

test.each<[string, string, Packed]>([
  ["nil", "c0", null],
  ["false", "c2", false],
  ["true", "c3", true],
  ["a double", "cb3ff8000000000000", 1.5],
  ["a single", "ca41f3d70a", 30.48],
  ["bytes of the new specification", "c403010203", Uint8Array.of(1, 2, 3)],
  ["a short text of the new specification", "d90161", Uint8Array.of(0x61)],
  ["a list", "9301c0c3", [1, null, true]],
  ["a long list", "dc000101", [1]],
  ["a map", "81a16101", new Map([["a", 1]])],
  ["a long map", "de0001a16101", new Map([["a", 1]])],
  ["a number beyond doubles", "cf8000000000000001", 9_223_372_036_854_775_809n],
])("%s is read", (_what, written, value) => {
  expect(new Unpacker(bytesOf(written)).value()).toEqual(value);
});

describe("what is no value", () => {
  const whole = packed((packer) => {
    packer.map(2);
    packer.text("a");
    packer.list(2);
    packer.integer(70_000);
    packer.text("x".repeat(40));
    packer.text("b");
    packer.float(1.5);
  });

  test("breaks off", () => {
    const bytes = bytesOf(whole);
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      expect(() => new Unpacker(cut).value(), `${length} bytes`).toThrow(PackEnd);
      expect(() => new Unpacker(cut).skip(), `${length} bytes`).toThrow(PackEnd);
    }
  });

  test.each([
    ["c1", "no value begins with byte 193"],
    ["d4 00 00", "no value begins with byte 212"],
    ["81 01 01", "a key is no text"],
    ["91".repeat(300) + "c0", "it is nested too deeply"],
  ])("%s: %s", (written, told) => {
    expect(() => new Unpacker(bytesOf(written)).value()).toThrow(new PackError(told));
  });

  test("says how long it is, and is not", () => {
    for (const written of ["dbffffffff", "ddffffffff01", "dfffffffff"]) {
      expect(() => new Unpacker(bytesOf(written)).value()).toThrow(PackEnd);
      expect(() => new Unpacker(bytesOf(written)).skip()).toThrow(PackEnd);
    }
  });

  test("is whatever it may be: nothing else is thrown", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    for (let round = 0; round < 5_000; round++) {
      const bytes = Uint8Array.from({ length: random() % 40 }, () => random() % 256);
      for (const read of ["value", "skip"] as const) {
        const unpacker = new Unpacker(bytes);
        try {
          while (!unpacker.isAtEnd) unpacker[read]();
        } catch (failure) {
          expect(failure).toBeInstanceOf(PackError);
        }
      }
    }
  });
});

test("a value is stepped over as far as it is read", () => {
  const bytes = bytesOf("82 a161 93 01 da0001 78 c0 a162 81 a163 cb3ff8000000000000 07");
  const [reader, skipper] = [new Unpacker(bytes), new Unpacker(bytes)];
  reader.value();
  skipper.skip();
  expect(skipper.at).toBe(reader.at);
  expect(skipper.byte()).toBe(7);
  expect(skipper.isAtEnd).toBe(true);
});

test("what was taken, or forgotten, is not there any more", () => {
  const packer = new Packer();
  packer.text("a".repeat(5_000));
  expect(packer.length).toBe(5_003);
  packer.clear();
  packer.nil();
  expect(hex(packer.take())).toBe("c0");
  expect(hex(packer.take())).toBe("");
});
