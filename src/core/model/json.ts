// JSON as Go writes it, because clients compare bytes: `<`, `>`, `&` and the two Unicode line separators are
// escaped, map keys are sorted, and `?pretty` re-indents the finished text with four spaces.
//
// The idea: bodies are encoded once, where the rows are, and travel as text. Nothing here parses a body again;
// the pretty-printer walks the text. Numbers that do not fit a double (Flags) are written by `schema.ts`.

/** Any JSON value; `undefined` members are left out when written. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

export type JsonObject = Record<string, JsonValue>;

const escapeNeeded = /[<>&\u2028\u2029]/;
const escapeEach = /[<>&\u2028\u2029\b\f]/g;
const escapes: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** A JSON string literal with Go's escapes; lone surrogates become U+FFFD as in Go. */
export function encodeString(text: string): string {
  const plain = JSON.stringify(text.isWellFormed() ? text : text.toWellFormed());
  const escaped = escapeNeeded.test(plain)
    ? plain.replace(escapeEach, (character) => escapes[character] ?? character)
    : plain;
  // Go has no short form for backspace and form feed.
  return escaped.includes("\\b") || escaped.includes("\\f") ? longForms(escaped) : escaped;
}

/** Rewrites `\b` and `\f` to `\u0008` and `\u000c`, leaving `\\b` (an escaped backslash, then b) alone. */
function longForms(literal: string): string {
  return literal.replace(/\\(.)/g, (pair, letter: string) =>
    letter === "b" ? "\\u0008" : letter === "f" ? "\\u000c" : pair,
  );
}

/** Go's `json.Marshal` of a value without a schema: object keys sorted by code point. */
export function encodeJson(value: JsonValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(encodeJson).join(",")}]`;
  const members: string[] = [];
  const object = value as { readonly [key: string]: JsonValue | undefined };
  for (const key of sortedKeys(object)) {
    const member = object[key];
    if (member !== undefined) members.push(`${encodeString(key)}:${encodeJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** Keys in the order Go writes map keys: by UTF-8 bytes, which is by code point. */
export function sortedKeys(object: object): string[] {
  return Object.keys(object).toSorted(compareText);
}

/** Compares by code point, which is the order of UTF-8 bytes and of SQLite's BINARY collation. */
export function compareText(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  for (let at = 0; at < end; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return codeUnitRank(a) - codeUnitRank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above U+FFFF, so they sort after every other code unit. */
function codeUnitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2_0000 : unit;
}

/** Re-indents compact JSON text with four spaces and ends it with a newline, as `?pretty` does. */
export function prettyJson(text: string): string {
  const out: string[] = [];
  let depth = 0;
  let at = 0;
  const newline = (): void => {
    out.push("\n", "    ".repeat(depth));
  };
  while (at < text.length) {
    const character = text[at] as string;
    const next = text[at + 1];
    if (character === '"') {
      const end = stringEnd(text, at);
      out.push(text.slice(at, end));
      at = end;
      continue;
    }
    if ((character === "{" && next === "}") || (character === "[" && next === "]")) {
      out.push(character, next);
      at += 2;
      continue;
    }
    if (character === "{" || character === "[") {
      depth++;
      out.push(character);
      newline();
    } else if (character === "}" || character === "]") {
      depth--;
      newline();
      out.push(character);
    } else if (character === ",") {
      out.push(",");
      newline();
    } else {
      out.push(character === ":" ? ": " : character);
    }
    at++;
  }
  out.push("\n");
  return out.join("");
}

/** Index just after the string literal that starts at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
