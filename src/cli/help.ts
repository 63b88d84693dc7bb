// Help in Consul's layout: usage, what the command does, and each flag with its text within 80 columns.

import { basename } from "node:path";

import type { Flag, FlagTable } from "./flags.ts";

/** Linked under Consul's name, it calls itself so. */
export const programName = /^consul(\.exe)?$/.test(basename(process.argv[1] ?? ""))
  ? "consul"
  : "proconsul";

/** Columns of a flag's text, which is indented by five. */
const textWidth = 67;
const proseWidth = 76;

export interface HelpText {
  /** Each way to call it, without the program's name. */
  usage: readonly string[];
  /** Paragraphs of prose, and indented examples between them. */
  about: string;
}

export function commandHelp(text: HelpText, connection: FlagTable, own: FlagTable): string {
  return [
    opening(text),
    section("HTTP API Options", connection),
    section("Command Options", own),
  ].join("");
}

export function groupHelp(text: HelpText, members: readonly (readonly [string, string])[]): string {
  return `${opening(text)}\nSubcommands:\n${nameTable(members)}`;
}

export function rootHelp(members: readonly (readonly [string, string])[]): string {
  const usage = `Usage: ${programName} [--version] [--help] <command> [<args>]`;
  return `${usage}\n\nAvailable commands are:\n${nameTable(members)}\n`;
}

function opening({ usage, about }: HelpText): string {
  const heads = usage.map((line) => `Usage: ${programName} ${line}\n`).join("");
  const blocks = about
    .trim()
    .replaceAll("$ consul ", `$ ${programName} `)
    .split(/\n{2,}/);
  return `${heads}\n${blocks.map(paragraph).join("\n")}`;
}

/** Prose is filled, and what is indented stays as it is. */
function paragraph(block: string): string {
  const lines = block.startsWith(" ") ? block.split("\n") : wrap(block, proseWidth);
  return lines.map((line) => `  ${line}\n`).join("");
}

function nameTable(members: readonly (readonly [string, string])[]): string {
  const width = Math.max(...members.map(([name]) => name.length));
  return members.map(([name, text]) => `    ${name.padEnd(width)}    ${text}\n`).join("");
}

function section(title: string, flags: FlagTable): string {
  const entries = Object.entries(flags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return "";
  const shown = entries.map(([name, flag]) => `\n  ${signature(name, flag)}\n${indented(flag)}`);
  return `\n${title}\n${shown.join("")}`;
}

function signature(name: string, { placeholder }: Flag<unknown>): string {
  return placeholder === "" ? `-${name}` : `-${name}=<${placeholder}>`;
}

function indented({ help }: Flag<unknown>): string {
  return wrap(help, textWidth)
    .map((line) => `     ${line}\n`)
    .join("");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** What Go prints behind an error in the flags: all of them, in one list. */
export function flagUsage(flags: FlagTable): string {
  const lines = Object.entries(flags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { placeholder, help, defaultText }]) => {
      const head = placeholder === "" ? `  -${name}` : `  -${name} ${placeholder}`;
      const tail = defaultText === "" ? "" : ` (default ${defaultText})`;
      return `${head}\n    \t${help}${tail}\n`;
    });
  return `Usage:\n${lines.join("")}`;
}
