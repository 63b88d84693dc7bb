// Where nothing may be left out, there is a browser.

import { expect, test } from "vitest";

import { hasBrowser } from "../support/browser.ts";

test("a browser is there where one must be", () => {
  expect(hasBrowser || process.env.CI !== "true").toBe(true);
});
