// JSON as Go writes structs.

import { encodeString } from "../core/model/json.ts";

/** JSON with members in the order in which they stand, as Go writes structs; `value` is JSON. */
export function encodeOrdered(value: unknown): string {
  if (typeof value === "string") return encodeString(value);
  if (Array.isArray(value)) return `[${value.map(encodeOrdered).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value as Record<string, unknown>).flatMap(([name, member]) =>
    member === undefined ? [] : [`${encodeString(name)}:${encodeOrdered(member)}`],
  );
  return `{${members.join(",")}}`;
}
