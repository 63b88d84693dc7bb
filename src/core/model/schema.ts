// Shapes of Consul's JSON as data. One schema per type serves both directions: `encode` here writes it in
// field order with Go's omission rules, `decode.ts` reads it with Go's leniency and Go's error texts, and the
// filter language (`filter/`) finds its selectors in it.

import { assertNever } from "../lib/assert.ts";
import { formatDuration } from "./duration.ts";
import { encodeJson, encodeString, sortedKeys } from "./json.ts";
import type { JsonValue } from "./json.ts";

export interface Field {
  type: Type;
  /** Go's `omitempty`: zero values, empty lists and empty maps are not written. */
  omitEmpty?: true;
  /** Not a selector of the filter language. */
  unfiltered?: true;
  /** Another spelling that configuration entries may use, in lower case, e.g. `mesh_gateway`. */
  alias?: string;
}

export interface StructType {
  kind: "struct";
  /** Go's name of the struct, for error texts, e.g. `structs.RegisterRequest`. */
  goName: string;
  fields: Readonly<Record<string, Field>>;
  /** A pointer in Go: null when absent. Otherwise absent means every field zero. */
  nullable?: true;
  /** Go decodes it with its own method, so errors name only the outer field. `lenient`: unknown fields pass. */
  opaque?: "strict" | "lenient";
  /** Fields that are also read in snake case, as `local_service_port` for `LocalServicePort`. */
  snakeCase?: readonly string[];
  /** Members that requests may carry although nothing is done with them. */
  accepted?: readonly string[];
}

export type Type =
  /** `goName` of the named Go type when it is not the builtin one. */
  | { kind: "string"; goName?: string }
  | { kind: "boolean" }
  | { kind: "integer"; goName: string }
  /** A finite number with a fraction. */
  | { kind: "float" }
  /** Decimal text inside, a raw number in JSON. */
  | { kind: "uint64" }
  /** Nanoseconds inside. `lenient`: values that are neither text nor number are ignored. */
  | { kind: "duration"; written: "text" | "nanoseconds"; lenient?: true }
  /** Base64 text on both sides; "" is written as null. */
  | { kind: "bytes" }
  | { kind: "any" }
  | { kind: "list"; item: Type; goName?: string }
  | { kind: "map"; value: Type }
  | StructType;

export const text: Field = { type: { kind: "string" } };
export const flag: Field = { type: { kind: "boolean" } };
export const float: Field = { type: { kind: "float" } };
export const integer: Field = { type: { kind: "integer", goName: "int" } };
/** A Raft index: written, and read from requests that compare it. */
export const raftIndex: Field = {
  type: { kind: "integer", goName: "uint64" },
  unfiltered: true,
};
export const stringList: Type = { kind: "list", item: { kind: "string" } };
export const stringMap: Type = { kind: "map", value: { kind: "string" } };

export function omitEmpty(field: Field): Field {
  return { ...field, omitEmpty: true };
}

/** JSON text of `value`, which must have the schema's shape. */
export function encode(type: Type, value: unknown): string {
  switch (type.kind) {
    case "string":
      return encodeString(value as string);
    case "boolean":
    case "integer":
    case "float":
      return String(value);
    case "uint64":
      return value as string;
    case "duration":
      return type.written === "text"
        ? encodeString(formatDuration(value as number))
        : String(value);
    case "bytes":
      return value === "" ? "null" : `"${value as string}"`;
    case "any":
      return encodeJson(value as JsonValue);
    case "list":
      return value === null ? "null" : encodeList(type.item, value as readonly unknown[]);
    case "map":
      return value === null ? "null" : encodeMap(type.value, value as Record<string, unknown>);
    case "struct":
      return value === null ? "null" : encodeStruct(type, value as Record<string, unknown>);
  }
  return assertNever(type);
}

function encodeList(item: Type, values: readonly unknown[]): string {
  return `[${values.map((value) => encode(item, value)).join(",")}]`;
}

function encodeMap(value: Type, map: Record<string, unknown>): string {
  const members = sortedKeys(map).map((key) => `${encodeString(key)}:${encode(value, map[key])}`);
  return `{${members.join(",")}}`;
}

function encodeStruct(type: StructType, value: Record<string, unknown>): string {
  const members: string[] = [];
  for (const name in type.fields) {
    const field = type.fields[name] as Field;
    const member = value[name];
    if (member === undefined || (field.omitEmpty && isEmpty(member))) continue;
    members.push(`"${name}":${encode(field.type, member)}`);
  }
  return `{${members.join(",")}}`;
}

/** Go's notion of an empty value under `omitempty`; a struct is never empty. */
function isEmpty(value: unknown): boolean {
  if (value === "" || value === 0 || value === false || value === null || value === "0")
    return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && isEmptyMap(value as Record<string, unknown>);
}

function isEmptyMap(value: Record<string, unknown>): boolean {
  for (const _ in value) return false;
  return true;
}

/** The value of a type that was not mentioned: zero, "", false, null or a struct of those. */
export function zeroValue(type: Type): unknown {
  switch (type.kind) {
    case "string":
    case "bytes":
      return "";
    case "boolean":
      return false;
    case "integer":
    case "float":
    case "duration":
      return 0;
    case "uint64":
      return "0";
    case "any":
    case "list":
    case "map":
      return null;
    case "struct":
      return type.nullable ? null : zeroStruct(type);
  }
  return assertNever(type);
}

/** A struct with every field zero, `nullable` or not. */
export function zeroStruct(type: StructType): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const name in type.fields) value[name] = zeroValue((type.fields[name] as Field).type);
  return value;
}
