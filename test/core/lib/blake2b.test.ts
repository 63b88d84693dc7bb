// RFC 7693 and the reference implementation's vectors, at the sizes where blocks begin and end.

import { expect, test } from "vitest";
import { blake2b } from "../../../src/core/lib/blake2b.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("RFC 7693, appendix A: the 64 bytes of abc", () => {
  expect(hex(blake2b(new TextEncoder().encode("abc"), 64))).toBe(
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" +
      "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
  );
});

/** 32 bytes of the hash of 0, 1, 2... */
const counted: [bytes: number, hash: string][] = [
  [0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"],
  [1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"],
  [64, "10d8e6d534b00939843fe9dcc4dae48cdf008f6b8b2b82b156f5404d874887f5"],
  [127, "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72"],
  [128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"],
  [129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"],
  [255, "1d0850ee9bca0abc9601e9deabe1418fedec2fb6ac4150bd5302d2430f9be943"],
  [256, "39a7eb9fedc19aabc83425c6755dd90e6f9d0c804964a1f4aaeea3b9fb599835"],
  [257, "45f7f084c30bac7cbae2e1963bc6e6b0d8cb227a12927e97fb941d288fb1f9a3"],
  [1000, "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec"],
];

test.each(counted)("32 bytes of %i bytes", (bytes, hash) => {
  expect(
    hex(
      blake2b(
        Uint8Array.from({ length: bytes }, (_, at) => at & 0xff),
        32,
      ),
    ),
  ).toBe(hash);
});
