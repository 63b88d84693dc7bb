// Turns untyped JSON into a value of a schema's shape the forgiving way in which Consul reads configuration entries:
// names match in any case and in snake_case, texts, numbers and flags stand for each other, one thing stands for a
// list of one and a list of one for the thing, a list of objects for one object where a map is wanted. Unlike
// `decode.ts` it goes on after an error, and reports all of them with their places.

import { assertNever } from "../../lib/assert.ts";
import { goTypeName } from "../decode.ts";
import { DurationError, parseDuration } from "../duration.ts";
import type { JsonValue } from "../json.ts";
import { RawNumber, RawObject } from "../raw-json.ts";
import type { RawJson } from "../raw-json.ts";
import { zeroStruct, zeroValue } from "../schema.ts";
import type { StructType, Type } from "../schema.ts";
import { clamp, formatPlain, parseGoInteger } from "./go-number.ts";

export interface WeaklyDecoded {
  value: Record<string, unknown>;
  /** What was wrong, with its place. */
  errors: string[];
  /** Places of members that mean nothing. */
  unused: string[];
}

/** `unwraps`: a list of one stands for the thing, too. */
export function decodeWeakly(
  type: StructType,
  raw: RawObject,
  { unwraps = true }: { unwraps?: boolean } = {},
): WeaklyDecoded {
  const decoder = new WeakDecoder(unwraps);
  const value = decoder.struct(type, raw, "", zeroStruct(type));
  const { errors, unused } = decoder;
  return { value: value as Record<string, unknown>, errors, unused };
}

/** The errors of a decoded value as one text. */
export function decodingErrors(errors: readonly string[]): string {
  const points = errors.map((error) => `* ${error}`).toSorted();
  return `${errors.length} error(s) decoding:\n\n${points.join("\n")}`;
}

class WeakDecoder {
  readonly errors: string[] = [];
  readonly unused: string[] = [];
  readonly #unwraps: boolean;

  constructor(unwraps: boolean) {
    this.#unwraps = unwraps;
  }

  struct(type: StructType, raw: RawJson, place: string, current: unknown): unknown {
    if (!(raw instanceof RawObject)) return this.#noMap(raw, place, current);
    const value = (current ?? zeroStruct(type)) as Record<string, unknown>;
    const members = translated(type, raw);
    for (const [name, field] of Object.entries(type.fields)) {
      const member = findMember(members, name);
      if (member === undefined) continue;
      const given = members.get(member) as RawJson;
      members.delete(member);
      value[name] = this.#value(field.type, given, placeOf(place, name), value[name]);
    }
    for (const member of members.keys()) this.unused.push(placeOf(place, member));
    return value;
  }

  #value(type: Type, given: RawJson, place: string, current: unknown): unknown {
    const raw = this.#unwraps ? unwrapped(type, given) : given;
    if (raw === null) return current;
    switch (type.kind) {
      case "string":
        return this.#text(type, raw, place, current);
      case "boolean":
        return this.#flag(type, raw, place, current);
      case "integer":
        return this.#integer(type, raw, place, current);
      case "float":
        return this.#float(raw, place, current);
      case "duration":
        return this.#duration(type, raw, place, current);
      case "any":
        return plain(raw);
      case "list":
        return this.#list(type.item, raw, place);
      case "map":
        return this.#map(type.value, raw, place, current);
      case "struct":
        return this.struct(type, raw, place, current);
      case "uint64":
      case "bytes":
        return this.#mismatch(type, raw, place, current);
    }
    return assertNever(type);
  }

  #text(type: Type, raw: RawJson, place: string, current: unknown): unknown {
    if (typeof raw === "string") return raw;
    if (typeof raw === "boolean") return raw ? "1" : "0";
    if (raw instanceof RawNumber) return formatPlain(Number(raw.text));
    return this.#mismatch(type, raw, place, current);
  }

  #flag(type: Type, raw: RawJson, place: string, current: unknown): unknown {
    if (typeof raw === "boolean") return raw;
    if (raw instanceof RawNumber) return Number(raw.text) !== 0;
    if (typeof raw !== "string") return this.#mismatch(type, raw, place, current);
    if (raw === "") return false;
    if (/^(?:1|t|T|true|TRUE|True)$/.test(raw)) return true;
    if (/^(?:0|f|F|false|FALSE|False)$/.test(raw)) return false;
    return this.#unparsable(raw, place, { as: "bool", by: "ParseBool" }, current);
  }

  #integer(
    type: Type & { kind: "integer" },
    raw: RawJson,
    place: string,
    current: unknown,
  ): unknown {
    const signed = type.goName === "int";
    if (typeof raw === "boolean") return raw ? 1 : 0;
    if (raw instanceof RawNumber) {
      const whole = Math.trunc(Number(raw.text));
      // Go wraps what does not fit an unsigned one.
      return signed ? clamp(whole) : Number(BigInt.asUintN(32, BigInt(clamp(whole))));
    }
    if (typeof raw !== "string") return this.#mismatch(type, raw, place, current);
    const parsed = parseGoInteger(raw, { signed, bits: signed ? 64 : 32 });
    if ("value" in parsed) return parsed.value;
    const how = signed ? { as: "int", by: "ParseInt" } : { as: "uint", by: "ParseUint" };
    return this.#unparsable(raw, place, { ...how, problem: parsed.problem }, current);
  }

  #float(raw: RawJson, place: string, current: unknown): unknown {
    if (typeof raw === "boolean") return raw ? 1 : 0;
    if (raw instanceof RawNumber) return Number(raw.text);
    if (typeof raw !== "string") {
      return this.#fail(`'${place}' expected type 'float32', got ${unconvertible(raw)}`, current);
    }
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(raw)) {
      const value = Number(raw);
      if (Number.isFinite(Math.fround(value))) return value;
    }
    return this.#unparsable(raw, place, { as: "float", by: "ParseFloat" }, current);
  }

  #duration(type: Type, raw: RawJson, place: string, current: unknown): unknown {
    if (typeof raw === "boolean") return raw ? 1 : 0;
    if (raw instanceof RawNumber) return clamp(Math.trunc(Number(raw.text)));
    if (typeof raw !== "string") return this.#mismatch(type, raw, place, current);
    try {
      return clamp(parseDuration(raw));
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      return this.#fail(`error decoding '${place}': ${error.message}`, current);
    }
  }

  #list(item: Type, raw: RawJson, place: string): unknown {
    if (raw instanceof RawObject && raw.members.length === 0) return [];
    const items = Array.isArray(raw) ? (raw as readonly RawJson[]) : [raw];
    return items.map((each, at) => this.#value(item, each, `${place}[${at}]`, zeroValue(item)));
  }

  #map(item: Type, raw: RawJson, place: string, current: unknown): unknown {
    if (Array.isArray(raw)) return this.#mergedMap(item, raw as readonly RawJson[], place);
    if (!(raw instanceof RawObject)) return this.#noMap(raw, place, current);
    const members = [...lastOfEach(raw)].map(([name, given]): [string, unknown] => [
      name,
      this.#value(item, given, `${place}[${name}]`, zeroValue(item)),
    ]);
    // fromEntries defines own properties, so a key `__proto__` is only a key.
    return Object.fromEntries(members);
  }

  /** A list of objects is one object, up to the first that is none. */
  #mergedMap(item: Type, raws: readonly RawJson[], place: string): unknown {
    let merged: [string, unknown][] = [];
    for (const [at, raw] of raws.entries()) {
      const failed = this.errors.length;
      const part = this.#map(item, raw, `${place}[${at}]`, {}) as Record<string, unknown>;
      if (this.errors.length > failed) break;
      merged = [...merged, ...Object.entries(part)];
    }
    return Object.fromEntries(merged);
  }

  #noMap(raw: RawJson, place: string, current: unknown): unknown {
    return this.#fail(`'${place}' expected a map, got '${kindOf(raw)}'`, current);
  }

  #mismatch(type: Type, raw: RawJson, place: string, current: unknown): unknown {
    const wanted = goTypeName(type);
    return this.#fail(`'${place}' expected type '${wanted}', got ${unconvertible(raw)}`, current);
  }

  #unparsable(
    text: string,
    place: string,
    { as, by, problem = "invalid syntax" }: { as: string; by: string; problem?: string },
    current: unknown,
  ): unknown {
    const reason = `strconv.${by}: parsing ${JSON.stringify(text)}: ${problem}`;
    return this.#fail(`cannot parse '${place}' as ${as}: ${reason}`, current);
  }

  #fail(error: string, current: unknown): unknown {
    this.errors.push(error);
    return current;
  }
}

function placeOf(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}

/** Members by name; of those with one name the last counts. */
function lastOfEach(raw: RawObject): Map<string, RawJson> {
  return new Map(raw.members);
}

/** The members of an object with snake_case names replaced, unless what they stand for is there as well. */
function translated(type: StructType, raw: RawObject): Map<string, RawJson> {
  const members = lastOfEach(raw);
  for (const [name, { alias }] of Object.entries(type.fields)) {
    if (alias === undefined) continue;
    const canonical = name.toLowerCase();
    for (const [member, value] of members) {
      if (member.toLowerCase() !== alias) continue;
      members.delete(member);
      if (!members.has(canonical)) members.set(canonical, value);
    }
  }
  return members;
}

/** The member that a field is read from: its exact spelling first, then any case. */
function findMember(members: ReadonlyMap<string, RawJson>, name: string): string | undefined {
  if (members.has(name)) return name;
  const folded = name.toLowerCase();
  return [...members.keys()].find((member) => member.toLowerCase() === folded);
}

/** A list of one where no list is wanted is what it holds. */
function unwrapped(type: Type, raw: RawJson): RawJson {
  if (type.kind === "list" || !Array.isArray(raw) || raw.length !== 1) return raw;
  const [only = null] = raw as readonly RawJson[];
  return type.kind === "any" ? unwrappedInside(only) : only;
}

/** The same for whatever such a list holds, however deep. */
function unwrappedInside(raw: RawJson): RawJson {
  if (Array.isArray(raw)) return (raw as readonly RawJson[]).map(unwrappedInside);
  if (!(raw instanceof RawObject)) return raw;
  return new RawObject(
    raw.members.map(([name, member]) => {
      const [only = null] = Array.isArray(member) && member.length === 1 ? member : [member];
      return [name, unwrappedInside(only as RawJson)] as const;
    }),
  );
}

function plain(raw: RawJson): JsonValue {
  if (raw instanceof RawNumber) return Number(raw.text);
  if (raw instanceof RawObject) {
    return Object.fromEntries(raw.members.map(([name, value]) => [name, plain(value)]));
  }
  return Array.isArray(raw) ? (raw as readonly RawJson[]).map(plain) : (raw as JsonValue);
}

/** Go's kind of a value. */
function kindOf(raw: RawJson): string {
  if (typeof raw === "string") return "string";
  if (typeof raw === "boolean") return "bool";
  if (raw instanceof RawNumber) return "float64";
  return raw instanceof RawObject ? "map" : "slice";
}

function unconvertible(raw: RawJson): string {
  const types: Record<string, string> = {
    map: "map[string]interface {}",
    slice: "[]interface {}",
  };
  const kind = kindOf(raw);
  return `unconvertible type '${types[kind] ?? kind}'`;
}
