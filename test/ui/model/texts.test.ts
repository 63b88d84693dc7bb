// Filters, names that lie, command lines, and the words of both languages.

import { execFileSync } from "node:child_process";
import { fc } from "../support/check.ts";
import { describe, expect, test } from "vitest";

import { curlLine, quoted } from "../../../src/ui/model/curl.ts";
import { accepts, parseFilter, without } from "../../../src/ui/model/filter.ts";
import { linesOf, pieces, plain } from "../../../src/ui/model/names.ts";
import { en } from "../../../src/ui/text/en.ts";
import { zh } from "../../../src/ui/text/zh.ts";

describe("a filter", () => {
  const fields = ["name", "status", "tag", "meta"];
  const web = {
    name: ["web"],
    status: ["critical"],
    tag: ["v2", "team-a"],
    meta: ["blue"],
    "meta.colour": ["blue"],
  };

  test.each([
    ["", true],
    ["web", true],
    ["WEB", true],
    ["web v2", true],
    ["web v3", false],
    ["tag:v2", true],
    ["tag:web", false],
    ["status:critical tag:team", true],
    ["status:passing,critical", true],
    ["status:passing,warning", false],
    ["-web", false],
    ["-tag:v3", true],
    ["-tag:v2", false],
    ["w*b", true],
    ["w*x", false],
    ["name:*e*", true],
    ["meta.colour:blue", true],
    ["meta.size:blue", false],
    ["/^w.b$/", true],
    ["tag:/^v\\d$/", true],
    ["-/^w/", false],
    ["/a b/", false],
    ["/(/", false],
    ["unknown:x", false],
    ["name:", false],
    ["-", true],
    ["a.c", false],
    ["(", false],
  ])("%j accepts web in version 2: %s", (text, expected) => {
    expect(accepts(parseFilter(text, fields), web)).toBe(expected);
  });

  test("says which expression cannot be read", () => {
    expect(parseFilter("web /(/ tag:/[/", fields).broken).toEqual(["/(/", "tag:/[/"]);
    expect(parseFilter("web ( [", fields).broken).toEqual([]);
  });

  test("is the same without one of its terms", () => {
    const text = "web tag:v2 -x /a b/";
    const { terms } = parseFilter(text, fields);
    expect(terms.map((term) => without(text, term))).toEqual([
      "tag:v2 -x /a b/",
      "web -x /a b/",
      "web tag:v2 /a b/",
      "web tag:v2 -x",
    ]);
  });

  test("never throws, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        accepts(parseFilter(text, fields), web);
      }),
    );
  });
});

describe("names", () => {
  test.each([
    ["web", "web"],
    ["a b", "a b"],
    ["中文 ünïcode 🎉", "中文 ünïcode 🎉"],
    ["pay\u202Elap", "pay⟨U+202E⟩lap"],
    ["a\u200Bb", "a⟨U+200B⟩b"],
    ["a\u0000b\n", "a⟨U+0000⟩b⟨U+000A⟩"],
    ["\uFEFFa\u00A0b", "⟨U+FEFF⟩a⟨U+00A0⟩b"],
    ["\uD800", "⟨U+D800⟩"],
    ["<img src=x>", "<img src=x>"],
  ])("%j is shown as %j", (text, shown) => {
    expect(plain(text)).toBe(shown);
  });

  test("nothing that is shown is invisible, and nothing is lost", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = pieces(text);
        const back = shown
          .map(({ text: one, isOdd }) =>
            isOdd ? String.fromCodePoint(Number.parseInt(one.slice(3, -1), 16)) : one,
          )
          .join("");
        expect(back).toBe(text);
        expect(/[\p{Cc}\p{Cf}]/u.test(plain(text))).toBe(false);
      }),
    );
  });

  test("an output keeps its lines", () => {
    expect(linesOf("a\r\n\tb").map((line) => line.map(({ text }) => text).join(""))).toEqual([
      "a",
      "    b",
    ]);
  });
});

describe("command lines", () => {
  test("survive a shell", () => {
    const told = (word: string): string =>
      execFileSync("sh", ["-c", `printf %s ${quoted(word)}`], { encoding: "utf8" });
    for (const word of ["a", "a b", "it's", "$HOME", "`id`", "a\nb", '"', "\\", "!x", "*", "~"]) {
      expect(told(word)).toBe(word);
    }
  });

  test("take the token from the environment", () => {
    expect(curlLine("http://a/v1/x?dc=dc1&y=z", true)).toBe(
      `curl -s -H "X-Consul-Token: $CONSUL_HTTP_TOKEN" 'http://a/v1/x?dc=dc1&y=z'`,
    );
    expect(curlLine("http://a/v1/x", false)).toBe("curl -s http://a/v1/x");
  });
});

describe("words", () => {
  /** Paths of all members, with how many arguments each takes. */
  function members(value: object, path = ""): string[] {
    return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
      typeof member === "object" && member !== null
        ? members(member, `${path}${name}.`)
        : [`${path}${name} ${typeof member}`],
    );
  }

  test("both languages have the same", () => {
    expect(members(zh)).toEqual(members(en));
  });

  test("nothing is left in English", () => {
    const texts = (value: object): string[] =>
      Object.values(value).flatMap((member: unknown) =>
        typeof member === "string"
          ? [member]
          : typeof member === "object" && member !== null
            ? texts(member)
            : [],
      );
    const chinese = new Set(texts(zh));
    const names = new Set([
      "ACLs",
      "English",
      "Flags",
      "LAN",
      "UTC",
      "WAN",
      "limits/web.json",
      "中文",
    ]);
    expect(texts(en).filter((text) => chinese.has(text) && !names.has(text))).toEqual([]);
  });
});
