// HCL as plain values, the way in which Consul's parser hands them on: a block is a list of objects, because it may be
// repeated, and `service "web" { … }` is a block of that name in a block.

import type { HclLiteral, HclObject, HclValue } from "./ast.ts";

export type PlainHcl = string | number | boolean | null | PlainHcl[] | PlainObject;
export interface PlainObject {
  [name: string]: PlainHcl;
}

/** `single`: what a block that is not repeated becomes, for readers to whom an object is as good as a list of one. */
export interface PlainOptions {
  single?: "list" | "object";
}

export function plainHcl({ items }: HclObject, options: PlainOptions = {}): PlainObject {
  const blocks = new Map<string, PlainObject[]>();
  const members = new Map<string, PlainHcl>();
  for (const { keys, value } of items) {
    const [first, ...labels] = keys.map(({ name }) => name);
    if (first === undefined) continue;
    if (value.kind !== "object") {
      members.set(first, plainValue(value, options));
      continue;
    }
    const nested = labels.reduceRight<PlainObject>(
      (within, label) => ownObject([[label, blockValue([within], options)]]),
      plainHcl(value, options),
    );
    const known = [...(blocks.get(first) ?? []), nested];
    blocks.set(first, known);
    members.set(first, blockValue(known, options));
  }
  return ownObject([...members]);
}

function blockValue(blocks: readonly PlainObject[], { single = "list" }: PlainOptions): PlainHcl {
  const [only, another] = blocks;
  return single === "object" && only && !another ? only : [...blocks];
}

function plainValue(value: HclValue, options: PlainOptions): PlainHcl {
  if (value.kind === "object") return plainHcl(value, options);
  if (value.kind === "list") return value.items.map((item) => plainValue(item, options));
  return plainLiteral(value);
}

function plainLiteral({ kind, text }: HclLiteral): PlainHcl {
  if (kind === "string") return text;
  if (kind === "bool") return text === "true";
  return kind === "null" ? null : numberOf(text);
}

/** As Go reads literals: a leading zero means octal. */
function numberOf(text: string): number {
  const [, sign = "", octal] = /^(-?)0([0-7]+)$/.exec(text) ?? [];
  if (octal !== undefined) return Number(`${sign}${parseInt(octal, 8)}`);
  return Number(text);
}

/** fromEntries defines own properties, so a name `__proto__` is only a name. */
function ownObject(members: readonly (readonly [string, PlainHcl])[]): PlainObject {
  return Object.fromEntries(members);
}
