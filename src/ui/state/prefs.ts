// What a person prefers, kept in the browser: nothing of it is secret, and nothing of it is told to anybody.

import { effect, signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

import { keep, readKept } from "./kept.ts";

export const themes = ["system", "light", "dark"] as const;
export const languages = ["en", "zh"] as const;
export const densities = ["compact", "normal", "roomy"] as const;
export const zones = ["local", "UTC"] as const;
export const keyUses = ["on", "off"] as const;

export type Language = (typeof languages)[number];

export const prefs = {
  theme: preference("theme", themes, "system"),
  language: preference("language", languages, browserLanguage()),
  density: preference("density", densities, "normal"),
  zone: preference("zone", zones, "local"),
  /** Single letters do something. */
  keys: preference("keys", keyUses, "on"),
};

function preference<Value extends string>(
  name: string,
  values: readonly Value[],
  initial: Value,
): Signal<Value> {
  const kept = readKept("localStorage", `proconsul.${name}`);
  const value = signal(values.find((one) => one === kept) ?? initial);
  effect(() => {
    keep("localStorage", `proconsul.${name}`, value.value === initial ? "" : value.value);
  });
  return value;
}

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Puts what styles depend on at the root, now and whenever it changes. */
export function applyPrefs(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    dataset["theme"] = prefs.theme.value;
    dataset["density"] = prefs.density.value;
    document.documentElement.lang = prefs.language.value;
  });
}

/** The one after it, and the first after the last. */
export function cycle<Value>(preference: Signal<Value>, values: readonly Value[]): void {
  const at = values.indexOf(preference.value);
  preference.value = values[(at + 1) % values.length] ?? preference.value;
}
