// Turns a request body into a value of a schema's shape, with every field present, by Go's rules: member
// names match in any case, null and absent mean zero, later members overwrite earlier ones, and the first
// thing wrong is reported in Go's words once the whole text has been read, unless a type that decodes itself finds
// something wrong later: that ends the reading.

import { assertNever } from "../lib/assert.ts";
import { DurationError, parseDuration } from "./duration.ts";
import type { JsonValue } from "./json.ts";
import { DecodeError, parseRawJson, RawNumber, RawObject } from "./raw-json.ts";
import type { RawJson } from "./raw-json.ts";
import { zeroStruct, zeroValue } from "./schema.ts";
import type { StructType, Type } from "./schema.ts";

export { DecodeError } from "./raw-json.ts";

/**
 * What happens to a member that the schema does not know. `refuse`: with a hint where it is one of Consul Enterprise;
 * `refuse-plainly`: without.
 */
export type UnknownFieldPolicy = "refuse" | "refuse-plainly" | "ignore";

/** Decodes the first JSON value in `body`. Throws {@link DecodeError} with Go's message. */
export function decodeBody(type: Type, body: string, unknownFields: UnknownFieldPolicy): unknown {
  return decodeRaw(type, parseRawJson(body), unknownFields);
}

/** The same for a value that was already read. */
export function decodeRaw(type: Type, raw: RawJson, unknownFields: UnknownFieldPolicy): unknown {
  const decoder = new Decoder(unknownFields);
  const zero = type.kind === "struct" ? zeroStruct(type) : zeroValue(type);
  const value = decoder.decode(type, raw, zero);
  if (decoder.firstError) throw decoder.firstError;
  return value;
}

/** Go's name for a type in error texts. */
export function goTypeName(type: Type): string {
  switch (type.kind) {
    case "string":
      return type.goName ?? "string";
    case "boolean":
      return "bool";
    case "integer":
    case "struct":
      return type.goName;
    case "float":
      return "float64";
    case "uint64":
      return "uint64";
    case "duration":
      return "time.Duration";
    case "bytes":
      return "[]uint8";
    case "any":
      return "interface {}";
    case "list":
      return type.goName ?? `[]${goTypeName(type.item)}`;
    case "map":
      return `map[string]${goTypeName(type.value)}`;
  }
  return assertNever(type);
}

class Decoder {
  firstError: DecodeError | null = null;
  /** Go's error context: the innermost struct, and the member names from the top. */
  #struct = "";
  #path: string[] = [];
  /** Inside a type that decodes itself the context stays that of the field that holds it. */
  #isFrozen = false;
  #isLenient: boolean;
  readonly #hints: boolean;

  constructor(unknownFields: UnknownFieldPolicy) {
    this.#isLenient = unknownFields === "ignore";
    this.#hints = unknownFields === "refuse";
  }

  decode(type: Type, raw: RawJson, current: unknown): unknown {
    if (raw === null) return isNilable(type) ? null : current;
    switch (type.kind) {
      case "string":
        return typeof raw === "string" ? raw : this.#mismatch(type, raw, current);
      case "boolean":
        return typeof raw === "boolean" ? raw : this.#mismatch(type, raw, current);
      case "integer":
        return this.#integer(type, raw, current);
      case "float":
        return this.#float(type, raw, current);
      case "uint64":
        return this.#uint64(type, raw, current);
      case "duration":
        return this.#duration(type, raw, current);
      case "bytes":
        return this.#bytes(type, raw, current);
      case "any":
        return plainJson(raw);
      case "list":
        return Array.isArray(raw)
          ? raw.map((item: RawJson) => this.decode(type.item, item, zeroValue(type.item)))
          : this.#mismatch(type, raw, current);
      case "map":
        return this.#map(type, raw, current);
      case "struct":
        return this.#structValue(type, raw, current);
    }
    return assertNever(type);
  }

  #integer(type: Type & { kind: "integer" }, raw: RawJson, current: unknown): unknown {
    if (!(raw instanceof RawNumber)) return this.#mismatch(type, raw, current);
    const value = Number(raw.text);
    const fits = type.goName === "int" ? Number.isSafeInteger(value) : value >= 0;
    if (!/^-?\d+$/.test(raw.text) || !fits) {
      return this.#fail(`number ${raw.text}`, type, current);
    }
    return value;
  }

  #float(type: Type, raw: RawJson, current: unknown): unknown {
    if (!(raw instanceof RawNumber)) return this.#mismatch(type, raw, current);
    const value = Number(raw.text);
    return Number.isFinite(value) ? value : this.#fail(`number ${raw.text}`, type, current);
  }

  #uint64(type: Type, raw: RawJson, current: unknown): unknown {
    if (!(raw instanceof RawNumber)) return this.#mismatch(type, raw, current);
    if (!/^\d+$/.test(raw.text) || BigInt(raw.text) >= 2n ** 64n) {
      return this.#fail(`number ${raw.text}`, type, current);
    }
    return BigInt(raw.text).toString();
  }

  #duration(type: Type & { kind: "duration" }, raw: RawJson, current: unknown): unknown {
    if (typeof raw === "string") return this.#durationText(type, raw, current);
    if (type.readable) return readableNumber(raw);
    if (raw instanceof RawNumber) return Math.trunc(Number(raw.text));
    return type.lenient ? current : this.#mismatch(type, raw, current);
  }

  #durationText(type: Type & { kind: "duration" }, text: string, current: unknown): unknown {
    try {
      return parseDuration(text);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      if (type.readable) throw new DecodeError(error.message);
      return this.#save(error.message, current);
    }
  }

  #bytes(type: Type, raw: RawJson, current: unknown): unknown {
    if (typeof raw !== "string") return this.#mismatch(type, raw, current);
    const text = raw.replace(/[\r\n]/g, "");
    const bad = firstBadBase64(text);
    return bad === null ? text : this.#save(`illegal base64 data at input byte ${bad}`, current);
  }

  #map(type: Type & { kind: "map" }, raw: RawJson, current: unknown): unknown {
    if (!(raw instanceof RawObject)) return this.#mismatch(type, raw, current);
    const members = new Map(Object.entries((current ?? {}) as Record<string, unknown>));
    for (const [name, value] of raw.members) {
      members.set(name, this.decode(type.value, value, zeroValue(type.value)));
    }
    // fromEntries defines own properties, so a key `__proto__` is only a key.
    return Object.fromEntries(members);
  }

  #structValue(type: StructType, raw: RawJson, current: unknown): unknown {
    if (type.opaque) return this.#byItself(type, raw, current);
    if (!(raw instanceof RawObject)) return this.#mismatch(type, raw, current);
    const value = (current ?? zeroStruct(type)) as Record<string, unknown>;
    const outer = this.#struct;
    if (!this.#isFrozen) this.#struct = shortName(type.goName);
    this.#members(type, raw, value);
    this.#struct = outer;
    return value;
  }

  /** Throws what is wrong with it, whatever was wrong before. */
  #byItself(type: StructType, raw: RawJson, current: unknown): unknown {
    const outer = { struct: this.#struct, isFrozen: this.#isFrozen, isLenient: this.#isLenient };
    const before = this.firstError;
    this.firstError = null;
    this.#isLenient = type.opaque === "lenient";
    const value = (current ?? zeroStruct(type)) as Record<string, unknown>;
    if (raw instanceof RawObject) {
      this.#isFrozen ||= this.#path.length > 0;
      if (!this.#isFrozen) this.#struct = "";
      const later = this.#members(type, raw, value);
      if (!this.firstError) this.#decodeLater(type, later, value);
    } else this.#mismatch(type, raw, current);
    if (this.firstError) throw this.firstError as DecodeError;
    this.firstError = before;
    this.#struct = outer.struct;
    this.#isFrozen = outer.isFrozen;
    this.#isLenient = outer.isLenient;
    return value;
  }

  /** Decodes the members of `raw` into `value`; gives back the durations that its own method looks at later. */
  #members(type: StructType, raw: RawObject, value: Record<string, unknown>): Map<string, RawJson> {
    const later = new Map<string, RawJson>();
    const path = this.#path;
    for (const [member, item] of raw.members) {
      const field = findField(type, member);
      if (!field) {
        this.#unknown(type, member);
        continue;
      }
      const [name, fieldType] = field;
      if (!this.#isFrozen) this.#path = [...path, name];
      if (type.opaque && fieldType.kind === "duration" && fieldType.lenient) later.set(name, item);
      else value[name] = this.decode(fieldType, item, value[name]);
    }
    this.#path = path;
    return later;
  }

  #decodeLater(
    type: StructType,
    later: ReadonlyMap<string, RawJson>,
    value: Record<string, unknown>,
  ): void {
    for (const [name, field] of Object.entries(type.fields)) {
      const raw = later.get(name);
      if (raw !== undefined) value[name] = this.decode(field.type, raw, value[name]);
    }
  }

  #unknown(type: StructType, member: string): void {
    const folded = member.toLowerCase();
    if (this.#isLenient || type.accepted?.some((name) => name.toLowerCase() === folded)) return;
    const isHinted = this.#hints && member === "Namespace";
    const hint = isHinted ? " - Namespaces are a Consul Enterprise feature" : "";
    this.#save(`json: unknown field ${JSON.stringify(member)}${hint}`, null);
  }

  #mismatch(type: Type, raw: RawJson, current: unknown): unknown {
    return this.#fail(describe(raw), type, current);
  }

  #fail(what: string, type: Type, current: unknown): unknown {
    const target =
      this.#path.length > 0 ? `struct field ${this.#struct}.${this.#path.join(".")}` : "value";
    return this.#save(
      `json: cannot unmarshal ${what} into Go ${target} of type ${goTypeName(type)}`,
      current,
    );
  }

  #save(message: string, current: unknown): unknown {
    this.firstError ??= new DecodeError(message);
    return current;
  }
}

/** What a duration that decodes itself makes of anything but text. Throws {@link DecodeError}. */
function readableNumber(raw: RawJson): number {
  const text = raw instanceof RawNumber ? raw.text : JSON.stringify(plainJson(raw));
  const value = raw instanceof RawNumber ? Number(raw.text) : Number.NaN;
  if (Number.isFinite(value)) return Math.trunc(value);
  const why = Number.isNaN(value) ? "invalid syntax" : "value out of range";
  throw new DecodeError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${why}`);
}

/** The field that a member name means: its exact spelling first, then any case. */
function findField(type: StructType, member: string): [name: string, type: Type] | undefined {
  const exact = Object.hasOwn(type.fields, member) ? type.fields[member] : undefined;
  if (exact) return [member, exact.type];
  const folded = member.toLowerCase();
  for (const [name, field] of Object.entries(type.fields)) {
    const isSnake = type.snakeCase?.includes(name) === true && snakeCase(name) === folded;
    if (isSnake || name.toLowerCase() === folded) return [name, field.type];
  }
  return undefined;
}

/** `local_service_port` for `LocalServicePort`. */
function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
}

/** `RegisterRequest` for `structs.RegisterRequest`. */
function shortName(goName: string): string {
  return goName.slice(goName.indexOf(".") + 1);
}

/** Types that JSON null sets to nil; it leaves the others as they are. */
function isNilable(type: Type): boolean {
  return (
    type.kind === "list" ||
    type.kind === "map" ||
    type.kind === "any" ||
    (type.kind === "struct" && type.nullable === true)
  );
}

function describe(raw: RawJson): string {
  if (typeof raw === "boolean") return "bool";
  if (typeof raw === "string") return "string";
  if (raw instanceof RawNumber) return "number";
  return Array.isArray(raw) ? "array" : "object";
}

function plainJson(raw: RawJson): JsonValue {
  if (raw instanceof RawNumber) return Number(raw.text);
  if (raw instanceof RawObject) {
    return Object.fromEntries(raw.members.map(([name, value]) => [name, plainJson(value)]));
  }
  return Array.isArray(raw) ? raw.map(plainJson) : (raw as JsonValue);
}

/** Offset of the first byte that standard, padded base64 does not allow; null when there is none. */
export function firstBadBase64(text: string): number | null {
  const body = /^[A-Za-z0-9+/]*/.exec(text)?.[0] ?? "";
  const padding = text.slice(body.length);
  const wanted = [0, null, 2, 1][body.length % 4];
  if (wanted !== null && wanted !== undefined && padding === "=".repeat(wanted)) return null;
  const good = /^=*/.exec(padding)?.[0].length ?? 0;
  if (padding === "") return body.length - (body.length % 4) || 0;
  return body.length + Math.min(good, wanted ?? 0);
}
