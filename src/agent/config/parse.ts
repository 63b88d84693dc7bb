// One configuration file, in HCL or JSON, checked against the tables of keys: what it sets, or an error in the words of
// Consul's decoder. Durations that cannot be read are reported later, after every file has been parsed, as Consul does.

import { isRecord } from "../../core/lib/record.ts";
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
import { parseText } from "./text.ts";
import {
  type ConfigFormat,
  type ConfigRecord,
  goKind,
  goType,
  unwrapped,
  unwrappedDeep,
} from "./values.ts";

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

const definitionKeys: Record<string, { shape: Shape; body: (value: ConfigRecord) => string }> = {
  service: { shape: serviceShape, body: serviceBody },
  check: { shape: checkShape, body: checkBody },
};

/** Reads the text of a file. Throws ConfigError with the reason, without the file's name. */
export function parseConfig(text: string, format: ConfigFormat): Fragment {
  const parser = new ConfigParser(format);
  parser.section("", parseText(text, format));
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

class ConfigParser {
  readonly fragment = emptyFragment();
  readonly mismatches: string[] = [];
  readonly unknown: string[] = [];
  readonly #format: ConfigFormat;

  constructor(format: ConfigFormat) {
    this.#format = format;
  }

  section(prefix: string, object: ConfigRecord): void {
    for (const [name, value] of Object.entries(object)) {
      const path = prefix + name.toLowerCase();
      const definition = /^(service|check)(s?)$/.exec(path);
      if (definition) this.#definitions(path, definition[1] as string, value);
      else if (isSection(path)) this.#nested(path, value);
      else this.#key(path, prefix + name, value);
    }
  }

  #nested(path: string, value: unknown): void {
    const object = unwrapped(value);
    if (object !== null && this.#isMap(path, object)) this.section(`${path}.`, object);
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
    const { values } = this.fragment;
    const one = unwrapped(value);
    switch (type) {
      case "duration":
        this.#duration(path, one as string, (ms) => values.set(path, ms));
        return;
      case "integer":
        values.set(path, Math.trunc(one as number));
        return;
      case "texts":
        values.set(path, (value as unknown[]).map(unwrapped));
        return;
      case "objects":
        values.set(path, (value as unknown[]).map(unwrappedDeep));
        return;
      case "any":
        values.set(path, unwrappedDeep(value));
        return;
      case "map":
        values.set(path, unwrappedMembers(one as ConfigRecord));
        return;
      case "flag":
      case "float":
      case "text":
        values.set(path, one);
    }
  }

  #definitions(path: string, kind: string, value: unknown): void {
    if (value === null) return;
    const several = path.endsWith("s");
    if (several && !this.#isList(path, value)) return;
    const list = several ? (value as unknown[]) : [value];
    const { shape, body } = definitionKeys[kind] as (typeof definitionKeys)[string];
    const mismatchesBefore = this.mismatches.length;
    list.forEach((item: unknown, index) =>
      this.#shaped(shape, several ? `${path}[${index}]` : path, item),
    );
    if (this.mismatches.length > mismatchesBefore) return;
    const bodies = list.map((item) => body(lowerCased(unwrapped(item) as ConfigRecord)));
    this.fragment[kind === "service" ? "services" : "checks"].push(...bodies);
  }

  #shaped(shape: Shape, path: string, value: unknown, check = ""): void {
    const one = unwrapped(value);
    if (one === null || shape === "any") return;
    if (typeof shape === "string") {
      if (!this.#fits(shape, path, value) || shape !== "duration") return;
      const field = path.slice(path.lastIndexOf(".") + 1);
      this.#duration(`check[${check}].${field}`, one as string);
    } else if ("list" in shape) {
      if (!this.#isList(path, value)) return;
      value.forEach((item, index) => this.#shaped(shape.list, `${path}[${index}]`, item));
    } else if (this.#isMap(path, one)) {
      for (const [name, item] of Object.entries(one)) {
        const field = "map" in shape ? shape.map : shape.fields[name.toLowerCase()];
        if (field === undefined) this.unknown.push(`invalid config key ${path}.${name}`);
        else {
          const place = "map" in shape ? `${path}[${name}]` : `${path}.${name}`;
          this.#shaped(field, place, item, typeof one["id"] === "string" ? one["id"] : "");
        }
      }
    }
  }

  #duration(path: string, text: string, use: (ms: number) => void = () => undefined): void {
    try {
      use(parseDurationMs(text));
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      this.fragment.problems.push(`${path}: invalid duration: "${text}": ${error.message}`);
    }
  }

  /** False, and a mismatch noted, when the value has not the type. */
  #fits(type: KeyType, path: string, value: unknown): boolean {
    if (type === "any") return true;
    if (type === "texts" || type === "objects") {
      if (!this.#isList(path, value)) return false;
      const fits = value.map((item, index) =>
        type === "texts"
          ? this.#isGo("string", `${path}[${index}]`, item)
          : this.#isMap(`${path}[${index}]`, unwrapped(item)),
      );
      return fits.every(Boolean);
    }
    if (type !== "map") return this.#isGo(goTypes[type], path, value);
    const object = unwrapped(value);
    if (!this.#isMap(path, object)) return false;
    return Object.entries(object)
      .map(([name, item]) => this.#isGo("string", `${path}[${name}]`, item))
      .every(Boolean);
  }

  #isList(path: string, value: unknown): value is unknown[] {
    if (Array.isArray(value)) return true;
    const got = goKind(value, this.#format);
    this.mismatches.push(`'${path}': source data must be an array or slice, got ${got}`);
    return false;
  }

  #isMap(path: string, value: unknown): value is ConfigRecord {
    if (isRecord(value)) return true;
    this.mismatches.push(`'${path}' expected a map, got '${goKind(value, this.#format)}'`);
    return false;
  }

  #isGo(wanted: string, path: string, value: unknown): boolean {
    const one = unwrapped(value);
    // Nothing said: the initial value stays.
    if (one === null) return true;
    const isNumber = wanted === "int" || wanted === "float64";
    if (isNumber ? typeof one === "number" : goKind(one, this.#format) === wanted) return true;
    const got = goType(one, this.#format);
    this.mismatches.push(`'${path}' expected type '${wanted}', got unconvertible type '${got}'`);
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

function unwrappedMembers(map: ConfigRecord): ConfigRecord {
  return Object.fromEntries(Object.entries(map).map(([name, item]) => [name, unwrapped(item)]));
}

/** The definition with lower-case names at its own level and below; keys of maps keep theirs. */
function lowerCased(value: ConfigRecord): ConfigRecord {
  const kept = new Set(["meta", "header", "tagged_addresses", "config"]);
  const convert = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(convert);
    return isRecord(item) ? lowerCased(item) : item;
  };
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const lower = name.toLowerCase();
      return [lower, kept.has(lower) ? item : convert(item)];
    }),
  );
}
