import { expect, test } from "vitest";

import { PackError } from "../../../src/core/lib/msgpack.ts";
import { goTimeBytes, goTimeText } from "../../../src/core/state/archive/go-time.ts";

/** Bytes are those of Go's `MarshalBinary`. */
test.each([
  ["0001-01-01T00:00:00Z", "010000000000000000 00000000 ffff"],
  ["1970-01-01T00:00:00Z", "01 0000000e7791f700 00000000 ffff"],
  ["2026-11-26T12:57:09.047826178Z", "01 0000000ee29a23a5 02d9c502 ffff"],
  ["2020-06-01T10:00:00.5+02:00", "01 0000000ed666ac80 1dcd6500 0078"],
  ["2020-06-01T10:00:00-07:30", "01 0000000ed6673218 00000000 fe3e"],
  ["9999-12-31T23:59:59.999999999Z", "01 000000497786387f 3b9ac9ff ffff"],
])("%s", (text, hex) => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  expect(Buffer.from(goTimeBytes(text)).toString("hex")).toBe(bytes.toString("hex"));
  expect(goTimeText(bytes)).toBe(text);
});

test("no offset at all is UTC, too", () => {
  const bytes = goTimeBytes("2020-06-01T10:00:00Z");
  bytes.set([0, 0], 13);
  expect(goTimeText(bytes)).toBe("2020-06-01T10:00:00Z");
});

test.each(["", "yesterday", "2020-06-01", "2020-06-01T10:00:00", "2020-99-01T10:00:00Z"])(
  "%j is no time",
  (text) => {
    expect(() => goTimeBytes(text)).toThrow(PackError);
  },
);

test.each(["", "01", "02 0000000e7791f700 00000000 ffff", "01 7fffffffffffffff 00000000 ffff"])(
  "%j are no bytes of a time",
  (hex) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    expect(() => goTimeText(bytes)).toThrow(PackError);
  },
);
