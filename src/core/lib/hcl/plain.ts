// HCL as plain values, the way Consul's parser hands them to whoever decodes them: a block is a list of objects, because
// it may be repeated, and `service "web" { … }` is a block of that name in a block.

import type { HclLiteral, HclObject, HclValue } from "./ast.ts";

export type PlainHcl = string | number | boolean | null | PlainHcl[] | PlainObject;
export interface PlainObject {
  [name: string]: PlainHcl;
}

export function plainHcl({ items }: HclObject): PlainObject {
  const members = new Map<string, PlainHcl>();
  for (const { keys, value } of items) {
    const [first, ...labels] = keys.map(({ name }) => name);
    if (first === undefined) continue;
    const inner = plainValue(value);
    const nested = labels.reduceRight((within, label) => [ownObject([[label, within]])], inner);
    const before = members.get(first);
    const joins = Array.isArray(before) && Array.isArray(nested) && value.kind === "object";
    members.set(first, joins ? [...before, ...nested] : nested);
  }
  return ownObject([...members]);
}

function plainValue(value: HclValue): PlainHcl {
  if (value.kind === "object") return [plainHcl(value)];
  if (value.kind === "list") {
    return value.items.map((item) => (item.kind === "object" ? plainHcl(item) : plainValue(item)));
  }
  return plainLiteral(value);
}

function plainLiteral({ kind, text }: HclLiteral): PlainHcl {
  if (kind === "string") return text;
  if (kind === "bool") return text === "true";
  return kind === "null" ? null : Number(text);
}

/** fromEntries defines own properties, so a name `__proto__` is only a name. */
function ownObject(members: readonly (readonly [string, PlainHcl])[]): PlainObject {
  return Object.fromEntries(members);
}
