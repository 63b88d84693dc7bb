// Help: its streams and codes, its layout, and that every command has the flags of Consul's.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { contents } from "../../src/cli/contents.ts";
import type { Entry, Group } from "../../src/cli/entries.ts";
import type { Transport } from "../../src/cli/transport.ts";
import { runHere } from "../support/cli-lab.ts";

interface RecordedHelp {
  usage: string[];
  http: string[];
  own: string[];
}

/** By command: what `consul COMMAND -h` lists, without its sentences. */
const recorded = JSON.parse(readFileSync("test/fixtures/cli/help.json", "utf8")) as Record<
  string,
  RecordedHelp
>;

const nobody: Transport = async () => await Promise.reject(new Error("nobody is asked"));

function paths(members: Group["members"], before: string[] = []): [string[], Entry][] {
  return Object.entries(members).flatMap(([name, entry]): [string[], Entry][] => {
    const path = [...before, name];
    return "load" in entry ? [[path, entry]] : [[path, entry], ...paths(entry.members, path)];
  });
}

const all = paths(contents);
const leaves = all.filter(([, entry]) => "load" in entry).map(([path]) => path.join(" "));
const groups = all.filter(([, entry]) => !("load" in entry)).map(([path]) => path.join(" "));

/** Agent lists its own flags, which differ where a server's data is kept. */
const own = leaves.filter((name) => name !== "agent");

function structure(help: string): RecordedHelp {
  const [, rest = ""] = /^((?:Usage: .*\n)+)/.exec(help) ? ["", help] : [];
  const flagsOf = (title: string): string[] => {
    const [, section = ""] =
      new RegExp(`${title}\\n([^]*?)(?=\\n(?:HTTP API|Command) Options|$)`).exec(rest) ?? [];
    return [...section.matchAll(/^ {2}(-\S.*)$/gm)].map(([, flag]) => flag ?? "");
  };
  return {
    usage: [...help.matchAll(/^Usage: (?:pro)?consul (.*)$/gm)].map(([, line]) => line ?? ""),
    http: flagsOf("HTTP API Options"),
    own: flagsOf("Command Options"),
  };
}

/** Consul forgets to print the flags of `config delete`, which are those of `config read`. */
function expected(name: string): RecordedHelp | undefined {
  const help = recorded[name];
  if (name !== "config delete" || !help) return help;
  const { http = [], own: flags = [] } = recorded["config read"] ?? {};
  return { ...help, http, own: flags };
}

/** Commands that Consul does not have. */
const beyondConsul = new Set([
  ...["cost", "dns-key", "upgrade"],
  ...["join-token create", "join-token list", "join-token revoke"],
]);

describe.each(own)("%s", (name) => {
  test("-h lists Consul's flags, and every line fits", async () => {
    const { code, stdout, stderr } = await runHere({ args: [...name.split(" "), "-h"] }, nobody);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    if (beyondConsul.has(name)) expect(structure(stdout).usage[0]).toMatch(new RegExp(`^${name} `));
    else expect(structure(stdout)).toEqual(expected(name));
    const wide = stdout
      .split("\n")
      .filter((line) => line.length > 80 && !line.startsWith("Usage:"));
    expect(wide).toEqual([]);
  });

  test("refuses an unknown flag with the list of them", async () => {
    const outcome = await runHere({ args: [...name.split(" "), "-zap"] }, nobody);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(/^flag provided but not defined: -zap\nUsage:/);
  });
});

test.each(groups)("%s alone prints help and fails, with -h it does not", async (name) => {
  const args = name.split(" ");
  const alone = await runHere({ args }, nobody);
  const asked = await runHere({ args: [...args, "-h"] }, nobody);
  expect(alone).toEqual({ code: 1, stdout: "", stderr: asked.stdout });
  expect(asked).toMatchObject({ code: 0, stderr: "" });
  expect(asked.stdout).toContain("\nSubcommands:\n");
});

test("no command and an unknown one print help on stderr with 127", async () => {
  const none = await runHere({ args: [] }, nobody);
  const asked = await runHere({ args: ["-h"] }, nobody);
  expect(none).toEqual({ code: 127, stdout: "", stderr: asked.stdout });
  expect(await runHere({ args: ["-http-addr=x"] }, nobody)).toMatchObject({ code: 127 });
  expect(await runHere({ args: ["zap"] }, nobody)).toEqual(none);
});

test("the nearest name is suggested", async () => {
  const top = await runHere({ args: ["validat"] }, nobody);
  expect(top.code).toBe(127);
  expect(top.stderr).toMatch(/\nDid you mean "\w+ validate"\?\n$/);
  const inner = await runHere({ args: ["kv", "gte"] }, nobody);
  expect(inner.code).toBe(1);
  expect(inner.stderr).toMatch(/\nDid you mean "\w+ kv get"\?\n$/);
});

test("-version is version", async () => {
  const [flag, word] = await Promise.all(
    [["-version"], ["version"]].map((args) => runHere({ args }, nobody)),
  );
  expect(flag).toEqual(word);
  expect(flag?.stdout).toContain("Consul v1.8.7");
});
