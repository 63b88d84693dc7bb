// The value as text: typing, looking over what would be written, writing it, and what to do when somebody else did.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

import { areFlags, formattedJson } from "../../model/kv.ts";
import { Diff } from "../../parts/Diff.tsx";
import { useEditing } from "../../state/editing.ts";
import type { Editing, There } from "../../state/editing.ts";
import { say } from "../../state/toast.ts";
import { formatNumber, words } from "../../text/index.ts";
import { Conflict } from "./Conflict.tsx";

export interface EditorProps {
  dc: string;
  name: string;
  server: There;
  onClose(): void;
  children?: ComponentChildren;
}

/** As the API has it unless it is told otherwise. */
const bytesMax = 524_288;

export function Editor({ dc, name, server, onClose, children }: EditorProps) {
  const { kv } = words();
  const editing = useEditing(dc, name, server);
  const { mode, draft, there } = editing;
  const wrong = problem(editing);
  useSaveKey(editing, wrong, onClose);
  const hasMoved = draft !== null && draft.baseIndex !== there.index;
  if (mode.kind === "conflict") return <Conflict editing={editing} theirs={mode.theirs} />;
  if (mode.kind === "review" || mode.kind === "writing") return <Review editing={editing} />;
  return (
    <>
      {there.index === 0 && (
        <p class="notice-line">
          {kv.missing(name)}. {kv.missingWhy}
        </p>
      )}
      {hasMoved && (
        <p class="notice-line is-warning" role="status">
          {there.index === 0 ? kv.deleted : kv.changed(String(there.index))}{" "}
          <button type="button" class="link" onClick={editing.compare}>
            {kv.see}
          </button>
        </p>
      )}
      <Typing editing={editing} />
      {(mode.failure ?? wrong) && (
        <p class="is-critical" role="alert">
          {mode.failure ?? wrong}
        </p>
      )}
      <div class="actions">
        {children}
        {draft && (
          <button type="button" onClick={editing.discard}>
            {kv.discard}
          </button>
        )}
        <button
          type="button"
          class="main-action"
          aria-keyshortcuts="Control+S"
          disabled={draft === null || wrong !== null}
          onClick={editing.review}
        >
          {kv.save}
        </button>
      </div>
    </>
  );
}

function Typing({ editing: { text, flags, type, there, draft } }: { editing: Editing }) {
  const { kv } = words();
  const [wraps, setWraps] = useState(true);
  const id = useId();
  const format = (): void => {
    const formatted = formattedJson(text);
    if (formatted === null) say(kv.notJson);
    else type({ text: formatted });
  };
  return (
    <>
      <p class="facts-line muted">
        <span>{kv.bytes(formatNumber(bytesOf(text, there.end)))}</span>
        {there.end === "\r\n" && <span>CRLF</span>}
        <span>{kv.index(String(there.index))}</span>
        {draft && <span class="is-warning">{kv.draft}</span>}
        <button type="button" class="link" onClick={format}>
          {kv.format}
        </button>
        <label>
          <input type="checkbox" checked={wraps} onChange={() => setWraps(!wraps)} />
          {kv.wrap}
        </label>
      </p>
      <label class="offscreen" for={id}>
        {kv.value}
      </label>
      <textarea
        id={id}
        value={text}
        wrap={wraps ? "soft" : "off"}
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => type({ text: currentTarget.value })}
      />
      <label class="field flags">
        <span>{kv.flags}</span>
        <input
          type="text"
          inputMode="numeric"
          value={flags}
          onInput={({ currentTarget }) => type({ flags: currentTarget.value.trim() })}
        />
      </label>
    </>
  );
}

function Review({ editing }: { editing: Editing }) {
  const { kv } = words();
  const { draft, there, text, mode } = editing;
  const isWriting = mode.kind === "writing";
  return (
    <form
      class="review"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWriting) void editing.save();
      }}
    >
      <h3>{kv.changes}</h3>
      <Diff before={there.text} after={text} />
      {draft && draft.flags !== there.flags && (
        <p>
          {kv.flags}: {there.flags} → {draft.flags}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={editing.goOn}>
          {kv.back}
        </button>
        {/* Enter writes: whoever looked it over need not reach for the mouse. */}
        <button
          type="submit"
          class="main-action"
          disabled={isWriting}
          ref={(button) => button?.focus()}
        >
          {isWriting ? kv.writing : kv.write}
        </button>
      </div>
    </form>
  );
}

function problem({ text, flags, there }: Editing): string | null {
  const { kv } = words();
  if (!areFlags(flags)) return kv.flagsWrong;
  // An agent may allow more, and says so itself where it does not.
  if (bytesOf(text, there.end) > bytesMax && there.text.length <= bytesMax) {
    return kv.tooLarge(formatNumber(bytesMax));
  }
  return null;
}

function bytesOf(text: string, end: string): number {
  return new TextEncoder().encode(end === "\n" ? text : text.replaceAll("\n", end)).length;
}

/** `Ctrl S` saves from anywhere, Escape goes back a step. */
function useSaveKey(editing: Editing, wrong: string | null, onClose: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (document.querySelector("dialog[open]") || event.isComposing) return;
      if (event.key === "s" && (event.ctrlKey || event.metaKey) && !event.altKey) {
        event.preventDefault();
        if (wrong === null && editing.mode.kind === "typing") editing.review();
      }
      if (event.key !== "Escape") return;
      event.preventDefault();
      if (editing.mode.kind === "typing") onClose();
      else if (editing.mode.kind !== "writing") editing.goOn();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}
