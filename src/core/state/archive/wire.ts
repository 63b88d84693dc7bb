// Consul's structs in the records of an archive: schemas that say how JSON is written say it for MessagePack too, with
// the members in the order of their names. What Go keeps as a time or as bytes has a type of its own here, because in
// JSON both are text.

import { assertNever } from "../../lib/assert.ts";
import { decodeBase64, encodeBase64 } from "../../lib/base64.ts";
import { type Packed, Packer, PackError } from "../../lib/msgpack.ts";
import { compareText, type JsonValue } from "../../model/json.ts";
import { raftIndex, type Type, zeroValue } from "../../model/schema.ts";
import { zeroTime } from "../../model/time.ts";
import { goTimeBytes, goTimeText } from "./go-time.ts";

export interface WireStruct {
  kind: "struct";
  fields: Readonly<Record<string, { type: WireType }>>;
  nullable?: true;
}

export type WireType =
  /** RFC 3339; with `optional`, "" is nil there. */
  | { kind: "time"; optional?: true }
  | { kind: "list"; item: WireType }
  | { kind: "map"; value: WireType }
  | WireStruct
  | Exclude<Type, { kind: "list" | "map" | "struct" }>;

const decoder = new TextDecoder();

/** Writes a value that has the schema's shape. */
export function pack(packer: Packer, type: WireType, value: unknown): void {
  switch (type.kind) {
    case "string":
      return packer.text(value as string);
    case "boolean":
      return packer.boolean(value as boolean);
    case "integer":
    case "duration":
      return packer.integer(value as number);
    case "uint64":
      return packer.integer(BigInt(value as string));
    case "float":
      return packer.float(value as number);
    case "bytes":
      return value === "" ? packer.nil() : packer.raw(decodeBase64(value as string));
    case "time":
      return value === "" ? packer.nil() : packer.raw(goTimeBytes(value as string));
    case "any":
      return packAny(packer, value as JsonValue);
    case "list":
      return packList(packer, type.item, value as readonly unknown[] | null);
    case "map":
      return packMap(packer, () => type.value, value as Record<string, unknown> | null);
    case "struct":
      return packStruct(packer, type, value as Record<string, unknown> | null);
  }
  return assertNever(type);
}

function packList(packer: Packer, item: WireType, values: readonly unknown[] | null): void {
  if (values === null) return packer.nil();
  packer.list(values.length);
  for (const value of values) pack(packer, item, value);
}

function packMap(
  packer: Packer,
  typeOf: (name: string) => WireType,
  members: Record<string, unknown> | null,
): void {
  if (members === null) return packer.nil();
  const names = Object.keys(members).toSorted(compareText);
  packer.map(names.length);
  for (const name of names) {
    packer.text(name);
    pack(packer, typeOf(name), members[name]);
  }
}

function packStruct(
  packer: Packer,
  { fields }: WireStruct,
  value: Record<string, unknown> | null,
): void {
  if (value === null) return packer.nil();
  const names = Object.keys(fields).toSorted(compareText);
  packer.map(names.length);
  for (const name of names) {
    const { type } = fields[name] as { type: WireType };
    packer.text(name);
    pack(packer, type, value[name] === undefined ? zeroOf(type) : value[name]);
  }
}

/** Numbers are floats, as Go reads them from JSON. */
function packAny(packer: Packer, value: JsonValue): void {
  if (value === null || value === undefined) return packer.nil();
  if (typeof value === "boolean") return packer.boolean(value);
  if (typeof value === "number") return packer.float(value);
  if (typeof value === "string") return packer.text(value);
  if (Array.isArray(value)) return packList(packer, { kind: "any" }, value);
  return packMap(packer, () => ({ kind: "any" }), value as Record<string, unknown>);
}

/** The value of a struct's type, with every member; those that are not known are dropped. Throws PackError. */
export function unpack(type: WireType, packed: Packed | undefined): unknown {
  if (packed === undefined || packed === null) return zeroOf(type);
  switch (type.kind) {
    case "string":
      return decoder.decode(expectRaw(packed));
    case "boolean":
      if (typeof packed === "boolean") return packed;
      throw new PackError("a value is no boolean");
    case "integer":
    case "duration":
      if (Number.isSafeInteger(packed)) return packed;
      throw new PackError("a number is no integer of 53 bits");
    case "uint64":
      return expectUint64(packed);
    case "float":
      if (typeof packed === "number" || typeof packed === "bigint") return Number(packed);
      throw new PackError("a value is no number");
    case "bytes":
      return encodeBase64(expectRaw(packed));
    case "time":
      return goTimeText(expectRaw(packed));
    case "any":
      return unpackAny(packed);
    case "list":
      if (!Array.isArray(packed)) throw new PackError("a value is no list");
      return packed.map((item) => unpack(type.item, item));
    case "map": {
      const members = [...expectMap(packed)];
      return Object.fromEntries(members.map(([name, item]) => [name, unpack(type.value, item)]));
    }
    case "struct": {
      const members = expectMap(packed);
      const fields = Object.entries(type.fields);
      return Object.fromEntries(
        fields.map(([name, field]) => [name, unpack(field.type, members.get(name))]),
      );
    }
  }
  return assertNever(type);
}

function unpackAny(packed: Packed): JsonValue {
  if (packed instanceof Uint8Array) return decoder.decode(packed);
  if (typeof packed === "bigint") return Number(packed);
  if (Array.isArray(packed)) return packed.map(unpackAny);
  if (typeof packed !== "object" || packed === null) return packed;
  return Object.fromEntries([...packed].map(([name, item]) => [name, unpackAny(item)]));
}

function zeroOf(type: WireType): unknown {
  if (type.kind === "time") return type.optional ? "" : zeroTime;
  if (type.kind === "list" || type.kind === "map") return null;
  if (type.kind !== "struct") return zeroValue(type);
  if (type.nullable) return null;
  const fields = Object.entries(type.fields);
  return Object.fromEntries(fields.map(([name, field]) => [name, zeroOf(field.type)]));
}

function expectRaw(packed: Packed): Uint8Array {
  if (packed instanceof Uint8Array) return packed;
  throw new PackError("a value is no text");
}

export function expectMap(packed: Packed | undefined): ReadonlyMap<string, Packed> {
  if (packed instanceof Map) return packed;
  throw new PackError("a value is no map");
}

function expectUint64(packed: Packed): string {
  if ((typeof packed === "number" || typeof packed === "bigint") && packed >= 0) {
    return packed.toString();
  }
  throw new PackError("a value is no number");
}

/** The schema of what also has indexes. */
export function indexed({ fields }: WireStruct): WireStruct {
  return { kind: "struct", fields: { ...fields, CreateIndex: raftIndex, ModifyIndex: raftIndex } };
}
