// What commands about configuration entries share.

import { pathEscape } from "../../api.ts";
import { type Call, Failure } from "../../command.ts";
import { type FlagTable, textFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";

export const kindFlag = { kind: textFlag("Kind of the entry.") } satisfies FlagTable;

export const entryFlags = {
  ...namespaceFlag,
  ...kindFlag,
  name: textFlag("Name of the entry."),
} satisfies FlagTable;

export interface EntryName {
  kind: string;
  name: string;
}

/** Throws Failure when one of them is missing. */
export function entryNameFrom({ flags: { kind, name } }: Call<typeof entryFlags>): EntryName {
  if (kind === "") throw new Failure("Must specify the -kind parameter");
  if (name === "") throw new Failure("Must specify the -name parameter");
  return { kind, name };
}

export function entryPath({ kind, name }: EntryName): string {
  return `/v1/config/${pathEscape(kind)}/${pathEscape(name)}`;
}
