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
  /**
   * Go decodes it with its own method: errors name only the outer field, and end the whole at once. `lenient`: unknown
   * fields pass.
   */
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
  /**
   * Nanoseconds inside. `lenient`: values that are neither text nor number are ignored, and a struct that decodes
   * itself looks at it after its other fields. `readable`: decodes itself, anything but text as a number.
   */
  | { kind: "duration"; written: "text" | "nanoseconds"; lenient?: true; readable?: true }
  /** Base64 text on both sides; "" is written as null. */
  | { kind: "bytes" }
  | { kind: "any" }
  | { kind: "list"; item: Type; goName?: string }
  | { kind: "map"; value: Type }
  | StructType;

export const text = { type: { kind: "string" } } as const satisfies Field;
export const flag = { type: { kind: "boolean" } } as const satisfies Field;
export const float = { type: { kind: "float" } } as const satisfies Field;
export const integer = { type: { kind: "integer", goName: "int" } } as const satisfies Field;
/** A Raft index: written, and read from requests that compare it. */
export const raftIndex = {
  type: { kind: "integer", goName: "uint64" },
  unfiltered: true,
} as const satisfies Field;
export const stringList = { kind: "list", item: { kind: "string" } } as const satisfies Type;
export const stringMap = { kind: "map", value: { kind: "string" } } as const satisfies Type;

export function omitEmpty<const Given extends Field>(field: Given): Given & { omitEmpty: true } {
  return { ...field, omitEmpty: true };
}

type Fields = StructType["fields"];

export function omitEachEmpty<const Given extends Fields>(fields: Given) {
  const sparse = Object.entries(fields).map(([name, field]) => [name, omitEmpty(field)]);
  return Object.fromEntries(sparse) as {
    readonly [Name in keyof Given]: Given[Name] & { omitEmpty: true };
  };
}

type Options = Pick<StructType, "nullable" | "opaque" | "snakeCase" | "accepted">;

/** A struct that the compiler knows every field of, so that types of its JSON follow from it (`src/client`). */
export type Struct<Given extends Fields, Said extends Options = object> = Said & {
  kind: "struct";
  goName: string;
  fields: Given;
};

export function struct<const Given extends Fields, const Said extends Options = object>(
  goName: string,
  fields: Given,
  options?: Said,
): Struct<Given, Said> {
  return { kind: "struct", goName, fields, ...(options as Said) };
}

/** The same, whose fields are exactly those of `Shape`. */
export function structOf<Shape>() {
  return <
    const Given extends Readonly<Record<keyof Shape & string, Field>>,
    const Said extends Options = object,
  >(
    goName: string,
    fields: Given & Readonly<Record<Exclude<keyof Given, keyof Shape>, never>>,
    options?: Said,
  ): Struct<Given, Said> => struct<Given, Said>(goName, fields, options);
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
