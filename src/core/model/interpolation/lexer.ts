// Tokens of the interpolation language (`a${name.suffix}`): plain text outside `${` and `}`, and inside names, numbers,
// operators and quoted text, which may hold interpolations itself. Positions are the language's own: the column counts
// characters and starts a line that is not the first at 1 too many.

export interface Position {
  line: number;
  column: number;
}

export type Token = Position &
  (
    | { kind: "text"; value: string }
    | { kind: "name"; value: string }
    | { kind: "integer"; value: bigint }
    | { kind: "float"; value: number }
    | { kind: "operator"; value: Operator }
    | { kind: "open" | "close" | "(" | ")" | "[" | "]" | "," }
    | { kind: "end" }
  );

export type Operator = "+" | "-" | "*" | "/" | "%";

/** The text is none of the language. */
export class SyntaxFault extends Error {
  override name = "SyntaxFault";

  constructor() {
    super("parse error: syntax error");
  }
}

const nameCharacter = /[\p{L}\p{Nd}_.*-]/u;
const space = /\s/;
const punctuation = new Set(["(", ")", "[", "]", ","]);
const operators = new Set(["+", "-", "*", "/", "%"]);
const integerMax = 2n ** 63n - 1n;

/** Throws {@link SyntaxFault}. */
export function tokensOf(text: string): Token[] {
  return new Lexer(text).run();
}

class Lexer {
  readonly #characters: readonly string[];
  readonly #tokens: Token[] = [];
  /** What each open `${` and quote is inside of; the innermost last. */
  readonly #inside: ("expression" | "quotes")[] = [];
  #at = 0;
  #line = 1;
  #column = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  run(): Token[] {
    while (this.#peek() !== "") {
      if (this.#inside.at(-1) === "expression") this.#expression();
      else this.#text();
    }
    if (this.#inside.length > 0) throw new SyntaxFault();
    this.#tokens.push({ kind: "end", line: this.#line, column: this.#column + 1 });
    return this.#tokens;
  }

  /** Up to the next interpolation, and inside quotes up to the closing one. */
  #text(): void {
    const position = this.#position();
    const quoted = this.#inside.length > 0;
    let value = "";
    let ended = false;
    while (this.#peek() !== "" && !ended) {
      if (this.#peek() === "$" && this.#peek(1) === "{") break;
      const character = this.#next();
      if (quoted && character === '"') ended = true;
      else if (character === "$" && this.#peek() === "$") value += this.#next();
      else value += quoted && character === "\\" ? this.#escape() : character;
    }
    if (value !== "" || quoted) this.#tokens.push({ kind: "text", value, ...position });
    if (ended) this.#inside.pop();
    else if (this.#peek() === "$") this.#open();
  }

  #escape(): string {
    const next = this.#peek();
    if (next === "n") return this.#next() && "\n";
    return next === "\\" || next === '"' ? this.#next() : "\\";
  }

  #open(): void {
    const position = this.#position();
    this.#next();
    this.#next();
    this.#tokens.push({ kind: "open", ...position });
    this.#inside.push("expression");
  }

  #expression(): void {
    const character = this.#peek();
    if (space.test(character)) return void this.#next();
    const position = this.#position();
    if (character === "}") {
      this.#next();
      this.#inside.pop();
      this.#tokens.push({ kind: "close", ...position });
    } else if (character === '"') {
      this.#next();
      this.#inside.push("quotes");
    } else if (punctuation.has(character)) {
      this.#tokens.push({ kind: this.#next() as "(", ...position });
    } else if (operators.has(character)) {
      this.#tokens.push({ kind: "operator", value: this.#next() as Operator, ...position });
    } else if (/\d/.test(character)) {
      this.#tokens.push({ ...this.#number(), ...position });
    } else {
      this.#tokens.push({ kind: "name", value: this.#name(), ...position });
    }
  }

  #number(): { kind: "integer"; value: bigint } | { kind: "float"; value: number } {
    const digits = this.#while(/[\d.]/);
    if (digits.includes(".")) {
      if (digits.split(".").length > 2) throw new SyntaxFault();
      return { kind: "float", value: Number(digits) };
    }
    const value = integerOf(digits);
    if (value === null || value > integerMax) throw new SyntaxFault();
    return { kind: "integer", value };
  }

  #name(): string {
    const name = this.#while(nameCharacter);
    if (name === "") throw new SyntaxFault();
    return name;
  }

  #while(wanted: RegExp): string {
    let taken = "";
    while (wanted.test(this.#peek())) taken += this.#next();
    return taken;
  }

  /** "" at the end. */
  #peek(ahead = 0): string {
    return this.#characters[this.#at + ahead] ?? "";
  }

  #next(): string {
    const character = this.#characters[this.#at++] ?? "";
    if (character === "\n") {
      this.#line += 1;
      this.#column = 1;
    } else this.#column += 1;
    return character;
  }

  /** Of the character that comes next. */
  #position(): Position {
    return { line: this.#line, column: this.#column + 1 };
  }
}

/** Go's `ParseInt` with base 0, without its sign: `0x1f`, `0o17`, `017`, `0b1`; null for anything else. */
export function integerOf(given: string): bigint | null {
  const text = given.replace(/(?<=\d)_(?=\d)/g, "");
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(?:0|[1-9]\d*|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text)
    ? BigInt(text)
    : null;
}
