// What lies outside, as workerd reaches it.

import { expect, inject, test } from "vitest";

import { fetchOutside } from "../../durable/platform/cloudflare/outside.ts";
import { outsideContract } from "../contract/outside.ts";

declare module "vitest" {
  interface ProvidedContext {
    outsidePort: number;
  }
}

outsideContract(
  () => fetchOutside,
  () => inject("outsidePort"),
);

test("whose certificates are verified is the platform's to say", () => {
  expect([fetchOutside.trustsGiven, fetchOutside.skipsVerification]).toEqual([false, false]);
});
