// Keys: one listener, for combinations of one or two keys that what is on the page has named. Letters alone do nothing
// where somebody types, nor while an input method composes.

import { useEffect } from "preact/hooks";

import { prefs } from "./prefs.ts";

/** By combination: `j`, `g s`, `Escape`, `/`. False: it is somebody else's. */
export type Keys = Readonly<Record<string, () => void | false>>;

const stack: Keys[] = [];
const sequenceMs = 1_200;
let first = "";
let firstMs = 0;

/** The keys of a component while it is there. The latest that names one has it. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    stack.push(keys);
    return () => void stack.splice(stack.indexOf(keys), 1);
  }, [keys]);
}

export function listenToKeys(): void {
  document.addEventListener("keydown", onKey);
}

function onKey(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event;
  if (isComposing || ctrlKey || metaKey || altKey || event.defaultPrevented) return;
  if (key === "Shift") return;
  if (key !== "Escape" && (isTyping(event.target) || prefs.keys.value === "off")) return;
  // A dialog has its own keys.
  if (document.querySelector("dialog[open]")) return;
  const isSecond = first !== "" && event.timeStamp - firstMs < sequenceMs;
  const combination = isSecond ? `${first} ${key}` : key;
  first = "";
  if (run(combination)) return event.preventDefault();
  first = key.length === 1 ? key : "";
  firstMs = event.timeStamp;
}

function run(combination: string): boolean {
  return stack.toReversed().some((keys) => {
    const act = Object.hasOwn(keys, combination) ? keys[combination] : undefined;
    return act !== undefined && act() !== false;
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
