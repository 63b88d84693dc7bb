// From arguments to a command: finds it by its path, prints help where that was asked for, and suggests the nearest
// name for one that does not exist.

import type { Surroundings } from "./command.ts";
import { completions, lineToComplete } from "./completion.ts";
import { contents } from "./contents.ts";
import type { Entry, Group } from "./entries.ts";
import { groupHelp, programName, rootHelp } from "./help.ts";
import { nearest } from "./nearest.ts";

const helpWords = new Set(["-h", "-help", "--help"]);
/** Before the first command, as Consul has them. */
const completionWords = new Set(["-autocomplete-install", "-autocomplete-uninstall"]);
const versionWords = new Set(["-v", "-version", "--version"]);
/** What Consul exits with for an unknown command and for none at all. */
const unknownCommandCode = 127;

/** Resolves to the exit code. */
export async function runCommandLine(
  input: readonly string[],
  around: Surroundings,
): Promise<number> {
  const line = lineToComplete(around.environment);
  if (line !== null) {
    for (const name of await completions(line, contents)) around.out(`${name}\n`);
    return 0;
  }
  const leading = beforeCommand(input);
  if (leading.some((word) => completionWords.has(word))) return await changeShells(leading, around);
  const args = versionWords.has(input[0] ?? "") ? ["version"] : input;
  const { path, entry, rest } = find(args);
  if (wantsHelp(args)) {
    around.out(await helpOf(path, entry));
    return 0;
  }
  if (entry && "load" in entry) {
    const { default: command } = await entry.load();
    return await command.run(rest, around);
  }
  around.err(await helpOf(path, entry));
  const unknown = rest[0];
  const names = Object.keys(entry ? entry.members : contents);
  const guess = unknown === undefined ? null : nearest(unknown, names);
  if (guess !== null) around.err(`Did you mean "${[programName, ...path, guess].join(" ")}"?\n`);
  return entry ? 1 : unknownCommandCode;
}

function beforeCommand(input: readonly string[]): readonly string[] {
  const first = input.findIndex((word) => !word.startsWith("-"));
  return first < 0 ? input : input.slice(0, first);
}

/** Writes into the files of the user's shells, or says why not. */
async function changeShells(input: readonly string[], around: Surroundings): Promise<number> {
  const { changeCompletion } = await import("./completion-install.ts");
  const [install, uninstall] = [...completionWords].map((word) => input.includes(word));
  if (install && uninstall) {
    const why = "Either the autocomplete install or uninstall flag may be specified, but not both.";
    around.err(`Error executing CLI: ${why}\n`);
    return 1;
  }
  const failures = changeCompletion(install ? "install" : "uninstall");
  const lines = failures.map((failure) => `\t* ${failure}\n`).join("");
  if (lines === "") return 0;
  const count = failures.length === 1 ? "1 error" : `${failures.length} errors`;
  around.err(`Error executing CLI: ${count} occurred:\n${lines}\n`);
  return 1;
}

interface Found {
  path: readonly string[];
  /** Undefined when the first name is none of a command. */
  entry: Entry | undefined;
  /** What follows the path. */
  rest: readonly string[];
}

function find(args: readonly string[]): Found {
  const path: string[] = [];
  let members = contents;
  let entry: Entry | undefined;
  for (const name of args) {
    const next = Object.hasOwn(members, name) ? members[name] : undefined;
    if (!next) break;
    path.push(name);
    entry = next;
    if ("load" in next) break;
    members = next.members;
  }
  return { path, entry, rest: args.slice(path.length) };
}

/** Anywhere, but behind `--`. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((argument) => helpWords.has(argument));
}

async function helpOf(path: readonly string[], entry: Entry | undefined): Promise<string> {
  if (!entry) return rootHelp(synopses(contents));
  if ("load" in entry) return `${(await entry.load()).default.help.trimEnd()}\n`;
  const { about, usage = "<subcommand> [options] [args]", members } = entry;
  return groupHelp({ usage: [`${path.join(" ")} ${usage}`], about }, synopses(members));
}

function synopses(members: Group["members"]): (readonly [string, string])[] {
  return Object.entries(members)
    .map(([name, { synopsis }]) => [name, synopsis] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
