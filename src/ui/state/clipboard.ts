// Copying. Plain http at a host's address is no secure context, where browsers have another way.

import { plain } from "../model/names.ts";
import { words } from "../text/index.ts";
import { say } from "./toast.ts";

const shownCharacters = 60;

export async function copy(text: string): Promise<void> {
  const { copy: said } = words();
  const isCopied = (await byClipboard(text)) || bySelection(text);
  if (!isCopied) return void window.prompt(said.failed, text);
  const shown = plain(text);
  say(said.done(shown.length > shownCharacters ? `${shown.slice(0, shownCharacters)}…` : shown));
}

async function byClipboard(text: string): Promise<boolean> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (!clipboard) return false;
  return await clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

function bySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}
