import { expect, test } from "vitest";

import { bytesOfAddress, familyOf } from "../../../src/core/dns/address.ts";

test("four numbers up to 255 are an IPv4 address, and nothing else is", () => {
  for (const good of ["0.0.0.0", "10.9.9.9", "255.255.255.255", "010.001.0.1"]) {
    expect([good, familyOf(good)]).toEqual([good, "ipv4"]);
  }
  const bad = ["", "1", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1..3.4", "256.1.1.1", "1.2.3.0004"];
  for (const text of [...bad, "1.2.3.4.5", "1.2.3.x", "1,2,3,4", " 1.2.3.4", "١.٢.٣.٤"]) {
    expect([text, familyOf(text)]).toEqual([text, null]);
  }
});

test("an address has its bytes, a host name none", () => {
  expect(bytesOfAddress("10.0.1.255")).toEqual([10, 0, 1, 255]);
  expect(bytesOfAddress("2001:db8::1")).toEqual([
    32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
  ]);
  expect(bytesOfAddress("db.example.com")).toEqual([]);
});
