// Flags by Go's rules and with Go's words.

import { expect, test } from "vitest";

import {
  durationFlag,
  FlagError,
  intFlag,
  listFlag,
  mapFlag,
  optional,
  parseFlags,
  switchFlag,
  textFlag,
  uintFlag,
} from "../../src/cli/flags.ts";

const table = {
  all: switchFlag("h"),
  on: switchFlag("h", true),
  name: textFlag("h", "web"),
  index: uintFlag("h"),
  count: intFlag("h", 1),
  wait: durationFlag("h"),
  tag: listFlag("h"),
  meta: mapFlag("h"),
  chosen: optional("value", "h", (text) => {
    if (text === "bad") throw new Error("no good");
    return text;
  }),
};

test.each<[string[], object, string[]]>([
  [[], { all: false, on: true, name: "web", index: 0n, count: 1, tag: [], meta: {} }, []],
  [["-all", "--on=false", "x"], { all: true, on: false }, ["x"]],
  [["-all=T", "-all=0"], { all: false }, []],
  [["-name", "-all", "-all"], { name: "-all", all: true }, []],
  [["-name=", "a", "-all"], { name: "", all: false }, ["a", "-all"]],
  [["-name=a=b"], { name: "a=b" }, []],
  [["--", "-all"], { all: false }, ["-all"]],
  [["-", "-all"], { all: false }, ["-", "-all"]],
  [["-index=18446744073709551615"], { index: 18446744073709551615n }, []],
  [["-index", "0x10", "-count=-3"], { index: 16n, count: -3 }, []],
  [["-index=010"], { index: 8n }, []],
  [["-wait=1m30s"], { wait: 90e9 }, []],
  [
    ["-tag=a", "-tag", "b", "-meta=k=v=w", "-meta=l="],
    { tag: ["a", "b"], meta: { k: "v=w", l: "" } },
    [],
  ],
  [["-chosen=x"], { chosen: "x" }, []],
])("%j", (input, flags, args) => {
  const parsed = parseFlags(table, input);
  expect(parsed.flags).toMatchObject(flags);
  expect(parsed.args).toEqual(args);
});

test.each([
  [["-zap"], "flag provided but not defined: -zap"],
  [["-__proto__=1"], "flag provided but not defined: -__proto__"],
  [["-zap=1"], "flag provided but not defined: -zap"],
  [["---all"], "bad flag syntax: ---all"],
  [["-=x"], "bad flag syntax: -=x"],
  [["-name"], "flag needs an argument: -name"],
  [["-all=x"], 'invalid boolean value "x" for -all: parse error'],
  [["-index=x"], 'invalid value "x" for flag -index: parse error'],
  [["-index="], 'invalid value "" for flag -index: parse error'],
  [["-index=-1"], 'invalid value "-1" for flag -index: parse error'],
  [
    ["-index=18446744073709551616"],
    'invalid value "18446744073709551616" for flag -index: value out of range',
  ],
  [["-count=1.5"], 'invalid value "1.5" for flag -count: parse error'],
  [["-wait=x"], 'invalid value "x" for flag -wait: parse error'],
  [["-meta=x"], 'invalid value "x" for flag -meta: Missing "=" value in argument: x'],
  [["-chosen=bad"], 'invalid value "bad" for flag -chosen: no good'],
])("%j is refused", (input, message) => {
  expect(() => parseFlags(table, input)).toThrow(new FlagError(message));
});
