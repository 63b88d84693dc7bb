// Values and what becomes of them when two people edit one: nothing of either is lost.

import { describe, expect, test } from "vitest";

import {
  areFlags,
  folderOf,
  formattedJson,
  hexLines,
  keyPath,
  lineEnd,
  valueOf,
} from "../../../src/ui/model/kv.ts";
import { diffLines, mergeLines } from "../../../src/ui/model/lines.ts";
import { restoring } from "../../../src/ui/model/plan.ts";
import { fc } from "../support/check.ts";

const base64 = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes));

describe("a value", () => {
  test.each([
    [[], ""],
    [[104, 105], "hi"],
    [[0xe4, 0xb8, 0xad], "中"],
    [[0xef, 0xbb, 0xbf, 97], "\uFEFFa"],
    [[97, 13, 10, 98, 10], "a\r\nb\n"],
  ])("%j is the text %j", (bytes, text) => {
    expect(valueOf(base64(bytes))).toEqual({ kind: "text", text, bytes: bytes.length });
  });

  test.each([[[0xff]], [[0xe4, 0xb8]], [[97, 0, 98]]])("%j is no text", (bytes) => {
    expect(valueOf(base64(bytes))).toMatchObject({ kind: "binary", bytes: bytes.length });
  });

  test("that is not there is empty", () => {
    expect(valueOf(null)).toEqual({ kind: "text", text: "", bytes: 0 });
  });

  test("in hex", () => {
    const data = Uint8Array.from({ length: 18 }, (_, at) => at + 60);
    expect(hexLines(data, 9)).toEqual([
      "000000  3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK",
      "000010  4c 4d                                            LM",
    ]);
    expect(hexLines(data, 1).length).toBe(1);
  });

  test.each([
    ["a\nb", "\n"],
    ["a", "\n"],
    ["a\r\nb\r\n", "\r\n"],
    ["a\r\nb\n", null],
    ["a\rb", null],
  ])("the lines of %j end with %j", (text, end) => {
    expect(lineEnd(text)).toBe(end);
  });
});

test.each([
  ["0", true],
  ["18446744073709551615", true],
  ["18446744073709551616", false],
  ["-1", false],
  ["1.5", false],
  ["", false],
])("flags %j: %s", (text, expected) => {
  expect(areFlags(text)).toBe(expected);
});

test.each([
  ["a/b c", "v1/kv/a/b%20c"],
  ["a//?#%", "v1/kv/a//%3F%23%25"],
  ["a/../b", null],
  [".", null],
  ["", "v1/kv/"],
  ["a/b c/", "v1/kv/a/b%20c/"],
  ["a/../", null],
  ["./", null],
])("the key %j is at %j", (key, path) => {
  expect(keyPath(key)).toBe(path);
});

test("a key is in the folder before its last slash", () => {
  expect(["a", "a/b", "a/b/", "/a"].map(folderOf)).toEqual(["", "a/", "a/b/", "/"]);
});

describe("formatting JSON", () => {
  test.each([
    ['{"a":1,"b":[1,{}],"c":[]}', '{\n  "a": 1,\n  "b": [\n    1,\n    {}\n  ],\n  "c": []\n}'],
    ["12345678901234567890.10", "12345678901234567890.10"],
    ['"a{,}b"', '"a{,}b"'],
    ["{", null],
    ["", null],
  ])("%s", (text, formatted) => {
    expect(formattedJson(text)).toBe(formatted);
  });

  test("changes nothing but blanks", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const formatted = formattedJson(text) ?? "";
        expect(JSON.stringify(JSON.parse(formatted))).toBe(text);
        expect(formattedJson(formatted)).toBe(formatted);
      }),
    );
  });
});

const line = fc.constantFrom("a", "b", "c", "", "  x");
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join("\n"));

describe("what differs", () => {
  const joined = (runs: ReturnType<typeof diffLines>, leaving: string): string =>
    runs.flatMap(({ kind, lines }) => (kind === leaving ? [] : lines)).join("\n");

  test("makes one text of the other", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const runs = diffLines(before, after);
        expect(joined(runs, "added")).toBe(before);
        expect(joined(runs, "removed")).toBe(after);
      }),
    );
  });

  test("is the lines that changed, and no others", () => {
    expect(diffLines("a\nb\nc", "a\nx\nc")).toEqual([
      { kind: "same", lines: ["a"] },
      { kind: "removed", lines: ["b"] },
      { kind: "added", lines: ["x"] },
      { kind: "same", lines: ["c"] },
    ]);
  });

  test("of texts that are too long is what is between the first and the last change", () => {
    const long = Array.from({ length: 3_000 }, (_, at) => `${at}`).join("\n");
    const runs = diffLines(`a\n${long}`, `b\n${long.replaceAll("9", "x")}`);
    expect(joined(runs, "added")).toBe(`a\n${long}`);
    expect(joined(runs, "removed")).toBe(`b\n${long.replaceAll("9", "x")}`);
  });
});

describe("merging", () => {
  test("changes in different places are both there", () => {
    const merged = mergeLines("a\nb\nc\nd\ne", "A\nb\nc\nd\ne", "a\nb\nc\nd\nE\nf");
    expect(merged).toEqual({ text: "A\nb\nc\nd\nE\nf", conflicts: 0 });
  });

  test("the same change is there once", () => {
    expect(mergeLines("a\nb", "a\nx", "a\nx")).toEqual({ text: "a\nx", conflicts: 0 });
  });

  test("different changes of the same lines are both there, between marks", () => {
    expect(mergeLines("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc")).toEqual({
      text: "a\n<<<<<<< mine\nmine\n=======\ntheirs\n>>>>>>> theirs\nc",
      conflicts: 1,
    });
  });

  test("with nobody else's change is mine, and the other way round", () => {
    fc.assert(
      fc.property(text, text, (base, changed) => {
        expect(mergeLines(base, changed, base)).toEqual({ text: changed, conflicts: 0 });
        expect(mergeLines(base, base, changed)).toEqual({ text: changed, conflicts: 0 });
      }),
    );
  });

  test("never loses a line that somebody added", () => {
    const added = (prefix: string) =>
      fc.array(fc.nat(99), { maxLength: 4 }).map((all) => all.map((one) => `${prefix}${one}`));
    const places = fc.array(fc.nat(12), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(text, added("mine"), added("theirs"), places, (base, mine, theirs, at) => {
        const insert = (lines: readonly string[], from: number): string => {
          const all = base.split("\n");
          for (const [index, one] of lines.entries()) all.splice((at[index] ?? 0) + from, 0, one);
          return all.join("\n");
        };
        const { text: merged } = mergeLines(base, insert(mine, 0), insert(theirs, 1));
        const there = merged.split("\n");
        for (const one of [...mine, ...theirs]) expect(there).toContain(one);
      }),
    );
  });
});

describe("taking back a deletion", () => {
  test("puts keys back where there are none, with flags of any size, in one transaction", () => {
    const keys = [
      { Key: 'a"b', Value: "aGk=", Flags: "18446744073709551615" },
      { Key: "c", Value: null, Flags: 0 },
    ];
    const [write] = restoring(keys, "dc1") ?? [];
    expect(write?.path).toBe("v1/txn?dc=dc1");
    expect(write?.body).toBe(
      '[{"KV":{"Verb":"cas","Key":"a\\"b","Value":"aGk=","Flags":18446744073709551615,"Index":0}},' +
        '{"KV":{"Verb":"cas","Key":"c","Value":"","Flags":0,"Index":0}}]',
    );
  });

  test("is not offered for more than one transaction has", () => {
    const many = Array.from({ length: 65 }, (_, at) => ({ Key: `${at}`, Value: "", Flags: 0 }));
    expect(restoring(many, "dc1")).toBeNull();
    expect(restoring(many.slice(1), "dc1")).not.toBeNull();
    expect(restoring([{ Key: "a", Value: "x".repeat(500_000), Flags: 0 }], "dc1")).toBeNull();
    expect(restoring([], "dc1")).toBeNull();
  });
});
