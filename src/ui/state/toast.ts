// One short line about what just happened, which goes away by itself.

import { signal } from "@preact/signals";

export interface Toast {
  text: string;
  /** What may be done about it. */
  action?: { label: string; act(): void };
}

export const toast = signal<Toast | null>(null);

const shownMs = 4_000;
const actionShownMs = 60_000;
let timer = 0;

export function say(text: string, action?: Toast["action"]): void {
  clearTimeout(timer);
  toast.value = { text, ...(action && { action }) };
  timer = window.setTimeout(hush, action ? actionShownMs : shownMs);
}

export function hush(): void {
  clearTimeout(timer);
  toast.value = null;
}
