// One key as somebody edits it: what is there, what was typed, and what becomes of it when it is saved. What is there
// may change at any time; what was typed is changed by nobody else.

import { useState } from "preact/hooks";

import type { Live } from "../live/client.ts";
import { keyPath, lineEnd, valueOf } from "../model/kv.ts";
import type { KeyRow } from "../model/kv.ts";
import { mergeLines } from "../model/lines.ts";
import { within } from "../model/plan.ts";
import { words } from "../text/index.ts";
import { draftKey, drafts, setDraft } from "./drafts.ts";
import type { Draft } from "./drafts.ts";
import { live as liveClient } from "./live.ts";
import { say } from "./toast.ts";
import { readOnce, write } from "./writes.ts";

/** A key as it is; `index` 0: it is not there. Lines end with `\n` here, whatever they end with there. */
export interface There {
  text: string;
  flags: string;
  index: number;
  end: "\n" | "\r\n";
}

export const notThere: There = { text: "", flags: "0", index: 0, end: "\n" };

/** Null where it is no text that can be edited. */
export function thereOf(row: KeyRow | undefined): There | null {
  if (!row) return notThere;
  const value = valueOf(row.Value);
  if (value.kind === "binary") return null;
  const end = lineEnd(value.text);
  if (end === null) return null;
  const text = value.text.replaceAll("\r\n", "\n");
  return { text, flags: String(row.Flags), index: row.ModifyIndex, end };
}

export type Mode =
  | { kind: "typing"; failure?: string }
  | { kind: "review" }
  | { kind: "writing" }
  | { kind: "conflict"; theirs: There };

export interface Editing {
  mode: Mode;
  there: There;
  /** Null: nothing was typed that is not saved. */
  draft: Draft | null;
  text: string;
  flags: string;
  type(change: { text?: string; flags?: string }): void;
  review(): void;
  goOn(): void;
  save(): Promise<void>;
  discard(): void;
  /** Shows what is there now beside what was typed. */
  compare(): void;
  keepMine(): Promise<void>;
  takeTheirs(): void;
  merge(): void;
}

/** `server`: what the API says now. */
export function useEditing(dc: string, key: string, server: There): Editing {
  const at = draftKey(dc, key);
  const draft = drafts.value[at] ?? null;
  const [mode, setMode] = useState<Mode>({ kind: "typing" });
  const [saved, setSaved] = useState<There | null>(null);
  // What was written is known before it comes back by what is followed.
  const there = saved && saved.index > server.index ? saved : server;
  const text = draft?.mine ?? there.text;
  const flags = draft?.flags ?? there.flags;
  const type = (change: { text?: string; flags?: string }): void => {
    const mine = change.text ?? text;
    const next = { mine, flags: change.flags ?? flags };
    const isSame = next.mine === there.text && next.flags === there.flags;
    const begun = draft ?? { base: there.text, baseIndex: there.index };
    setDraft(at, isSame ? null : { base: begun.base, baseIndex: begun.baseIndex, ...next });
    if (mode.kind !== "typing" || mode.failure !== undefined) setMode({ kind: "typing" });
  };
  const save = async (from: Draft): Promise<void> => {
    setMode({ kind: "writing" });
    const result = await saveDraft(dc, key, from, there.end);
    if (result.kind === "conflict") return setMode({ kind: "conflict", theirs: result.theirs });
    if (result.kind === "failed") return setMode({ kind: "typing", failure: result.text });
    setDraft(at, null);
    setSaved(result.there);
    setMode({ kind: "typing" });
    say(from.baseIndex === 0 ? words().kv.created(key) : words().kv.saved(key));
    liveClient.retry();
    return undefined;
  };
  const rebase = (theirs: There, mine: string): Draft => {
    const next = { base: theirs.text, baseIndex: theirs.index, mine, flags };
    setDraft(at, next);
    return next;
  };
  return {
    ...{ mode, there, draft, text, flags, type },
    review: () => (draft ? setMode({ kind: "review" }) : say(words().kv.unchanged)),
    goOn: () => setMode({ kind: "typing" }),
    save: async () => {
      if (draft) await save(draft);
    },
    discard: () => {
      setDraft(at, null);
      setMode({ kind: "typing" });
    },
    compare: () => setMode({ kind: "conflict", theirs: there }),
    keepMine: async () => {
      if (mode.kind === "conflict") await save(rebase(mode.theirs, text));
    },
    takeTheirs: () => {
      setDraft(at, null);
      setMode({ kind: "typing" });
    },
    merge: () => {
      if (mode.kind !== "conflict" || !draft) return;
      const { text: merged, conflicts } = mergeLines(draft.base, draft.mine, mode.theirs.text);
      rebase(mode.theirs, merged);
      setMode({ kind: "typing" });
      say(conflicts === 0 ? words().kv.merged : words().kv.mergedConflicts(conflicts));
    },
  };
}

type Saved =
  | { kind: "saved"; there: There }
  | { kind: "conflict"; theirs: There }
  | { kind: "failed"; text: string };

/** Writes only over what the draft began with. */
async function saveDraft(dc: string, key: string, draft: Draft, end: string): Promise<Saved> {
  const { kv } = words();
  const path = keyPath(key);
  if (path === null) return { kind: "failed", text: kv.dots };
  const { mine, flags, baseIndex } = draft;
  const body = end === "\n" ? mine : mine.replaceAll("\n", end);
  const query = { dc, cas: String(baseIndex), flags };
  const result = await write({ method: "PUT", path: within(path, query), body });
  if (!result.isDone) {
    const text = result.status === 0 ? kv.unknown : kv.failed(result.text.trim());
    return { kind: "failed", text };
  }
  const rows = await readOnce<KeyRow[]>(within(path, { dc }));
  const there = thereOf(rows?.[0]) ?? notThere;
  if (result.text.trim() === "false") return { kind: "conflict", theirs: there };
  return { kind: "saved", there };
}

/** What the API says of a key; null: it is no text that can be edited. */
export function serverSays({ standing, body }: Live<KeyRow[]>): There | null {
  return standing.phase === "missing" ? notThere : thereOf(body?.[0]);
}
