// One short line about what just happened, which goes away by itself.

import { signal } from "@preact/signals";

export const toast = signal("");

const shownMs = 4_000;
let timer = 0;

export function say(text: string): void {
  clearTimeout(timer);
  toast.value = text;
  timer = window.setTimeout(() => {
    toast.value = "";
  }, shownMs);
}
