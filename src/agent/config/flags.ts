// Reads command-line arguments as Go's flag package does (`-name value`, `-name=value`, `--name`,
// `--` ends), with its error texts, and prints the two forms of usage that Consul prints.

import { DurationError, parseDurationMs } from "../../core/model/duration.ts";
import { FlagError } from "./errors.ts";
import { flags, type Flag, type SpecialFlag } from "./flag-table.ts";
import { type ConfigKey, keyAt } from "./keys.ts";
import { emptyFragment, type Fragment } from "./parse.ts";

export interface ParsedFlags {
  /** What the flags set, as if it stood in a last configuration file. */
  fragment: Fragment;
  devMode: boolean;
  /** Files and directories in the order they were named. */
  configPaths: string[];
  configFormat: string;
  hcl: string[];
  /** Null when not given. */
  servers: number | null;
  runtime: string;
  /** What follows the flags. */
  rest: string[];
}

/** Throws FlagError for arguments that cannot be read, and for `-h`. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const parser = new FlagParser();
  let index = 0;
  while (index < args.length) {
    const argument = args[index] as string;
    if (!argument.startsWith("-") || argument === "-") break;
    index++;
    if (argument === "--") break;
    const text = argument.replace(/^--?/, "");
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const inline = equals < 0 ? null : text.slice(equals + 1);
    if (name === "" || name.startsWith("-")) throw failure(`bad flag syntax: ${argument}`);
    if (!Object.hasOwn(flags, name)) throw unknownFlag(name);
    const flag = flags[name] as Flag;
    if (inline !== null || flag.kind === "flag") {
      parser.set(name, flag, inline ?? "true");
      continue;
    }
    const value = args[index++];
    if (value === undefined) throw failure(`flag needs an argument: -${name}`);
    parser.set(name, flag, value);
  }
  return { ...parser.parsed, rest: args.slice(index) };
}

function unknownFlag(name: string): FlagError {
  if (name === "h" || name === "help") return new FlagError("help requested", agentHelp(), true);
  const nearest = nearestFlag(name);
  const hint = nearest === null ? "" : `, did you mean -${nearest}?`;
  return failure(`flag provided but not defined: -${name}${hint}`);
}

/** The one that a slip of the finger or a forgotten hyphen makes `name`. */
function nearestFlag(name: string): string | null {
  const plain = (text: string): string => text.replaceAll(/[-_]/g, "").toLowerCase();
  const known = Object.keys(flags).map((flag) => {
    return { flag, slips: editDistance(plain(name), plain(flag)) };
  });
  const [best] = known.toSorted((a, b) => a.slips - b.slips);
  return best && best.slips <= Math.max(1, Math.floor(name.length / 4)) ? best.flag : null;
}

/** Letters to add, drop or change. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}

function failure(message: string): FlagError {
  return new FlagError(message, flagUsage());
}

const trueWords = ["1", "t", "T", "TRUE", "true", "True"];
const falseWords = ["0", "f", "F", "FALSE", "false", "False"];

class FlagParser {
  readonly parsed: Omit<ParsedFlags, "rest"> = {
    fragment: emptyFragment(),
    devMode: false,
    configPaths: [],
    configFormat: "",
    hcl: [],
    servers: null,
    runtime: "",
  };

  set(name: string, flag: Flag, text: string): void {
    const value = this.#read(name, flag, text);
    const special = Object.hasOwn(specials, flag.sets) ? specials[flag.sets as SpecialFlag] : null;
    if (special !== null) special(this.parsed, value);
    else if (value !== null) this.#keep(flag, value);
  }

  #keep(flag: Flag, value: string | number | boolean): void {
    const { values } = this.parsed.fragment;
    if (flag.kind === "texts") {
      values.set(flag.sets, [...((values.get(flag.sets) as string[]) ?? []), value]);
    } else if (flag.kind === "pair") {
      const [key = "", ...rest] = (value as string).split(":");
      values.set(flag.sets, { ...(values.get(flag.sets) as object), [key]: rest.join(":") });
    } else {
      values.set(flag.sets, value);
    }
  }

  /** Null for a duration that cannot be read: that is reported with the files' problems. */
  #read(name: string, flag: Flag, text: string): string | number | boolean | null {
    if (flag.kind === "flag") {
      if (!trueWords.includes(text) && !falseWords.includes(text)) {
        const reason = `strconv.ParseBool: parsing "${text}": invalid syntax`;
        throw failure(`invalid boolean value "${text}" for -${name}: ${reason}`);
      }
      return trueWords.includes(text);
    }
    if (flag.kind === "integer") {
      if (!/^[-+]?\d+$/.test(text)) {
        const reason = `strconv.Atoi: parsing "${text}": invalid syntax`;
        throw failure(`invalid value "${text}" for flag -${name}: ${reason}`);
      }
      return Number(text);
    }
    return flag.kind === "duration" ? this.#duration(flag, text) : text;
  }

  #duration(flag: Flag, text: string): number | null {
    try {
      return parseDurationMs(text);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      const { problems } = this.parsed.fragment;
      problems.push(`${flag.sets}: invalid duration: "${text}": ${error.message}`);
      return null;
    }
  }
}

type Special = (parsed: Omit<ParsedFlags, "rest">, value: unknown) => void;

const specials: Record<SpecialFlag, Special> = {
  "config-dir": (parsed, value) => parsed.configPaths.push(value as string),
  "config-file": (parsed, value) => parsed.configPaths.push(value as string),
  "config-format": (parsed, value) => (parsed.configFormat = value as string),
  dev: (parsed, value) => (parsed.devMode = value as boolean),
  hcl: (parsed, value) => parsed.hcl.push(value as string),
  runtime: (parsed, value) => (parsed.runtime = value as string),
  servers: (parsed, value) => (parsed.servers = value as number),
};

/** The word after a flag's name: none for a switch. */
function valueWord({ kind }: Flag): string {
  return kind === "flag" ? "" : kind === "pair" ? "key:value" : "value";
}

const effects: Record<ConfigKey["status"], string> = {
  used: "",
  accepted: " (Has no effect yet.)",
  refused: " (Not built yet: the agent will not start.)",
  moot: " (This is how it always is here.)",
};

/** What help says of a flag, and whether it does anything. */
function helpOf({ sets, help }: Flag): string {
  return help + effects[keyAt(sets)?.status ?? "used"];
}

/** What Go prints after a flag that it does not understand. */
export function flagUsage(): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const word = valueWord(flag);
    return `  -${name}${word === "" ? "" : ` ${word}`}\n    \t${helpOf(flag)}\n`;
  });
  return `Usage:\n${rows.join("")}`;
}

const helpWidth = 72;

/** What `proconsul agent -h` prints. */
export function agentHelp(): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const word = valueWord(flag);
    const lines = wrapped(helpOf(flag), helpWidth - 5).map((line) => `     ${line}\n`);
    return `\n  -${name}${word === "" ? "" : `=<${word}>`}\n${lines.join("")}`;
  });
  return (
    "Usage: proconsul agent [options]\n\n" +
    "  Starts the agent and runs until an interrupt is received. The agent\n" +
    "  represents a single node in a cluster.\n\n" +
    `Command Options\n${rows.join("")}`
  );
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
