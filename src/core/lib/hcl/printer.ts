// Writes HCL 1 as `hcl fmt` would, without the comments, which are not kept.

import type { HclItem, HclObject, HclValue } from "./ast.ts";

export function printHcl(document: HclObject): string {
  return printItems(document.items);
}

function printItems(items: readonly HclItem[]): string {
  return items.map(printItem).join("\n\n");
}

function printItem({ keys, value }: HclItem): string {
  const names = keys.map(({ source }, at) => (at === 0 ? bare(source) : source)).join(" ");
  if (value.kind !== "object") return `${names} = ${printValue(value)}`;
  // In JSON each name is an object of its own: one that holds a single object is a block of it.
  const [only] = value.items;
  if (keys[0]?.at === null && only && keys.length === 1 && only.value.kind === "object") {
    return value.items
      .map((item) => printItem({ keys: [...keys, ...item.keys], value: item.value }))
      .join("\n\n");
  }
  if (value.items.length === 0) return `${names} {}`;
  return `${names} {\n${indented(printItems(value.items))}\n}`;
}

function printValue(value: HclValue): string {
  if (value.kind === "string") return JSON.stringify(value.text);
  if (value.kind === "list") return `[${value.items.map(printValue).join(", ")}]`;
  if (value.kind === "object") return `{\n${indented(printItems(value.items))}\n}`;
  return value.text;
}

/** Names need no quotes where they are words. */
function bare(source: string): string {
  const [, word] = /^"([\p{L}_][\p{L}\d_.-]*)"$/u.exec(source) ?? [];
  return word ?? source;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
