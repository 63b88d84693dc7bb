// Interpolation: text with `${…}` in it becomes text. The language is the one in which Consul writes templates of
// prepared queries (HIL): variables, calls, integers and floats with arithmetic, nested quotes. Names and numbers of
// arguments are checked in the whole text before anything is computed.

import { assertNever } from "../../lib/assert.ts";
import { limits } from "../limits.ts";
import { EvaluationFault, formatValue, toFloat, toInteger, type Value } from "./values.ts";
import type { Operator } from "./lexer.ts";
import { type Expression, parseInterpolation } from "./parser.ts";

export { SyntaxFault } from "./lexer.ts";
export { EvaluationFault } from "./values.ts";

/** What an expression may name. */
export interface Scope {
  variables: ReadonlyMap<string, string>;
  /** Functions of one integer. */
  functions: ReadonlyMap<string, (input: bigint) => string>;
}

/** Throws SyntaxFault when the text cannot be read. */
export function compileInterpolation(text: string): (scope: Scope) => string {
  const tree = parseInterpolation(text);
  /** Throws {@link EvaluationFault}. */
  return (scope) => {
    checkNames(tree, scope);
    return formatValue(evaluate(tree, scope));
  };
}

/** In the order in which Consul complains: what is inside comes first. */
function checkNames(node: Expression, scope: Scope): void {
  for (const child of childrenOf(node)) checkNames(child, scope);
  const where = `${node.line}:${node.column}`;
  if (node.kind === "variable" && !scope.variables.has(node.name)) {
    throw new EvaluationFault(`${where}: unknown variable accessed: ${node.name}`);
  }
  if (node.kind !== "call") return;
  if (!scope.functions.has(node.name)) {
    throw new EvaluationFault(`${where}: unknown function called: ${node.name}`);
  }
  const given = node.inputs.length;
  if (given !== 1) {
    throw new EvaluationFault(`${where}: ${node.name}: expected 1 arguments, got ${given}`);
  }
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "output":
      return node.parts;
    case "call":
      return node.inputs;
    case "arithmetic":
      return [node.left, node.right];
    case "index":
    case "text":
    case "integer":
    case "float":
    case "variable":
      return [];
  }
  return assertNever(node);
}

function evaluate(node: Expression, scope: Scope): Value {
  switch (node.kind) {
    case "text":
    case "integer":
      return node.value;
    case "float":
      return node.value;
    case "variable":
      return scope.variables.get(node.name) ?? "";
    case "call": {
      const [input] = node.inputs.map((each) => evaluate(each, scope));
      return scope.functions.get(node.name)?.(toInteger(input ?? "")) ?? "";
    }
    case "output":
      return outputOf(node.parts, scope);
    case "arithmetic":
      return arithmetic(node, evaluate(node.left, scope), evaluate(node.right, scope));
    case "index":
      throw new EvaluationFault(`${placeOf(node)}: ${indexProblem(node, scope)}`);
  }
  return assertNever(node);
}

function placeOf({ line, column }: Expression): string {
  return `At column ${column}, line ${line}`;
}

/** There are no lists to take anything from. */
function indexProblem({ name, key }: Expression & { kind: "index" }, { variables }: Scope): string {
  if (!variables.has(name)) return `unknown variable accessed: ${name}`;
  const isKnown = key.kind !== "variable" || variables.has(key.name);
  if (!isKnown) return `unknown variable: ${key.name}`;
  return "invalid index operation into non-indexable type: TypeString";
}

/** A single part keeps its type. */
function outputOf(parts: readonly Expression[], scope: Scope): Value {
  const [only, ...others] = parts;
  if (only && others.length === 0) return evaluate(only, scope);
  let text = "";
  for (const part of parts) {
    text += formatValue(evaluate(part, scope));
    if (text.length > limits.interpolatedLengthMax) throw new EvaluationFault("text is too long");
  }
  return text;
}

/** The first side that is a number decides; integers when none is. Integers have 64 bits and wrap. */
function arithmetic(node: Expression & { kind: "arithmetic" }, left: Value, right: Value): Value {
  const { operator } = node;
  const decides = typeof left === "string" ? right : left;
  if (typeof decides === "number") {
    if (operator !== "%") return floatResult(operator, toFloat(left), toFloat(right));
    throw new EvaluationFault(`${placeOf(node)}: modulo cannot be used with floats`);
  }
  return integerResult(operator, toInteger(left), toInteger(right));
}

function floatResult(operator: Exclude<Operator, "%">, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
  }
  return assertNever(operator);
}

function integerResult(operator: Operator, left: bigint, right: bigint): bigint {
  // Consul's server ends here.
  if ((operator === "/" || operator === "%") && right === 0n) {
    throw new EvaluationFault("divide by zero");
  }
  return BigInt.asIntN(64, wideResult(operator, left, right));
}

function wideResult(operator: Operator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
  return assertNever(operator);
}
