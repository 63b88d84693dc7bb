// The checker itself, on histories small enough to judge by eye.

import { expect, test } from "vitest";
import { checkRegister } from "./linearizability.ts";
import type { RegisterOperation } from "./linearizability.ts";

function put(value: string, call: number, end: number): RegisterOperation {
  return { call, return: end, kind: "put", value, expected: null, result: "ok" };
}

function get(result: string | null, call: number, end: number): RegisterOperation {
  return { call, return: end, kind: "get", value: null, expected: null, result };
}

test("a read after a write sees it", () => {
  expect(checkRegister([put("a", 0, 1), get("a", 2, 3)])).toBeNull();
  expect(checkRegister([put("a", 0, 1), get(null, 2, 3)])).not.toBeNull();
});

test("a read beside a write may see either", () => {
  expect(checkRegister([put("a", 0, 5), get("a", 2, 3)])).toBeNull();
  expect(checkRegister([put("a", 0, 5), get(null, 2, 3)])).toBeNull();
});

test("what was seen once is not unseen", () => {
  expect(checkRegister([put("a", 0, 9), get("a", 1, 2), get(null, 3, 4)])).not.toBeNull();
});

test("an unanswered write may take effect late or never", () => {
  const never = Number.POSITIVE_INFINITY;
  expect(checkRegister([put("a", 0, never), get(null, 5, 6), get("a", 7, 8)])).toBeNull();
  expect(checkRegister([put("a", 0, never), get("a", 5, 6), get(null, 7, 8)])).not.toBeNull();
});

test("a compare-and-set that succeeded found what it expected", () => {
  const cas: RegisterOperation = {
    call: 2,
    return: 3,
    kind: "cas",
    value: "b",
    expected: "a",
    result: "ok",
  };
  expect(checkRegister([put("a", 0, 1), cas, get("b", 4, 5)])).toBeNull();
  expect(checkRegister([put("x", 0, 1), cas])).not.toBeNull();
});
