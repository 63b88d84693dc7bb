// The interpolation language as a tree. All operators bind alike and to the left, as in Consul's version of the
// language; a sign is a subtraction from the integer 0.

import { limits } from "../limits.ts";
import type { Operator, Position, Token } from "./lexer.ts";
import { SyntaxFault, tokensOf } from "./lexer.ts";

export type Expression = Position &
  (
    | { kind: "text"; value: string }
    | { kind: "integer"; value: bigint }
    | { kind: "float"; value: number }
    | { kind: "variable"; name: string }
    | { kind: "call"; name: string; inputs: Expression[] }
    | { kind: "index"; name: string; key: Expression }
    | { kind: "arithmetic"; operator: Operator; left: Expression; right: Expression }
    /** Joined text. */
    | { kind: "output"; parts: Expression[] }
  );

/** Throws {@link SyntaxFault}. */
export function parseInterpolation(text: string): Expression {
  const parser = new Parser(tokensOf(text));
  return parser.run();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  run(): Expression {
    const whole = this.#output();
    this.#expect("end");
    return whole;
  }

  /** Texts and interpolations, one after the other: at the top, or as a quoted text inside an expression. */
  #output(): Expression {
    const { line, column } = this.#peek();
    const parts: Expression[] = [];
    for (let token = this.#peek(); token.kind === "text" || token.kind === "open";) {
      this.#at += 1;
      if (token.kind === "text") parts.push(token);
      else {
        parts.push(this.#nested(() => this.#expression()));
        this.#expect("close");
      }
      token = this.#peek();
    }
    return { kind: "output", parts, line, column };
  }

  #expression(): Expression {
    let left = this.#operand();
    let operators = 0;
    for (let token = this.#peek(); token.kind === "operator"; token = this.#peek()) {
      this.#at += 1;
      operators += 1;
      // Each is a level of the tree.
      if (operators > limits.interpolationDepthMax) throw new SyntaxFault();
      const { value: operator } = token;
      const { line, column } = left;
      left = { kind: "arithmetic", operator, left, right: this.#operand(), line, column };
    }
    return left;
  }

  #operand(): Expression {
    const token = this.#peek();
    const { line, column } = token;
    if (token.kind === "text" || token.kind === "open") return this.#output();
    this.#at += 1;
    if (token.kind === "integer" || token.kind === "float") return token;
    if (token.kind === "name") return this.#named(token.value, { line, column });
    if (token.kind === "operator" && token.value === "-") {
      const left: Expression = { kind: "integer", value: 0n, line, column };
      const right = this.#nested(() => this.#operand());
      return { kind: "arithmetic", operator: "-", left, right, line, column };
    }
    if (token.kind !== "(") throw new SyntaxFault();
    const inner = this.#nested(() => this.#expression());
    this.#expect(")");
    return inner;
  }

  #named(name: string, position: Position): Expression {
    if (this.#take("[")) {
      const key = this.#nested(() => this.#expression());
      this.#expect("]");
      return { kind: "index", name, key, ...position };
    }
    if (!this.#take("(")) return { kind: "variable", name, ...position };
    const inputs: Expression[] = [];
    if (!this.#take(")")) {
      do inputs.push(this.#nested(() => this.#expression()));
      while (this.#take(","));
      this.#expect(")");
    }
    return { kind: "call", name, inputs, ...position };
  }

  #nested<Result>(parse: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > limits.interpolationDepthMax) throw new SyntaxFault();
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #take(kind: Token["kind"]): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#at += 1;
    return true;
  }

  #expect(kind: Token["kind"]): void {
    if (!this.#take(kind)) throw new SyntaxFault();
  }
}
