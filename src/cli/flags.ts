// Flags as Go's flag package reads them: `-x` and `--x`, a value after `=` or as the next argument, switches that take
// none, and no flag after the first argument that is none. A command says what flags it has as a table; values are
// typed by it, and help and errors are printed from it.

import { DurationError, parseDuration } from "../core/model/duration.ts";

/** What one flag takes and how its text becomes a value. */
export interface Flag<Value> {
  /** What stands for the value in help: `string`, `uint`; "" for a switch. */
  placeholder: string;
  /** Counts as true when no value follows `=`. */
  isSwitch?: true;
  help: string;
  initial: Value;
  /** As Go prints it behind the help; "" when it is a zero value. */
  defaultText: string;
  /** Throws FlagValueError. `before` is the value so far. */
  read(text: string, before: Value): Value;
}

// A table holds flags of every type; each is only ever given values that it made.
// oxlint-disable-next-line typescript/no-explicit-any
export type FlagTable = Readonly<Record<string, Flag<any>>>;

export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer Value> ? Value : never;
};

export class FlagError extends Error {
  override name = "FlagError";
}

class FlagValueError extends Error {
  override name = "FlagValueError";
}

export function switchFlag(help: string, initial = false): Flag<boolean> {
  return {
    placeholder: "",
    isSwitch: true,
    help,
    initial,
    defaultText: initial ? "true" : "",
    read: (text) => goBoolean(text),
  };
}

export function textFlag(help: string, initial = "", placeholder = "string"): Flag<string> {
  const defaultText = initial === "" ? "" : `"${initial}"`;
  return { placeholder, help, initial, defaultText, read: (text) => text };
}

/** A text of which it matters whether it was given at all. */
export function optionalText(help: string, placeholder = "value"): Flag<string | undefined> {
  return { placeholder, help, initial: undefined, defaultText: "", read: (text) => text };
}

/** Up to 64 bits. */
export function uintFlag(help: string): Flag<bigint> {
  return {
    placeholder: "uint",
    help,
    initial: 0n,
    defaultText: "",
    read: (text) => goInteger(text, 0n, 2n ** 64n - 1n),
  };
}

export function intFlag(help: string, initial = 0): Flag<number> {
  return {
    placeholder: "int",
    help,
    initial,
    defaultText: initial === 0 ? "" : String(initial),
    read: (text) => Number(goInteger(text, -(2n ** 63n), 2n ** 63n - 1n)),
  };
}

/** In nanoseconds. */
export function durationFlag(help: string, initial = 0, defaultText = ""): Flag<number> {
  const read = (text: string): number => {
    try {
      return parseDuration(text);
    } catch (failure) {
      if (failure instanceof DurationError) throw new FlagValueError("parse error");
      throw failure;
    }
  };
  return { placeholder: "duration", help, initial, defaultText, read };
}

/** May be given several times. */
export function listFlag(help: string, placeholder = "value"): Flag<readonly string[]> {
  return {
    placeholder,
    help,
    initial: [],
    defaultText: "",
    read: (text, before) => [...before, text],
  };
}

/** `key=value`, several times. */
export function mapFlag(
  help: string,
  placeholder = "value",
): Flag<Readonly<Record<string, string>>> {
  const read = (text: string, before: Readonly<Record<string, string>>) => {
    const at = text.indexOf("=");
    if (at < 0) throw new FlagValueError(`Missing "=" value in argument: ${text}`);
    return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
  };
  return { placeholder, help, initial: {}, defaultText: "", read };
}

/** A value that only counts when it was given, and says itself what is wrong with it. */
export function optional<Value>(
  placeholder: string,
  help: string,
  read: (text: string) => Value,
): Flag<Value | undefined> {
  const checked = (text: string): Value => {
    try {
      return read(text);
    } catch (failure) {
      throw new FlagValueError((failure as Error).message);
    }
  };
  return { placeholder, help, initial: undefined, defaultText: "", read: checked };
}

const booleans: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false])),
};

/** What Go's strconv.ParseBool makes of it; null when that is an error. */
export function parseBoolean(text: string): boolean | null {
  return Object.hasOwn(booleans, text) ? (booleans[text] ?? null) : null;
}

function goBoolean(text: string): boolean {
  const value = parseBoolean(text);
  if (value === null) throw new FlagValueError("parse error");
  return value;
}

/** As strconv reads integers with base 0: decimal, 0x, 0o, 0b, and a leading zero for octal. */
function goInteger(text: string, min: bigint, max: bigint): bigint {
  const [, sign = "", digits = ""] = /^([-+]?)([0-9a-zA-Z]+)$/.exec(text) ?? [];
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  let size: bigint;
  try {
    size = BigInt(octal === "" ? "none" : octal);
  } catch {
    throw new FlagValueError("parse error");
  }
  const value = sign === "-" ? -size : size;
  const signed = min < 0n || sign === "";
  if (!signed) throw new FlagValueError("parse error");
  if (value < min || value > max) throw new FlagValueError("value out of range");
  return value;
}

export interface ParsedFlags<Table extends FlagTable> {
  flags: FlagValues<Table>;
  /** What is left when the flags are read. */
  args: readonly string[];
  /** The names of the flags that were given. */
  given: ReadonlySet<string>;
}

/** Throws FlagError with Go's words. */
export function parseFlags<Table extends FlagTable>(
  table: Table,
  input: readonly string[],
): ParsedFlags<Table> {
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(table).map(([name, flag]) => [name, flag.initial as unknown]),
  );
  const given = new Set<string>();
  let at = 0;
  while (at < input.length) {
    const argument = input[at] ?? "";
    if (!argument.startsWith("-") || argument === "-") break;
    at++;
    if (argument === "--") break;
    const [name, inline] = split(argument);
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) throw new FlagError(`flag provided but not defined: -${name}`);
    const text = inline ?? (flag.isSwitch ? "true" : input[at++]);
    if (text === undefined) throw new FlagError(`flag needs an argument: -${name}`);
    values[name] = readValue(name, flag, text, values[name]);
    given.add(name);
  }
  return { flags: values as FlagValues<Table>, args: input.slice(at), given };
}

function split(argument: string): [string, string | undefined] {
  const text = argument.replace(/^--?/, "");
  if (text === "" || text.startsWith("-") || text.startsWith("=")) {
    throw new FlagError(`bad flag syntax: ${argument}`);
  }
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function readValue(name: string, flag: Flag<unknown>, text: string, before: unknown): unknown {
  try {
    return flag.read(text, before);
  } catch (failure) {
    if (!(failure instanceof FlagValueError)) throw failure;
    const what = flag.isSwitch ? "boolean value" : "value";
    const which = flag.isSwitch ? `-${name}` : `flag -${name}`;
    throw new FlagError(`invalid ${what} ${JSON.stringify(text)} for ${which}: ${failure.message}`);
  }
}
