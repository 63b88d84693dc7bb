// The style guide as a test: budgets and habits that hold for every file, without exceptions.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const fileLinesMax = 400;
const functionLinesMax = 70;
const lineColumnsMax = 120;

const roots = ["src", "durable", "edge-dns", "test", ".ci"];
const bannedWords: [RegExp, string][] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, "finish it, or remove it and say so in docs/coverage.md"],
  [/\b(it|test|describe)\.(skip|only|todo)\b/, "a test runs or does not exist"],
  [/not implemented/i, "a thing that is not built is absent"],
  [/\bas any\b/, "name the type, or use unknown"],
];

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|mts|mjs|css)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

const files = roots.flatMap(filesUnder).map((path) => ({ path, text: readFileSync(path, "utf8") }));
const self = "test/tidy.test.ts";

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(50);
});

test(`no file is longer than ${fileLinesMax} lines`, () => {
  const long = files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > fileLinesMax);
  expect(long, "split by idea, not by size").toEqual([]);
});

test(`no line is wider than ${lineColumnsMax} columns`, () => {
  const wide = files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, at) => {
      // A literal that cannot be broken, such as an address or a captured answer, may stand alone.
      const unbreakable =
        /^\s*["'`][^"'`]*["'`][,;]?$/.test(line) || /https?:\/\/\S{60}/.test(line);
      return line.length > lineColumnsMax && !unbreakable ? [`${path}:${at + 1}`] : [];
    }),
  );
  expect(wide).toEqual([]);
});

test(`no function outside tests is longer than ${functionLinesMax} lines`, () => {
  const lint = spawnSync(
    "node_modules/.bin/oxlint",
    ["--format", "json", "-c", "test/support/budget.oxlintrc.json"].concat(
      roots.filter((root) => root !== "test"),
    ),
    { encoding: "utf8" },
  );
  const { diagnostics, number_of_files: count } = JSON.parse(lint.stdout) as {
    diagnostics: { filename: string; message: string }[];
    number_of_files: number;
  };
  expect(count).toBeGreaterThan(20);
  expect(diagnostics.map(({ filename, message }) => `${filename}: ${message}`)).toEqual([]);
});

test("every file of core, durable and edge-dns opens with what it is", () => {
  const bare = files
    .filter(({ path }) => /^(src\/core|durable|edge-dns)\//.test(path))
    .filter(({ text }) => {
      const header = text.split("\n").findIndex((line) => !line.startsWith("//"));
      return header < 1;
    })
    .map(({ path }) => path);
  expect(bare).toEqual([]);
});

test("no marks of unfinished work", () => {
  const marks = files
    .filter(({ path }) => path !== self)
    .flatMap(({ path, text }) =>
      bannedWords
        .filter(([word]) => word.test(text))
        .map(([word, instead]) => `${path}: ${word.source} (${instead})`),
    );
  expect(marks).toEqual([]);
});

test("objects have no intervals: a forgotten one is billed for ever", () => {
  const culprits = files
    .filter(
      ({ path, text }) => /^(durable|src\/core)\//.test(path) && text.includes("setInterval("),
    )
    .map(({ path }) => path);
  expect(culprits).toEqual([]);
});

test("objects touch no platform but through the port", () => {
  const culprits = files
    .filter(({ path }) => path.startsWith("durable/") && !/^durable\/platform\/[a-z]+\//.test(path))
    .filter(({ text }) =>
      /\b(setTimeout|clearTimeout|Date\.now|Math\.random|console\.|new WebSocket|fetch\()/.test(
        text.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ""),
      ),
    )
    .map(({ path }) => path);
  expect(culprits).toEqual([]);
});

test("core has no clock and no randomness of its own", () => {
  const culprits = files
    .filter(({ path }) => path.startsWith("src/core/"))
    .filter(({ text }) =>
      /Date\.now|new Date\(\)|Math\.random|\basync\b [a-z(]|\bawait\b [a-z]/.test(
        text.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ""),
      ),
    )
    .map(({ path }) => path);
  expect(culprits).toEqual([]);
});
