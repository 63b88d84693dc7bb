// Signed tokens (JWS, compact form) as they are written, before anybody believes them. What is malformed is said in the
// words of the library that Consul reads them with.

import { decodeBase64 } from "../../../src/core/lib/base64.ts";
import {
  DecodeError,
  parseRawJson,
  RawNumber,
  RawObject,
} from "../../../src/core/model/raw-json.ts";
import type { RawJson } from "../../../src/core/model/raw-json.ts";

export interface Jws {
  /** Without the white space that was in it. */
  compact: string;
  /** "" when the header names none. */
  algorithm: string;
  keyId: string;
  /** It says that whoever does not understand something in it must refuse it: nothing of the kind is understood. */
  isCritical: boolean;
  /** The payload as text; not verified. */
  payload: string;
}

export class JwsFault extends Error {
  override name = "JwsFault";
}

const decoder = new TextDecoder();

/** Throws {@link JwsFault}. */
export function parseJws(text: string): Jws {
  const compact = text.replaceAll(/\s/g, "");
  const parts = compact.split(".");
  if (parts.length !== 3) {
    throw new JwsFault("square/go-jose: compact JWS format must have three parts");
  }
  const [header = "", payload = ""] = parts.map(decodePart);
  const fields = headerOf(header);
  return {
    compact,
    algorithm: headerText(fields, "alg", "algorithm"),
    keyId: headerText(fields, "kid", "key id"),
    isCritical: fields.has("crit"),
    payload,
  };
}

function decodePart(part: string): string {
  const good = /^[A-Za-z0-9_-]*/.exec(part)?.[0].length ?? 0;
  const bad = good < part.length ? good : part.length % 4 === 1 ? part.length - 1 : null;
  if (bad !== null) throw new JwsFault(`illegal base64 data at input byte ${bad}`);
  return decoder.decode(decodeBase64(part.replaceAll("-", "+").replaceAll("_", "/")));
}

function headerOf(text: string): ReadonlyMap<string, RawJson> {
  if (text === "") return new Map();
  let header: RawJson;
  try {
    header = parseRawJson(text);
  } catch (failure) {
    if (failure instanceof DecodeError) throw new JwsFault(failure.message);
    throw failure;
  }
  if (!(header instanceof RawObject)) {
    const kind = kindOf(header);
    throw new JwsFault(`json: cannot unmarshal ${kind} into Go value of type jose.rawHeader`);
  }
  const duplicate = duplicateIn(header);
  if (duplicate !== null) throw new JwsFault(`json: duplicate key '${duplicate}' in object`);
  return new Map(header.members);
}

function headerText(header: ReadonlyMap<string, RawJson>, name: string, what: string): string {
  const value = header.get(name) ?? "";
  if (typeof value === "string") return value;
  const shown = value instanceof RawNumber ? `: ${JSON.stringify(value.text)}` : "";
  const problem = `json: cannot unmarshal ${kindOf(value)} into Go value of type string`;
  throw new JwsFault(`failed to unmarshal ${what}: ${problem}${shown}`);
}

/** A member that is there twice, however deep; null when there is none. */
export function duplicateIn(value: RawJson): string | null {
  if (Array.isArray(value)) return firstDuplicate(value as readonly RawJson[]);
  if (!(value instanceof RawObject)) return null;
  const names = new Set<string>();
  for (const [name] of value.members) {
    if (names.has(name)) return name;
    names.add(name);
  }
  return firstDuplicate(value.members.map(([, member]) => member));
}

function firstDuplicate(values: readonly RawJson[]): string | null {
  for (const value of values) {
    const duplicate = duplicateIn(value);
    if (duplicate !== null) return duplicate;
  }
  return null;
}

/** Go's word for a kind of JSON. */
export function kindOf(value: RawJson): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (value instanceof RawNumber) return "number";
  return value instanceof RawObject ? "object" : "array";
}
