// Each flag and each key has a row of docs/coverage.md, which says what becomes of it. Where rows differ, it is shown
// how they are to be.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { flags } from "../../src/agent/config/flag-table.ts";
import { type ConfigKey, configKeys, keyAt } from "../../src/agent/config/keys.ts";
import { whyIgnored } from "../../src/agent/config/reasons.ts";

const proof = "`test/agent/config-keys.test.ts`";

function row(what: string, path: string, status: ConfigKey["status"]): string {
  if (status === "used") return `| ${what} | yes | ${proof} |`;
  if (status === "refused") return `| ${what} | refused: nothing protects as it says | |`;
  return `| ${what} | accepted: ${whyIgnored(path)} | |`;
}

test("flags and keys", () => {
  const expected = [
    ...Object.entries(flags).map(([name, { sets }]) =>
      row(`\`-${name}\``, sets, keyAt(sets)?.status ?? "used"),
    ),
    ...Object.entries<ConfigKey>(configKeys)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([path, { status }]) => row(`key \`${path}\``, path, status)),
  ];
  const rows = readFileSync("docs/coverage.md", "utf8")
    .split("\n")
    .filter((line) => /^\| (?:`-[a-z][a-z_-]*`|key `[a-z0-9_.]+`) \|/.test(line));
  expect(rows).toEqual(expected);
});
