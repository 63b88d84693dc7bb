// How tokens, policies and the rest are printed: in lines for people, or as JSON.

import { type FlagTable, switchFlag } from "../../flags.ts";
import { type Format, formatFlag, formatFrom } from "../../format.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { indentedJson } from "../../json.ts";

/** Of commands that print a thing. */
export const showFlags = {
  ...namespaceFlag,
  format: formatFlag,
  meta: switchFlag("Print indexes and the hash of the content, where there is one, too."),
} satisfies FlagTable;

export interface Kind<Thing> {
  /** In the order of Consul's JSON. */
  members: readonly (keyof Thing & string)[];
  /** What is written although the API leaves it out. */
  empty?: Partial<Thing>;
  /** Of one thing, without the last line break. */
  text(thing: Thing, meta: boolean): string;
  /** Of one thing in a list; absent for what has no list of its own. */
  entry(thing: Thing, meta: boolean): string;
}

/** As much of a call as printing needs. */
export interface Shown {
  flags: { readonly format: string; readonly meta?: boolean };
  print(line: string): void;
}

/** Throws Failure. To be asked before anything is changed. */
export function outputFormat({ flags: { format } }: Shown): Format {
  return formatFrom(format, `Unknown format: ${format}`);
}

export function show<Thing>(call: Shown, format: Format, kind: Kind<Thing>, thing: Thing): void {
  const json = (): string => indentedJson(inOrder(kind, thing), "    ");
  call.print(format === "json" ? json() : kind.text(thing, call.flags.meta ?? false));
}

export function showList<Thing>(
  call: Shown,
  format: Format,
  kind: Kind<Thing>,
  things: readonly Thing[],
): void {
  if (format === "json") {
    call.print(
      indentedJson(
        things.map((thing) => inOrder(kind, thing)),
        "    ",
      ),
    );
  } else if (things.length > 0) {
    call.print(things.map((thing) => kind.entry(thing, call.flags.meta ?? false)).join(""));
  }
}

function inOrder<Thing>({ members, empty }: Kind<Thing>, thing: Thing): Partial<Thing> {
  const whole = { ...empty, ...thing };
  const present = members.filter((name) => whole[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, whole[name]])) as Partial<Thing>;
}

/** `Name:  value` in a column; null leaves a line out. */
export function facts(
  width: number,
  rows: readonly (readonly [string, string | number | boolean] | null)[],
): string {
  return rows
    .filter((row) => row !== null)
    .map(([name, value]) => `${`${name}:`.padEnd(width)}${value}\n`)
    .join("");
}

/** A title and what it has, each on a line; nothing when there is nothing. */
export function block(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ""
    : `${title}:\n${indented(lines.map((line) => `${line}\n`).join(""))}`;
}

export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "   ");
}

export function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

/** A time of JSON as Go prints it. */
export function timeText(rfc3339: string): string {
  return rfc3339.replace("T", " ").replace(/Z$/, " +0000 UTC");
}
