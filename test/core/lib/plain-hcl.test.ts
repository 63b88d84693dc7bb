// HCL as plain values: blocks, labels, repetition, lists, literals, names that mean something to JavaScript.

import { expect, test } from "vitest";

import { parseHcl } from "../../../src/core/lib/hcl/parser.ts";
import { plainHcl } from "../../../src/core/lib/hcl/plain.ts";

test.each([
  [
    'a = 1 b = "x" c = true d = 1.5 e = [1, "y"] f = 0x10',
    { a: 1, b: "x", c: true, d: 1.5, e: [1, "y"], f: 16 },
  ],
  ["service { port = 1 }", { service: [{ port: 1 }] }],
  ["service { port = 1 } service { port = 2 }", { service: [{ port: 1 }, { port: 2 }] }],
  ['service "web" { port = 1 }', { service: [{ web: [{ port: 1 }] }] }],
  ['checks = [{ ttl = "1s" }]', { checks: [{ ttl: "1s" }] }],
  ["a = 1 a = 2", { a: 2 }],
  ['{"a": {"b": [1]}, "c": null}', { a: [{ b: [1] }], c: null }],
])("%s", (text, value) => {
  expect(plainHcl(parseHcl(text))).toEqual(value);
});

test("a single block as an object, where the reader prefers that", () => {
  const document = parseHcl('a { b { c = [1] } } d "x" { e = 1 } f { } f { }');
  expect(plainHcl(document, { single: "object" })).toEqual({
    a: { b: { c: [1] } },
    d: { x: { e: 1 } },
    f: [{}, {}],
  });
});

test("a block of the name __proto__ is only a block", () => {
  const plain = plainHcl(parseHcl("__proto__ { a = 1 }"));
  expect(Object.keys(plain)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
});
