// Completion: what is offered where a line ends, and the files of shells that ask for it.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Transport } from "../../src/cli/transport.ts";
import { runHere } from "../support/cli-lab.ts";
import { mainFile } from "../support/proconsul.ts";

const nobody: Transport = async () => await Promise.reject(new Error("nobody is asked"));

async function offered(line: string, point?: number): Promise<string> {
  const environment = {
    COMP_LINE: line,
    ...(point !== undefined && { COMP_POINT: String(point) }),
  };
  const { code, stdout } = await runHere({ args: [] }, nobody, environment);
  expect(code).toBe(0);
  return stdout.trim().replaceAll("\n", " ");
}

describe("a shell is offered", () => {
  test.each([
    ["consul m", "maint members monitor"],
    ["consul kv g", "get"],
    ["consul kv get", "get"],
    ["consul acl token ", "clone create delete list read update"],
    ["consul kv get -se", "-separator"],
    ["consul kv get -detailed -rec", "-recurse"],
    // A value is due, or arguments have begun.
    ["consul kv get -separator ", ""],
    ["consul kv get -separator=/ -rec", "-recurse"],
    ["consul kv get key -", ""],
    ["consul agent -boot", "-bootstrap -bootstrap-expect"],
    ["consul agent -dev -boot", "-bootstrap -bootstrap-expect"],
    ["consul nonsense ", ""],
    ["consul constructor ", ""],
  ])("%j: %j", async (line, names) => {
    expect(await offered(line)).toBe(names);
  });

  test("what fits before the cursor", async () => {
    expect(await offered("consul kv g web", "consul kv g".length)).toBe("get");
  });
});

describe("shells", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "proconsul-home-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const change = (...flags: string[]): string => {
    const { status, stderr } = spawnSync(process.execPath, [mainFile, ...flags], {
      env: { ...process.env, HOME: home },
      encoding: "utf8",
    });
    return `${status} ${stderr}`;
  };
  const content = (file: string): string => readFileSync(join(home, file), "utf8");

  test("ask for it until it is taken out again", () => {
    writeFileSync(join(home, ".bashrc"), "alias ll='ls -l'");
    writeFileSync(join(home, ".zshrc"), "");
    mkdirSync(join(home, ".config", "fish"), { recursive: true });
    expect(change("-autocomplete-install")).toBe("0 ");
    const bashrc = content(".bashrc");
    expect(bashrc).toMatch(/^alias ll='ls -l'\ncomplete -o default -C '.*' proconsul\n$/);
    expect(content(".zshrc")).toContain("bashcompinit");
    expect(content(".config/fish/completions/proconsul.fish")).toContain("COMP_LINE");
    // As bash reads and uses it.
    const offers = "source ~/.bashrc; complete -p proconsul";
    const env = { ...process.env, HOME: home };
    expect(execFileSync("bash", ["-c", offers], { env, encoding: "utf8" })).toContain("-C");
    expect(change("-autocomplete-install")).toContain(`already installed in ${home}/.bashrc\n`);
    expect(change("-autocomplete-uninstall")).toBe("0 ");
    expect(content(".bashrc")).toBe("alias ll='ls -l'\n");
    expect(content(".zshrc")).toBe("");
    expect(existsSync(join(home, ".config/fish/completions/proconsul.fish"))).toBe(false);
    expect(change("-autocomplete-uninstall")).toContain(
      "3 errors occurred:\n\t* does not installed",
    );
  });

  test("are left alone where the flag is an argument of a command", () => {
    writeFileSync(join(home, ".bashrc"), "");
    expect(change("keygen", "-autocomplete-install")).toMatch(/^1 /);
    expect(change("validate", "-autocomplete-install", home)).toMatch(/^1 /);
    expect(content(".bashrc")).toBe("");
  });

  test("that cannot be written are named", () => {
    mkdirSync(join(home, ".bashrc"));
    expect(change("-autocomplete-install")).toContain(`read ${home}/.bashrc: is a directory`);
  });

  test("that are not there, and both flags at once, are refused", () => {
    expect(change("-autocomplete-install")).toContain("Did not find any shells to install");
    const both = change("-autocomplete-install", "-autocomplete-uninstall");
    expect(both).toContain("1 Error executing CLI: Either the autocomplete install or uninstall");
  });
});
