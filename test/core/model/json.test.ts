import { describe, expect, test } from "vitest";
import { compareText, encodeJson, encodeString, prettyJson } from "../../../src/core/model/json.ts";

describe("encoding", () => {
  test("escapes what Go escapes", () => {
    expect(encodeString("<a>&\u2028\u2029")).toBe(String.raw`"\u003ca\u003e\u0026\u2028\u2029"`);
    expect(encodeString('"\\/\n\r\t\b\f\u0001é')).toBe(
      String.raw`"\"\\/\n\r\t\u0008\u000c\u0001é"`,
    );
    expect(encodeString(String.raw`\b`)).toBe(String.raw`"\\b"`);
  });

  test("half a surrogate pair becomes the replacement character", () => {
    expect(encodeString("a\ud800b")).toBe('"a\ufffdb"');
    expect(encodeString("\u{1f600}")).toBe('"\u{1f600}"');
  });

  test("sorts the keys of objects by code point", () => {
    expect(encodeJson({ "\u{1f600}": 1, "\uffee": 2, b: [true, null], a: "x" })).toBe(
      '{"a":"x","b":[true,null],"\uffee":2,"\u{1f600}":1}',
    );
  });

  test("compares like the bytes of UTF-8", () => {
    const texts = [
      "",
      "a",
      "a\u0000",
      "ab",
      "é",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
    ];
    const bytes = (text: string): string => Buffer.from(text).toString("hex");
    expect(texts.toSorted(compareText)).toEqual(texts);
    expect(texts.toSorted((a, b) => (bytes(a) < bytes(b) ? -1 : 1))).toEqual(texts);
  });
});

describe("pretty-printing", () => {
  test("indents by four spaces, keeps empty containers together, ends with a newline", () => {
    const text = String.raw`{"a":[1,{"b":"x,y:{}[]\"\\"}],"c":{},"d":[],"e":18446744073709551615}`;
    expect(prettyJson(text)).toBe(
      `${JSON.stringify(JSON.parse(text), null, 4)}\n`.replace(
        "18446744073709552000",
        "18446744073709551615",
      ),
    );
  });

  test("a bare value only gets its newline", () => {
    expect(prettyJson("null")).toBe("null\n");
    expect(prettyJson("[]")).toBe("[]\n");
  });
});
