// The words of the page, in the language that is chosen; only that one is loaded.

import { signal } from "@preact/signals";

import { prefs } from "../state/prefs.ts";
import type { Language } from "../state/prefs.ts";
import type { en } from "./en.ts";

export type Text = typeof en;

const loaders: Readonly<Record<Language, () => Promise<Text>>> = {
  en: async () => (await import("./en.ts")).en,
  zh: async () => (await import("./zh.ts")).zh,
};

const current = signal<Text | null>(null);

/** Resolves when there are words, and follows the language from then on. */
export async function followLanguage(): Promise<void> {
  await load(prefs.language.value);
  prefs.language.subscribe((language) => {
    void load(language);
  });
}

async function load(language: Language): Promise<void> {
  const text = await loaders[language]();
  if (prefs.language.value === language) current.value = text;
}

/** Throws before {@link followLanguage} resolved. */
export function words(): Text {
  if (!current.value) throw new Error("there are no words yet");
  return current.value;
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(prefs.language.value).format(value);
}

function zone(): { timeZone?: string } {
  return prefs.zone.value === "UTC" ? { timeZone: "UTC" } : {};
}

/** `12:01:07`, with the date when it was another day. */
export function formatTime(ms: number, nowMs: number): string {
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return new Intl.DateTimeFormat(prefs.language.value, {
    ...zone(),
    ...(!isToday && { year: "numeric", month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(ms);
}
