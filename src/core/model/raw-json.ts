// Reads JSON text the way Go's `json.Decoder` does: the first value counts, whatever follows it is ignored,
// numbers keep their text (a uint64 survives), repeated members are kept in order, and a syntax error has
// Go's words, because clients show and match them. Deciding what the value means is `decode.ts`.

import { limits } from "./limits.ts";

/** A number as it was written. */
export class RawNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An object's members in the order they were written. */
export class RawObject {
  readonly members: readonly (readonly [name: string, value: RawJson])[];
  constructor(members: readonly (readonly [string, RawJson])[]) {
    this.members = members;
  }
}

export type RawJson = null | boolean | string | RawNumber | RawObject | readonly RawJson[];

/** A refusal whose message is Go's. */
export class DecodeError extends Error {
  override name = "DecodeError";
}

/** The first JSON value of `text`. Throws {@link DecodeError}. */
export function parseRawJson(text: string): RawJson {
  const reader = new Reader(text);
  reader.skipSpace();
  if (reader.ended) throw new DecodeError("EOF");
  return reader.value(0);
}

const beginning = "looking for beginning of value";
const shortEscapes: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#at >= this.#text.length;
  }

  skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  value(depth: number): RawJson {
    if (depth > limits.jsonDepthMax) throw new DecodeError("exceeded max depth");
    this.skipSpace();
    const character = this.#peek();
    if (character === "{") return this.#object(depth);
    if (character === "[") return this.#array(depth);
    if (character === '"') return this.#string();
    if (character === "t") return this.#literal("true", true);
    if (character === "f") return this.#literal("false", false);
    if (character === "n") return this.#literal("null", null);
    if (character === "-" || isDigit(character)) return this.#number();
    throw this.#invalid(beginning);
  }

  #object(depth: number): RawObject {
    const members: [string, RawJson][] = [];
    this.#at++;
    this.skipSpace();
    if (this.#peek() === "}") {
      this.#at++;
      return new RawObject(members);
    }
    for (;;) {
      this.skipSpace();
      if (this.#peek() !== '"') throw this.#invalid("looking for beginning of object key string");
      const name = this.#string();
      this.skipSpace();
      if (this.#peek() !== ":") throw this.#invalid("after object key");
      this.#at++;
      members.push([name, this.value(depth + 1)]);
      this.skipSpace();
      const next = this.#peek();
      if (next !== "," && next !== "}") throw this.#invalid("after object key:value pair");
      this.#at++;
      if (next === "}") return new RawObject(members);
    }
  }

  #array(depth: number): readonly RawJson[] {
    const items: RawJson[] = [];
    this.#at++;
    this.skipSpace();
    if (this.#peek() === "]") {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.skipSpace();
      const next = this.#peek();
      if (next !== "," && next !== "]") throw this.#invalid("after array element");
      this.#at++;
      if (next === "]") return items;
    }
  }

  #string(): string {
    const start = ++this.#at;
    for (; ; this.#at++) {
      const character = this.#peek();
      if (character === "\\") return this.#escapedString(start);
      if (character < " ") throw this.#invalid("in string literal");
      if (character === '"') return this.#text.slice(start, this.#at++).toWellFormed();
    }
  }

  /** The rest of a string from its first escape on; halves of surrogate pairs become U+FFFD. */
  #escapedString(start: number): string {
    const parts = [this.#text.slice(start, this.#at)];
    for (;;) {
      const character = this.#peek();
      if (character < " ") throw this.#invalid("in string literal");
      this.#at++;
      if (character === '"') return parts.join("").toWellFormed();
      parts.push(character === "\\" ? this.#escape() : character);
    }
  }

  #escape(): string {
    const letter = this.#peek();
    const short = shortEscapes[letter];
    if (short === undefined && letter !== "u") throw this.#invalid("in string escape code");
    this.#at++;
    if (short !== undefined) return short;
    const start = this.#at;
    for (; this.#at < start + 4; this.#at++) {
      if (!/[\da-fA-F]/.test(this.#peek())) {
        throw this.#invalid("in \\u hexadecimal character escape");
      }
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
  }

  #number(): RawNumber {
    const start = this.#at;
    if (this.#peek() === "-") {
      this.#at++;
      if (!isDigit(this.#peek())) throw this.#invalid("in numeric literal");
    }
    if (this.#peek() === "0") this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      if (!isDigit(this.#peek())) throw this.#invalid("after decimal point in numeric literal");
      this.#digits();
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#peek() === "+" || this.#peek() === "-") this.#at++;
      if (!isDigit(this.#peek())) throw this.#invalid("in exponent of numeric literal");
      this.#digits();
    }
    return new RawNumber(this.#text.slice(start, this.#at));
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? "")) this.#at++;
  }

  #literal<Value>(word: string, value: Value): Value {
    for (const expected of word) {
      if (this.#peek() !== expected) {
        throw this.#invalid(`in literal ${word} (expecting '${expected}')`);
      }
      this.#at++;
    }
    return value;
  }

  /** The character here; a text that ends inside a value is Go's `unexpected EOF`. */
  #peek(): string {
    const character = this.#text[this.#at];
    if (character === undefined) throw new DecodeError("unexpected EOF");
    return character;
  }

  #invalid(context: string): DecodeError {
    return new DecodeError(`invalid character ${quoteCharacter(this.#peek())} ${context}`);
  }
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

/** Go's rendering of an offending byte. */
function quoteCharacter(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  const code = character.charCodeAt(0);
  const escape = {
    9: "\\t",
    10: "\\n",
    13: "\\r",
    8: "\\b",
    12: "\\f",
    7: "\\a",
    11: "\\v",
    92: "\\\\",
  }[code];
  if (escape !== undefined) return `'${escape}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, "0")}'`;
  if (code < 0x80) return `'${character}'`;
  // Go names the first UTF-8 byte as if it were a code point.
  const first = new TextEncoder().encode(character)[0] ?? 0xef;
  return first >= 0xa1 && first !== 0xad
    ? `'${String.fromCharCode(first)}'`
    : `'\\u${first.toString(16).padStart(4, "0")}'`;
}
