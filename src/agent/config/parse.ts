// One configuration file's JSON, checked against the tables of keys: what it sets, or an error in
// the words of Consul's parser. Durations stay text here; `merge.ts` reads them, because Consul
// reports them later too.

import { parseDurationMs, DurationError } from "../../core/model/duration.ts";
import {
  checkBody,
  checkShape,
  serviceBody,
  serviceShape,
  type Shape,
} from "./definition-shapes.ts";
import { ConfigError } from "./errors.ts";
import { isSection, keyAt, type KeyType } from "./keys.ts";

/** What one source sets. */
export interface Fragment {
  /** By path, in the types of `keys.ts`. */
  values: Map<string, unknown>;
  /** Bodies of API calls. */
  services: string[];
  checks: string[];
  /**
   * Durations that cannot be read and the like: reported together, after every file has been
   * parsed.
   */
  problems: string[];
}

export function emptyFragment(): Fragment {
  return { values: new Map(), services: [], checks: [], problems: [] };
}

type JsonRecord = Record<string, unknown>;

const definitionKeys: Record<string, { shape: Shape; body: (value: JsonRecord) => string }> = {
  service: { shape: serviceShape, body: serviceBody },
  check: { shape: checkShape, body: checkBody },
};

/** Reads the text of a JSON file. Throws ConfigError with the reason, without the file's name. */
export function parseJsonConfig(text: string): Fragment {
  const parser = new ConfigParser();
  parser.section("", parseObject(text));
  if (parser.mismatches.length > 0) {
    const lines = parser.mismatches.toSorted().map((line) => `* ${line}`);
    throw new ConfigError(`${lines.length} error(s) decoding:\n\n${lines.join("\n")}`);
  }
  if (parser.unknown.length > 0) throw new ConfigError(listProblems(parser.unknown));
  return parser.fragment;
}

/** Several problems as Consul lists them. */
export function listProblems(problems: readonly string[]): string {
  const head = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return `${head} occurred:\n${problems.map((problem) => `\t* ${problem}\n`).join("")}\n`;
}

function parseObject(text: string): JsonRecord {
  if (text.trim() === "") throw new ConfigError("unexpected end of JSON input");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(syntaxError(text, error as Error));
  }
  if (!isRecord(value)) {
    throw new ConfigError(
      `json: cannot unmarshal ${typeName(value, "array")} ` +
        "into Go value of type map[string]interface {}",
    );
  }
  return value;
}

/** V8 tells the place; Go says whether the text merely ended. */
function syntaxError(text: string, error: Error): string {
  const ended = /end of JSON input|Unterminated string/.test(error.message);
  if (ended) return "unexpected end of JSON input";
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? Number.NaN);
  if (!(position < text.length)) return "unexpected end of JSON input";
  const line = text.slice(0, position).split("\n").length;
  return `invalid character '${text[position]}' in line ${line}`;
}

class ConfigParser {
  readonly fragment = emptyFragment();
  readonly mismatches: string[] = [];
  readonly unknown: string[] = [];

  section(prefix: string, object: JsonRecord): void {
    for (const [name, value] of Object.entries(object)) {
      const path = prefix + name.toLowerCase();
      const definition = /^(service|check)(s?)$/.exec(path);
      if (definition) this.#definitions(path, definition[1] as string, value);
      else if (isSection(path)) this.#nested(path, value);
      else this.#key(path, prefix + name, value);
    }
  }

  #nested(path: string, value: unknown): void {
    if (value === null) return;
    const object = unwrapped(value);
    if (isRecord(object)) this.section(`${path}.`, object);
    else this.mismatches.push(`'${path}' expected a map, got '${typeName(object, "slice")}'`);
  }

  #key(path: string, written: string, value: unknown): void {
    const key = keyAt(path);
    if (key === undefined) {
      this.unknown.push(`invalid config key ${written}`);
    } else if (value !== null && this.#fits(key.type, path, value)) {
      this.#set(path, key.type, value);
    }
  }

  #set(path: string, type: KeyType, value: unknown): void {
    if (type !== "duration") {
      const items = type === "objects" ? (value as unknown[]).map(unwrapped) : value;
      const set = type === "map" ? unwrapped(value) : items;
      this.fragment.values.set(path, type === "integer" ? Math.trunc(set as number) : set);
      return;
    }
    try {
      this.fragment.values.set(path, parseDurationMs(value as string));
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      this.fragment.problems.push(
        `${path}: invalid duration: "${value as string}": ${error.message}`,
      );
    }
  }

  #definitions(path: string, kind: string, value: unknown): void {
    if (value === null) return;
    const several = path.endsWith("s");
    const list = several ? value : [unwrapped(value)];
    if (!Array.isArray(list)) {
      const got = typeName(value, "slice");
      this.mismatches.push(`'${path}': source data must be an array or slice, got ${got}`);
      return;
    }
    const { shape, body } = definitionKeys[kind] as (typeof definitionKeys)[string];
    const mismatchesBefore = this.mismatches.length;
    list.forEach((item: unknown, index) =>
      this.#shaped(shape, several ? `${path}[${index}]` : path, item),
    );
    if (this.mismatches.length > mismatchesBefore) return;
    const bodies = list.map((item) => body(lowerCased(item as JsonRecord)));
    this.fragment[kind === "service" ? "services" : "checks"].push(...bodies);
  }

  #shaped(shape: Shape, path: string, value: unknown): void {
    if (value === null || shape === "any") return;
    if (typeof shape === "string") {
      const fits = this.#fits(shape, path, value);
      if (fits && shape === "duration") this.#checkDuration(path, value as string);
    } else if ("list" in shape) {
      const items = Array.isArray(value) ? value : [value];
      items.forEach((item, index) => this.#shaped(shape.list, `${path}[${index}]`, item));
    } else if (!isRecord(unwrapped(value))) {
      this.mismatches.push(`'${path}' expected a map, got '${typeName(value, "slice")}'`);
    } else {
      for (const [name, item] of Object.entries(unwrapped(value) as JsonRecord)) {
        const field = "map" in shape ? shape.map : shape.fields[name.toLowerCase()];
        if (field === undefined) this.unknown.push(`invalid config key ${path}.${name}`);
        else this.#shaped(field, "map" in shape ? `${path}[${name}]` : `${path}.${name}`, item);
      }
    }
  }

  #checkDuration(path: string, value: string): void {
    try {
      parseDurationMs(value);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      const field = path.slice(path.lastIndexOf(".") + 1);
      this.fragment.problems.push(
        `check[].${field}: invalid duration: "${value}": ${error.message}`,
      );
    }
  }

  /** False, and a mismatch noted, when the value has not the type. */
  #fits(type: KeyType, path: string, value: unknown): boolean {
    if (type === "any") return true;
    if (type === "texts" || type === "objects") {
      return this.#isList(path, value, (item, place) =>
        type === "texts" ? this.#isGo("string", place, item) : this.#isObject(place, item),
      );
    }
    if (type === "map") {
      const object = unwrapped(value);
      if (!isRecord(object)) {
        this.mismatches.push(`'${path}' expected a map, got '${typeName(value, "slice")}'`);
        return false;
      }
      return Object.entries(object)
        .map(([name, item]) => this.#isGo("string", `${path}[${name}]`, item))
        .every(Boolean);
    }
    return this.#isGo(goTypes[type], path, value);
  }

  #isList(path: string, value: unknown, fits: (item: unknown, place: string) => boolean): boolean {
    if (Array.isArray(value)) {
      return value.map((item, index) => fits(item, `${path}[${index}]`)).every(Boolean);
    }
    const got = typeName(value, "slice");
    this.mismatches.push(`'${path}': source data must be an array or slice, got ${got}`);
    return false;
  }

  #isObject(path: string, value: unknown): boolean {
    if (isRecord(unwrapped(value))) return true;
    this.mismatches.push(`'${path}' expected a map, got '${typeName(value, "slice")}'`);
    return false;
  }

  #isGo(goType: string, path: string, value: unknown): boolean {
    const wanted = goType === "string" || goType === "bool" ? goType : "float64";
    const got = typeName(value, "[]interface {}");
    if (got === wanted) return true;
    const shown = got === "map" ? "map[string]interface {}" : got;
    this.mismatches.push(`'${path}' expected type '${goType}', got unconvertible type '${shown}'`);
    return false;
  }
}

const goTypes: Record<Exclude<KeyType, "any" | "texts" | "objects" | "map">, string> = {
  text: "string",
  flag: "bool",
  integer: "int",
  float: "float64",
  duration: "string",
};

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** HCL writes one block as a list of one; Consul reads that in JSON too. */
function unwrapped(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

function typeName(value: unknown, list: string): string {
  if (Array.isArray(value)) return list;
  if (typeof value === "number") return list === "array" ? "number" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "map";
}

/** The definition with lower-case names at its own level and below; keys of maps keep theirs. */
function lowerCased(value: JsonRecord): JsonRecord {
  const kept = new Set(["meta", "header", "tagged_addresses", "config"]);
  const convert = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(convert);
    return isRecord(item) ? lowerCased(item) : item;
  };
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const lower = name.toLowerCase();
      return [lower, kept.has(lower) ? unwrapped(item) : convert(item)];
    }),
  );
}
