import { expect, test } from "vitest";
import { compileRegExp } from "../../../src/core/lib/regexp.ts";

const matches: [pattern: string, yes: string[], no: string[]][] = [
  ["abc", ["abc", "xabcx"], ["ab", ""]],
  ["^a.c$", ["abc", "a\u{1f600}c"], ["abcd", "a\nc"]],
  ["a|b|^$", ["a", "xb", ""], ["c"]],
  ["a+b*c?", ["a", "aabbc"], ["bc"]],
  ["^(ab){2,3}$", ["abab", "ababab"], ["ab", "abababab"]],
  ["^a{2}$", ["aa"], ["a", "aaa"]],
  ["^a{2,}$", ["aa", "aaaa"], ["a"]],
  ["^[a-c]+$", ["abc"], ["abd"]],
  ["^[^a-c]$", ["d"], ["a"]],
  ["^[]a]+$", ["]a"], ["b"]],
  ["^[\\w.-]+$", ["a_1.-"], ["a b"]],
  ["^[[:alpha:]]+[[:digit:]]$", ["abc1"], ["1a"]],
  ["\\bweb\\b", ["a web b", "web"], ["webs"]],
  ["^\\d+\\.\\d+$", ["1.25"], ["1x25"]],
  ["(?i)WeB", ["WEB", "web"], ["wab"]],
  ["^(?:a(?i)b)c$", ["abc", "aBc"], ["ABc", "abC"]],
  ["(?s)a.b", ["a\nb"], ["ab"]],
  ["(?m)^b$", ["a\nb\nc"], ["ab"]],
  ["^(?P<name>x)y$", ["xy"], ["y"]],
  ["\\Qa.b\\E", ["a.b"], ["axb"]],
  ["^\\pL+$", ["été"], ["1"]],
  ["^\\p{Greek}\\P{Greek}$", ["αa"], ["aα"]],
  ["^\\x41\\x{1F600}\\t$", ["A\u{1f600}\t"], ["A"]],
  ["a*?b", ["aab"], ["aa"]],
  ["", ["", "x"], []],
];

test.each(matches)("%s", (pattern, yes, no) => {
  const test = compileRegExp(pattern);
  expect(yes.filter((text) => !test(text))).toEqual([]);
  expect(no.filter((text) => test(text))).toEqual([]);
});

const refused: [pattern: string, message: string][] = [
  ["(", "missing closing ): `(`"],
  [")", "unexpected ): `)`"],
  ["[a", "missing closing ]: `[a`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["a{1001}", "invalid repeat count: `{1001}`"],
  ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
  ["\\1", "invalid escape sequence: `\\1`"],
  ["[b-a]", "invalid character class range: `b-a`"],
  ["\\", "trailing backslash at end of expression: ``"],
  ["((a{1000}){1000})", "invalid repeat count: `{1000}`"],
];

test.each(refused)("refuses %s", (pattern, message) => {
  expect(() => compileRegExp(pattern)).toThrow(message);
});

test("a pattern that is exponential for a backtracking engine is not", () => {
  const test = compileRegExp("^(a+)+$");
  expect(test(`${"a".repeat(2_000)}b`)).toBe(false);
});
