// The words of HCL 1. Scanning goes on after a fault, as in Consul's scanner, so that what follows is counted alike;
// the last fault is the one that is reported.

import { HclError } from "./ast.ts";
import type { HclPosition } from "./ast.ts";
import { unquote } from "./strings.ts";

export type TokenKind =
  | "EOF"
  | "ILLEGAL"
  | "IDENT"
  | "STRING"
  | "HEREDOC"
  | "NUMBER"
  | "FLOAT"
  | "BOOL"
  | "LBRACE"
  | "RBRACE"
  | "LBRACK"
  | "RBRACK"
  | "COMMA"
  | "PERIOD"
  | "ASSIGN"
  | "ADD"
  | "SUB";

export interface Token {
  kind: TokenKind;
  /** As it was written. */
  source: string;
  /** What it stands for. */
  value: string;
  at: HclPosition;
}

const signs: Readonly<Record<string, TokenKind>> = {
  "{": "LBRACE",
  "}": "RBRACE",
  "[": "LBRACK",
  "]": "RBRACK",
  ",": "COMMA",
  "=": "ASSIGN",
  "+": "ADD",
};

export class Scanner {
  readonly #text: readonly string[];
  #next = 0;
  #line = 1;
  #column = 0;
  #lastLineLength = 0;
  #fault: HclError | null = null;

  constructor(text: string) {
    this.#text = Array.from(text);
  }

  /** What was wrong with the words so far. */
  get fault(): HclError | null {
    return this.#fault;
  }

  scan(): Token {
    for (;;) {
      const character = this.#skipBlanks();
      const at = { line: this.#line, column: this.#column };
      const start = this.#next - 1;
      if (character === "") return { kind: "EOF", source: "", value: "", at };
      if (character === "#" || character === "/") {
        this.#skipComment(character);
        continue;
      }
      const { kind, value } = this.#word(character);
      const source = this.#text.slice(start, this.#next).join("");
      return { kind, source, value: value ?? source, at };
    }
  }

  #word(first: string): { kind: TokenKind; value?: string } {
    if (isLetter(first)) return this.#identifier(first);
    if (isDigit(first)) return { kind: this.#number(first) };
    if (first === '"') return { kind: "STRING", value: this.#string() };
    if (first === "<") return { kind: "HEREDOC", value: this.#heredoc() };
    if (first === "-" && isDigit(this.#peek())) return { kind: this.#number(this.#take()) };
    if (first === "-") return { kind: "SUB" };
    if (first === "." && isDigit(this.#peek())) {
      this.#takeWhile(isDigit);
      return { kind: "FLOAT" };
    }
    if (first === ".") return { kind: "PERIOD" };
    const sign = signs[first];
    if (sign) return { kind: sign };
    this.#fail(first === "\0" ? "unexpected null character (0x00)" : "illegal char");
    return { kind: "ILLEGAL" };
  }

  #identifier(first: string): { kind: TokenKind } {
    const word = first + this.#takeWhile((each) => isLetter(each) || /^[\d.-]$/.test(each));
    if (this.#peek() === "") this.#column += 1; // as its scanner counts the end of the text
    return { kind: word === "true" || word === "false" ? "BOOL" : "IDENT" };
  }

  #number(first: string): TokenKind {
    if (first === "0" && /^x$/i.test(this.#peek())) {
      this.#take();
      if (this.#takeWhile((each) => /^[\da-f]$/i.test(each)) === "") {
        this.#column += 1;
        this.#fail("illegal hexadecimal number");
      }
      return "NUMBER";
    }
    this.#takeWhile(isDigit);
    let kind: TokenKind = "NUMBER";
    if (this.#peek() === ".") {
      kind = "FLOAT";
      this.#take();
      this.#takeWhile(isDigit);
    }
    if (/^e$/i.test(this.#peek())) {
      kind = "FLOAT";
      this.#take();
      if (/^[+-]$/.test(this.#peek())) this.#take();
      this.#takeWhile(isDigit);
    }
    if (this.#peek() === "") this.#column += 2;
    return kind;
  }

  /** After the opening quote. What stands between `${` and `}` is kept as it is. */
  #string(): string {
    const start = this.#next;
    let braces = 0;
    for (;;) {
      const character = this.#take();
      if (character === "" || (character === "\n" && braces === 0)) {
        this.#fail("literal not terminated");
        return "";
      }
      if (character === '"' && braces === 0) break;
      if (character === "\\") this.#escape();
      else if (character === "{" && (braces > 0 || this.#text[this.#next - 2] === "$")) braces += 1;
      else if (character === "}" && braces > 0) braces -= 1;
    }
    return unquote(this.#text.slice(start, this.#next - 1).join(""));
  }

  #escape(): void {
    const character = this.#take();
    const digits: Record<string, [number, RegExp]> = {
      x: [2, /^[\da-f]$/i],
      u: [4, /^[\da-f]$/i],
      U: [8, /^[\da-f]$/i],
    };
    const [count, isOne] = digits[character] ?? [3, /^[0-7]$/];
    if (digits[character] === undefined) {
      if (/^[abfnrtv\\"]$/.test(character)) return;
      if (!isOne.test(character)) return this.#fail("illegal char escape");
    }
    for (let taken = digits[character] ? 0 : 1; taken < count; taken++) {
      if (isOne.test(this.#peek())) this.#take();
      else {
        this.#column += 1;
        this.#fail("illegal char escape");
        this.#column -= 1;
        return;
      }
    }
  }

  /** After the first `<`. */
  #heredoc(): string {
    if (this.#take() !== "<") {
      this.#fail("heredoc expected second '<', didn't see it");
      return "";
    }
    const isIndented = this.#peek() === "-";
    if (isIndented) this.#take();
    const anchor = this.#takeWhile((each) => isLetter(each) || isDigit(each));
    if (this.#peek() === "\r") this.#take();
    const end = this.#take();
    if (end === "" || (end === "\n" && anchor === "")) {
      this.#fail(end === "" ? "heredoc not terminated" : "zero-length heredoc anchor");
      return "";
    }
    const lines: string[] = [];
    for (;;) {
      const line = end + this.#takeWhile((each) => each !== "\n");
      const content = line.slice(1).replace(/\r$/, "");
      const isAnchor = (isIndented ? content.trimStart() : content) === anchor;
      if (isAnchor && this.#peek() === "\n") break;
      lines.push(line.slice(1));
      if (this.#take() === "") {
        this.#fail("heredoc not terminated");
        return "";
      }
    }
    return `${(isIndented ? unindented(lines) : lines).join("\n")}\n`;
  }

  #skipBlanks(): string {
    for (;;) {
      const character = this.#take();
      if (!/^[ \t\r\n]$/.test(character)) return character;
    }
  }

  #skipComment(first: string): void {
    const second = first === "/" ? this.#peek() : "";
    if (first === "/" && second !== "/" && second !== "*") {
      this.#fail("expected '/' for comment");
    }
    if (second !== "*") {
      this.#takeWhile((each) => each !== "\n");
      return;
    }
    this.#take();
    let before = "";
    for (let character = this.#take(); ; character = this.#take()) {
      if (character === "") return this.#fail("comment not terminated");
      if (before === "*" && character === "/") return;
      before = character;
    }
  }

  #takeWhile(accepts: (character: string) => boolean): string {
    const start = this.#next;
    while (this.#peek() !== "" && accepts(this.#peek())) this.#take();
    return this.#text.slice(start, this.#next).join("");
  }

  #peek(): string {
    return this.#text[this.#next] ?? "";
  }

  /** "" at the end of the text, which counts as a column. */
  #take(): string {
    const character = this.#text[this.#next];
    this.#column += 1;
    if (character === undefined) return "";
    this.#next += 1;
    if (character === "\n") {
      this.#line += 1;
      this.#lastLineLength = this.#column;
      this.#column = 0;
    }
    return character;
  }

  #fail(message: string): void {
    const atBreak = this.#column === 0 && this.#line > 1;
    const at = atBreak
      ? { line: this.#line - 1, column: this.#lastLineLength }
      : { line: this.#line, column: this.#column };
    this.#fault = new HclError(message, at);
  }
}

function isLetter(character: string): boolean {
  return /^[\p{L}_]$/u.test(character);
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9" && character.length === 1;
}

/** Without the blanks that all lines begin with. */
function unindented(lines: readonly string[]): string[] {
  const indents = lines
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents, Number.POSITIVE_INFINITY);
  return lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0));
}
