// Rules of policies, held against what Consul 1.8.7 said of each text (`fixtures/acl/rules.json`: the text, and why it
// was refused, or null).

import { describe, expect, test } from "vitest";

import { parseRules } from "../../../src/core/acl/rules.ts";
import { readFixture } from "../../support/recorded.ts";

function refusalOf(text: string): string | null {
  try {
    parseRules(text);
    return null;
  } catch (failure) {
    return (failure as Error).message;
  }
}

/** Where Consul drops the rest of a text in silence, or takes what means nothing, it is refused here. */
const refusedHere = new Set([
  ...["{", '{"acl":"read"} x', "key =", '{"key":', '{"key":}', '{"acl":"z"', '{"acl" "z"}'],
  ...['{"a":"b" "acl":"z"}', 'key { policy = "read" }'],
  'key "x" { sentinel { code = "x" enforcementlevel = "soft" } policy="write" }',
]);
/** Refused by both, in other words. */
const otherWords = new Set([
  ...['{"acl":read}', '{acl:"z"}', '{"acl":"\\q"}', '{"acl":"a', "{{", 'key { policy = "z" }'],
  ...['acl = <<"A"\nz\nA', 'key "x" { policy = }', 'key "x" { sentinel = "y" policy="z" }'],
]);

const corpus = readFixture<[text: string, refusal: string | null][]>("acl/rules.json");

test.each(corpus)("%j", (text, consul) => {
  const ours = refusalOf(text);
  if (refusedHere.has(text)) expect(ours).not.toBeNull();
  else if (otherWords.has(text)) expect([ours === null, consul === null]).toEqual([false, false]);
  else expect(ours).toBe(consul);
});

describe("what is meant to hurt", () => {
  test.each([
    ["braces without end", `key "x" ${"{ a ".repeat(100_000)}`],
    ["brackets without end", `key = ${"[".repeat(100_000)}`],
    ["brackets in JSON", `{"key":${"[".repeat(100_000)}`],
    ["a text of 2 MB", `# ${"x".repeat(2_000_000)}`],
  ])("%s", (_name, text) => {
    expect(refusalOf(text)).toMatch(/Failed to parse ACL rules: .*(deeper|longer|heredoc|closing)/);
  });

  test("no rule is lost where a name is repeated in JSON", () => {
    const text = '{"key_prefix":{"a":{"policy":"deny"}},"key_prefix":{"b":{"policy":"read"}}}';
    expect(parseRules(text).map(({ segment, level }) => [segment, level])).toEqual([
      ["a", "deny"],
      ["b", "read"],
    ]);
  });
});
