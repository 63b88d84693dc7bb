// `proconsul` on whatever Node there is, and what it calls itself.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { proconsulVersion } from "../../src/members.ts";
import { type Result, run } from "../support/programs.ts";

const launcher = join(process.cwd(), "src/cli/proconsul.mjs");
/** Makes the Node that runs it believe that it is version 20; those that it starts know better. */
const old = `data:text/javascript,Object.defineProperty(process,"version",{value:"v20.1.0"})`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-launcher-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function onOldNode(...args: string[]): Promise<Result> {
  return run(process.execPath, ["--import", old, ...args]);
}

test("says its own name and version first, then the Consul that it speaks", async () => {
  const { stdout, code } = await run(process.execPath, [launcher, "version"]);
  expect(code).toBe(0);
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    `Proconsul ${proconsulVersion}`,
    "Consul v1.8.7",
  ]);
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(proconsulVersion).toBe(version);
});

test("linked as consul it begins as scripts that parse Consul's version expect", async () => {
  const link = join(directory, "consul");
  symlinkSync(launcher, link);
  const { stdout } = await run(process.execPath, [link, "version"]);
  expect(stdout.split("\n")[0]).toBe("Consul v1.8.7");
});

test("on an old Node it runs on the one that the repository pins, exit code and all", async () => {
  const version = await onOldNode(launcher, "version");
  expect(version.stdout).toContain(`Proconsul ${proconsulVersion}\n`);
  const wrong = await onOldNode(launcher, "agent", "-nope");
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/flag provided but not defined: -nope, did you mean -node\?\n$/);
});

test("where there is none it says what is missing, in one line", async () => {
  const alone = join(directory, "proconsul.mjs");
  cpSync(launcher, alone);
  const { code, stderr } = await onOldNode(alone, "version");
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^proconsul: this is Node v20\.1\.0, and 22\.18 or newer is needed\..*\n$/,
  );
});
