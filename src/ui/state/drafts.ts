// What somebody typed and has not saved: kept over reloads of the tab, and touched by nobody else.

import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

import { keep, readKept } from "./kept.ts";

export interface Draft {
  /** The value that it began with, and its index; 0: there was none. */
  base: string;
  baseIndex: number;
  mine: string;
  flags: string;
}

const name = "proconsul.drafts";
/** Together; what is beyond it is kept in memory only. */
const charactersMax = 512_000;

type Drafts = Readonly<Record<string, Draft>>;

export const drafts: Signal<Drafts> = signal(read());

export function draftKey(dc: string, key: string): string {
  return JSON.stringify([dc, key]);
}

/** Null forgets it. */
export function setDraft(at: string, draft: Draft | null): void {
  const { [at]: _before, ...others } = drafts.value;
  drafts.value = draft ? { ...others, [at]: draft } : others;
  const text = JSON.stringify(drafts.value);
  const isKept = Object.keys(drafts.value).length > 0 && text.length <= charactersMax;
  keep("sessionStorage", name, isKept ? text : "");
}

function read(): Drafts {
  try {
    return JSON.parse(readKept("sessionStorage", name) || "{}") as Drafts;
  } catch {
    return {};
  }
}
