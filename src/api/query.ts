// The part of a URL after `?`, read as Go reads it: `+` is a space, a name may come without a value and may
// be repeated, and one bad escape spoils the whole.

import { decodePercent } from "../core/lib/percent.ts";

/** A query that cannot be decoded. */
export class QueryFault extends Error {
  override name = "QueryFault";
}

const none: readonly (readonly [string, string])[] = [];

export class Query {
  readonly #pairs: readonly (readonly [name: string, value: string])[];

  /** `raw` is without the `?`. Throws {@link QueryFault}. */
  constructor(raw: string) {
    this.#pairs = raw === "" ? none : raw.split("&").flatMap(parsePair);
  }

  has(name: string): boolean {
    return this.#pairs.some(([each]) => each === name);
  }

  /** The first value; "" when there is none. */
  get(name: string): string {
    return this.#pairs.find(([each]) => each === name)?.[1] ?? "";
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([each]) => each === name).map(([, value]) => value);
  }

  /** The whole query, sorted by name, the way Go writes it. */
  encode(): string {
    return this.#pairs
      .toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
      .map(([name, value]) => `${escape(name)}=${escape(value)}`)
      .join("&");
  }
}

function parsePair(part: string): [string, string][] {
  if (part === "") return [];
  const at = part.indexOf("=");
  return at < 0
    ? [[unescape(part), ""]]
    : [[unescape(part.slice(0, at)), unescape(part.slice(at + 1))]];
}

function unescape(part: string): string {
  const spaced = part.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  if (/%(?![\da-fA-F]{2})/.test(spaced)) throw new QueryFault(`bad escape in ${part}`);
  return decodePercent(spaced);
}

function escape(part: string): string {
  return encodeURIComponent(part)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
