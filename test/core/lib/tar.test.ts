import { expect, test } from "vitest";

import { isZero, parseTarHeader, tarHeader, tarPadding } from "../../../src/core/lib/tar.ts";

test.each([
  ["a.txt", 0],
  ["state.bin", 511],
  ["x".repeat(99), 8 ** 11 - 1],
  ["huge", 8 ** 11],
  ["larger", 2 ** 50],
])("%s of %d bytes", (name, size) => {
  const header = tarHeader(name, size, 1_700_000_000_000);
  expect(header).toHaveLength(512);
  expect(parseTarHeader(header)).toEqual({ name, size });
});

test("a header is as Go writes it", () => {
  const header = Buffer.from(tarHeader("meta.json", 5, 1_700_000_000_000));
  const field = (at: number, length: number): string =>
    header.toString("latin1", at, at + length).replace(/\0+$/, "");
  expect([field(0, 100), field(100, 8), field(124, 12), field(136, 12)]).toEqual([
    ...["meta.json", "0000600", "00000000005", "14524770400"],
  ]);
  expect([field(156, 1), header.toString("latin1", 257, 265)]).toEqual(["0", "ustar\x0000"]);
});

test("a bit that fell over is found", () => {
  const header = tarHeader("meta.json", 5, 0);
  for (let at = 0; at < header.length; at++) {
    const flipped = header.slice();
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    // The last byte of the checksum's own field says nothing.
    if (at === 154 || at === 155) continue;
    expect(parseTarHeader(flipped), `byte ${at}`).toBeNull();
  }
});

test("blocks are filled up", () => {
  expect([0, 1, 511, 512, 513].map((size) => tarPadding(size).length)).toEqual([0, 511, 1, 0, 511]);
  expect([isZero(new Uint8Array(9)), isZero(Uint8Array.of(0, 1))]).toEqual([true, false]);
});
