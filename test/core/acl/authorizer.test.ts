// Which rule decides (semantics §11.2), by a table, and by comparison with a slow search through all rules.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Access } from "../../../src/core/acl/access.ts";
import { type DefaultPolicy, RuleAuthorizer } from "../../../src/core/acl/authorizer.ts";
import { type Level, parseRules, type Rule } from "../../../src/core/acl/rules.ts";

function authorizer(rules: string, defaultPolicy: DefaultPolicy = "deny"): RuleAuthorizer {
  return new RuleAuthorizer(parseRules(rules), defaultPolicy);
}

describe("one rule", () => {
  test.each([
    ["deny", [false, false, false]],
    ["read", [true, false, false]],
    ["list", [true, true, false]],
    ["write", [true, true, true]],
  ])("%s grants", (level, granted) => {
    const may = authorizer(`key "a" { policy = "${level}" }`);
    const accesses: Access[] = ["read", "list", "write"];
    expect(accesses.map((access) => may.allows("key", "a", access))).toEqual(granted);
  });
});

test.each([
  ["exact beats prefix", 'key "a" { policy = "deny" } key_prefix "a" { policy = "write" }', false],
  [
    "the longest prefix wins",
    'key_prefix "" { policy = "write" } key_prefix "a" { policy = "deny" }',
    false,
  ],
  [
    "a longer prefix may open",
    'key_prefix "" { policy = "deny" } key_prefix "a" { policy = "write" }',
    true,
  ],
  [
    "deny beats write on one segment",
    'key "a" { policy = "write" } key "a" { policy = "deny" }',
    false,
  ],
  [
    "write beats read on one segment",
    'key "a" { policy = "read" } key "a" { policy = "write" }',
    true,
  ],
  ["names are told apart by case", 'key "A" { policy = "write" }', false],
  ["another resource", 'service "a" { policy = "write" }', false],
])("%s", (_name, rules, expected) => {
  expect(authorizer(rules).allows("key", "a", "write")).toBe(expected);
});

describe("the default", () => {
  test.each<[DefaultPolicy, boolean, boolean]>([
    ["allow", true, false],
    ["deny", false, false],
    ["manage", true, true],
  ])("%s", (policy, key, acl) => {
    const may = authorizer("", policy);
    expect(may.allows("key", "a", "write")).toBe(key);
    expect(may.allows("acl", "", "read")).toBe(acl);
  });
});

test.each([
  ["write above and nothing below", 'key_prefix "a/" { policy = "write" }', true],
  ["read above", 'key_prefix "a/" { policy = "read" }', false],
  ["one key below", 'key_prefix "a/" { policy = "write" } key "a/b" { policy = "read" }', false],
  [
    "one prefix below",
    'key_prefix "" { policy = "write" } key_prefix "a/b" { policy = "deny" }',
    false,
  ],
  ["a rule beside", 'key_prefix "a" { policy = "write" } key "ab" { policy = "deny" }', true],
  ["only below", 'key_prefix "a/b" { policy = "write" }', false],
])("a tree of keys, %s", (_name, rules, expected) => {
  expect(authorizer(rules).allowsKeyTree("a/")).toBe(expected);
});

describe("intentions", () => {
  test("whoever may see or change a service may see its intentions", () => {
    const may = authorizer('service "a" { policy = "write" } service "b" { policy = "deny" }');
    expect(may.allows("intention", "a", "read")).toBe(true);
    expect(may.allows("intention", "a", "write")).toBe(false);
    expect(may.allows("intention", "b", "read")).toBe(false);
  });

  test("those of all services", () => {
    const rules = 'service "a" { policy = "read" intentions = "write" }';
    expect(authorizer(rules).allows("intention", "*", "read")).toBe(true);
    expect(authorizer(rules, "allow").allows("intention", "*", "write")).toBe(true);
    const denied = 'service "a" { policy = "read" intentions = "deny" }';
    expect(authorizer(denied, "allow").allows("intention", "*", "write")).toBe(false);
  });
});

const strongest: readonly Level[] = ["deny", "write", "list", "read"];

const keyName = fc.stringMatching(/^[ab]{0,4}$/);
const keyRule = fc.record({
  resource: fc.constant("key" as const),
  segment: keyName,
  isPrefix: fc.boolean(),
  level: fc.constantFrom(...strongest),
});

/** The same by looking at every rule. */
function slowly(rules: readonly Rule[], segment: string): Level | undefined {
  const exact = rules.filter((rule) => !rule.isPrefix && rule.segment === segment);
  const above = rules.filter((rule) => rule.isPrefix && segment.startsWith(rule.segment));
  const longest = Math.max(...above.map((rule) => rule.segment.length));
  const nearest = above.filter((rule) => rule.segment.length === longest);
  const chosen = exact.length > 0 ? exact : nearest;
  return strongest.find((level) => chosen.some((rule) => rule.level === level));
}

test("decides as a search through all rules does", () => {
  fc.assert(
    fc.property(fc.array(keyRule, { maxLength: 12 }), keyName, (rules, asked) => {
      const decided = new RuleAuthorizer(rules, "deny").decide("key", asked, "read");
      expect(decided.rule?.level).toBe(slowly(rules, asked));
    }),
  );
});

test("whoever reads all is refused none", () => {
  const forAll = { resource: "key", segment: "", isPrefix: true, level: "read" } as const;
  fc.assert(
    fc.property(fc.array(keyRule, { maxLength: 3 }), keyName, (rules, asked) => {
      const may = new RuleAuthorizer([forAll, ...rules], "deny");
      if (may.readsAll("key")) expect(may.allows("key", asked, "read")).toBe(true);
    }),
  );
});

test.each([
  ["a rule for all", 'node_prefix "" { policy = "read" }', "deny", true],
  ["a default", "", "allow", true],
  ["none", "", "deny", false],
  [
    "one exception",
    'node_prefix "" { policy = "read" } node "a" { policy = "deny" }',
    "deny",
    false,
  ],
  ["an exception to the default", 'node "a" { policy = "deny" }', "allow", false],
  ["rules of another resource", 'service_prefix "" { policy = "read" }', "deny", false],
] as const)("who reads all nodes: %s", (_name, rules, policy, expected) => {
  expect(authorizer(rules, policy).readsAll("node")).toBe(expected);
});
