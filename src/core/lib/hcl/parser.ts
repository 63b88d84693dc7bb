// Reads HCL 1, the language of Consul's rules and of its configuration files, and its JSON form. Parsers of HCL 2
// refuse what people have in their files: quoted names, two attributes on a line, commas between blocks.

import { HclError, hclLimits } from "./ast.ts";
import type { HclItem, HclKey, HclLiteral, HclObject, HclPosition, HclValue } from "./ast.ts";
import { parseHclJson } from "./json.ts";
import { Scanner } from "./scanner.ts";
import type { Token, TokenKind } from "./scanner.ts";

/** The items of a document. Throws HclError. */
export function parseHcl(text: string): HclObject {
  if (text.length > hclLimits.charactersMax) {
    throw new HclError(`longer than ${hclLimits.charactersMax} characters`);
  }
  if (/^\s*\{/.test(text)) return parseHclJson(text);
  return new Parser(text).document();
}

const literals: Partial<Record<TokenKind, HclLiteral["kind"]>> = {
  STRING: "string",
  HEREDOC: "string",
  NUMBER: "number",
  FLOAT: "float",
  BOOL: "bool",
};

class Parser {
  readonly #scanner: Scanner;
  #token: Token;
  #isUnread = false;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
    this.#token = { kind: "EOF", source: "", value: "", at: { line: 1, column: 0 } };
  }

  document(): HclObject {
    let items: HclItem[] = [];
    let failure: unknown = null;
    try {
      items = this.#items(false);
    } catch (thrown) {
      failure = thrown;
    }
    // A word that is none explains what it did to the sentence.
    failure = this.#scanner.fault ?? failure;
    if (failure !== null) throw failure;
    return { kind: "object", items, at: { line: 1, column: 1 } };
  }

  /** Up to the end of the text, or, inside of an object, to its brace, which is left. */
  #items(isInObject: boolean): HclItem[] {
    const items: HclItem[] = [];
    for (;;) {
      if (isInObject && this.#peek().kind === "RBRACE") return items;
      const item = this.#item();
      if (!item) return items;
      items.push(item);
      if (this.#peek().kind === "COMMA") this.#take();
    }
  }

  /** Null at the end of the text. */
  #item(): HclItem | null {
    const keys = this.#keys();
    if (!keys) return null;
    const { kind, at } = this.#token;
    if (kind === "ASSIGN") return { keys, value: this.#value() };
    if (kind === "LBRACE") return { keys, value: this.#object(at) };
    const names = keys.map(({ source }) => source).join(" ");
    throw new HclError(`key '${names}' expected start of object ('{') or assignment ('=')`, at);
  }

  /** Leaves the token that ended them as the current one. */
  #keys(): HclKey[] | null {
    const keys: HclKey[] = [];
    for (;;) {
      const { kind, source, value, at } = this.#take();
      if (kind === "IDENT" || kind === "STRING") {
        keys.push({ source, name: value, at });
        continue;
      }
      if (kind === "EOF") return keys.length === 0 ? null : keys;
      if (kind === "ASSIGN" && keys.length > 1) {
        throw new HclError("nested object expected: LBRACE got: ASSIGN", at);
      }
      if (kind === "ASSIGN" && keys.length === 0) throw new HclError("no object keys found!", at);
      if (kind === "LBRACE" && keys.length === 0) {
        throw new HclError("expected: IDENT | STRING got: LBRACE", at);
      }
      const isEnd = kind === "ASSIGN" || kind === "LBRACE";
      if (isEnd || (kind === "RBRACE" && keys.length > 0)) return keys;
      throw new HclError(`expected: IDENT | STRING | ASSIGN | LBRACE got: ${kind}`, at);
    }
  }

  #value(): HclValue {
    const { kind, source, value: text, at } = this.#take();
    if (kind === "LBRACE") return this.#object(at);
    if (kind === "LBRACK") return this.#list(at);
    const literal = literals[kind];
    if (literal) return { kind: literal, text, at };
    throw new HclError(`Unknown token: ${at.line}:${at.column} ${kind} ${source}`, at);
  }

  /** After its brace. */
  #object(at: HclPosition): HclObject {
    return this.#nested(at, () => {
      const items = this.#items(true);
      const { kind, at: end } = this.#take();
      if (kind === "RBRACE") return { kind: "object", items, at };
      throw new HclError(`object expected closing RBRACE got: ${kind}`, end);
    });
  }

  /** After its bracket. */
  #list(at: HclPosition): HclValue {
    return this.#nested(at, () => {
      const items: HclValue[] = [];
      let needsComma = false;
      for (;;) {
        const { kind, at: here } = this.#peek();
        if (kind === "RBRACK") {
          this.#take();
          return { kind: "list", items, at };
        }
        if (kind === "COMMA") {
          this.#take();
          needsComma = false;
          continue;
        }
        if (needsComma) {
          const problem = "error parsing list, expected comma or list end, got:";
          throw new HclError(`${problem} ${kind}`, here);
        }
        if (!literals[kind] && kind !== "LBRACE" && kind !== "LBRACK") {
          throw new HclError(`unexpected token while parsing list: ${kind}`, here);
        }
        items.push(this.#value());
        needsComma = true;
      }
    });
  }

  #nested<Value>(at: HclPosition, parse: () => Value): Value {
    this.#depth += 1;
    if (this.#depth > hclLimits.depthMax) {
      throw new HclError(`nested deeper than ${hclLimits.depthMax} levels`, at);
    }
    const value = parse();
    this.#depth -= 1;
    return value;
  }

  #take(): Token {
    if (this.#isUnread) this.#isUnread = false;
    else this.#token = this.#scanner.scan();
    return this.#token;
  }

  #peek(): Token {
    const token = this.#take();
    this.#isUnread = true;
    return token;
  }
}
