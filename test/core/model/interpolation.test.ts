// Answers of Consul 1.8.7, which interpolates `Service` of a template called `t-` for the name `t-abc`.

import { expect, test } from "vitest";
import {
  compileInterpolation,
  EvaluationFault,
  type Scope,
  SyntaxFault,
} from "../../../src/core/model/interpolation/interpolation.ts";

const scope: Scope = {
  variables: new Map([
    ["name.full", "t-abc"],
    ["name.prefix", "t-"],
    ["name.suffix", "abc"],
  ]),
  functions: new Map([["match", (input) => (input === 1n ? "one" : "")]]),
};

const values: [text: string, value: string][] = [
  ["plain", "plain"],
  ["${name.full}|${name.prefix}|${name.suffix}", "t-abc|t-|abc"],
  ["${  name.suffix  }${\n5}", "abc5"],
  ["${match(1)}|${match(0)}|${match(-1)}|${match ( 1 )}", "one|||one"],
  ['${match(1.7)}${match((1))}${match("${1}")}${match(0+1)}', "oneoneoneone"],
  ["a$${b}", "a${b}"],
  ["$${name.suffix}$$${name.suffix}$$$", "${name.suffix}$abc$$"],
  ["a$", "a$"],
  ["$a", "$a"],
  ["a}b{c", "a}b{c"],
  ["${1}}", "1}"],
  ['${"x${name.full}y"}', "xt-abcy"],
  ['x${"${"${name.suffix}"}"}y', "xabcy"],
  ['${"a" "b"}${""}', "ab"],
  ['${"$"}${"$$"}${"$${"}', "$$${"],
  ['${"a\\nb"}', "a\nb"],
  ['${"a\\tb"}', "a\\tb"],
  ['${"a\\\\b\\"c"}', 'a\\b"c'],
  ["a\\nb\\q", "a\\nb\\q"],
  ["a${1+2}|${3*4-1}|${7/2}|${7%3}|${-5}|${1.5}", "a3|11|3|1|-5|1.5"],
  ["${(1+2)*3}|${2 + 3 * 4 - 6 / 4}", "9|3"],
  ["${1 - 2 - 3}|${10 - 2 * 3}|${-5 + 2}|${2 * -3}|${- - 3}", "-4|24|-3|-6|3"],
  ["${1 - -1 + 2}|${-1 + -1}|${2*-3+1}", "4|-2|-5"],
  ["${5 % 3 * 2}|${-7 / 2}|${-7 % 3}", "4|-3|-1"],
  ["${1.5 + 1}|${1 + 1.5}|${1.5*2}|${1.0}|${0.1+0.2}", "2.5|2|3|1|0.30000000000000004"],
  ['${007}|${1.50}|${1.}|${1.5 + "1.5"}', "7|1.5|1|3"],
  [
    "${9223372036854775807 + 1}|${3000000000 * 4000000000}",
    "-9223372036854775808|-6446744073709551616",
  ],
  ["${1000000.0}|${0.000001}|${123456789.5*1000000000000000}", "1e+06|1e-06|1.234567895e+23"],
  [
    "${123456.5}|${12345678.25}|${0.0001}|${0.00012345}",
    "123456.5|1.234567825e+07|0.0001|0.00012345",
  ],
  ['${010}|${"0x10" + 0}|${"1_000" + 0}', "8|16|1000"],
  ["${(1)}${((name.full))}", "1t-abc"],
];

test.each(values)("%j is %j", (text, value) => {
  expect(compileInterpolation(text)(scope)).toBe(value);
});

const malformed = [
  "${",
  "${}",
  "${ }",
  "a${b",
  "${name.full}\n${name.full",
  "${match(1) name}",
  "${1 +}",
  "${a:b}",
  "${#}",
  "${match(0,)}",
  '${"unterminated}',
  'a${"${"}"}',
  "${1.2.3}",
  "${1e3}",
  "${08}",
  "${0x10}",
  "${100000000000000000000}",
  "${(1}",
  "${[1,2]}",
  "${a.b.c[1][2]}",
  "${match(0)[1]}",
  '${"a" 5}',
  '${"x" name.full}',
  '${1.5 "x"}',
  '${1 == 1 ? "a" : "b"}',
  // These end Consul's server.
  "${+1}",
  `\${${"(".repeat(200)}1${")".repeat(200)}}`,
  `\${${"-".repeat(200)}1}`,
];

test.each(malformed)("%j is malformed", (text) => {
  expect(() => compileInterpolation(text)).toThrow(SyntaxFault);
  expect(() => compileInterpolation(text)).toThrow("parse error: syntax error");
});

const faults: [text: string, message: string][] = [
  ["${foo}", "1:3: unknown variable accessed: foo"],
  ["${name}", "1:3: unknown variable accessed: name"],
  ["${match}", "1:3: unknown variable accessed: match"],
  ["${name.Suffix}", "1:3: unknown variable accessed: name.Suffix"],
  ["${_x-1}", "1:3: unknown variable accessed: _x-1"],
  ["${.5}", "1:3: unknown variable accessed: .5"],
  ["é${name.suffix}${x}", "1:18: unknown variable accessed: x"],
  ["a\nb${x}", "2:5: unknown variable accessed: x"],
  ['${"b${x}"}', "1:7: unknown variable accessed: x"],
  ["${5-3}|${5 -3}|${a-3}", "1:18: unknown variable accessed: a-3"],
  ["${a}${b()}", "1:3: unknown variable accessed: a"],
  ["${b(a)}", "1:5: unknown variable accessed: a"],
  ["${match(a,b)}", "1:9: unknown variable accessed: a"],
  ["a${match()}", "1:4: match: expected 1 arguments, got 0"],
  ["a${match(1,2)}", "1:4: match: expected 1 arguments, got 2"],
  ["a${nope(1)}", "1:4: unknown function called: nope"],
  [
    "${name.full}${name.full[0]}",
    "At column 15, line 1: invalid index operation into non-indexable type: TypeString",
  ],
  ["${x[y]}", "At column 3, line 1: unknown variable accessed: x"],
  ["${name.full[y]}", "At column 3, line 1: unknown variable: y"],
  ["${x[0]}${y}", "1:10: unknown variable accessed: y"],
  ["${1.5%1}", "At column 3, line 1: modulo cannot be used with floats"],
  ["${name.suffix + 1}", '__builtin_StringToInt: strconv.ParseInt: parsing "abc": invalid syntax'],
  ["${-name.full}", '__builtin_StringToInt: strconv.ParseInt: parsing "t-abc": invalid syntax'],
  ['${1 + "1.5"}', '__builtin_StringToInt: strconv.ParseInt: parsing "1.5": invalid syntax'],
  ['${" 1"+0}', '__builtin_StringToInt: strconv.ParseInt: parsing " 1": invalid syntax'],
  [
    '${"99999999999999999999"+0}',
    '__builtin_StringToInt: strconv.ParseInt: parsing "99999999999999999999": value out of range',
  ],
  ['${1.5+"x"}', '__builtin_StringToFloat: strconv.ParseFloat: parsing "x": invalid syntax'],
  // Ends Consul's server.
  ["${1/0}", "divide by zero"],
  ["${1%0}", "divide by zero"],
];

test.each(faults)("%j has no value: %s", (text, message) => {
  const run = compileInterpolation(text);
  expect(() => run(scope)).toThrow(EvaluationFault);
  expect(() => run(scope)).toThrow(message);
});

test("what would take too much stack or memory is refused", () => {
  const parts = "${name.suffix}".repeat(20_000);
  expect(compileInterpolation(parts)(scope)).toBe("abc".repeat(20_000));
  expect(() => compileInterpolation(`\${0${"+1".repeat(20_000)}}`)).toThrow(SyntaxFault);
  const variables = new Map([["name.suffix", "a".repeat(1_000)]]);
  const run = compileInterpolation(parts);
  expect(() => run({ ...scope, variables })).toThrow("text is too long");
});
