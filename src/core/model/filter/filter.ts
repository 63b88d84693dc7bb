// Filter expressions over rows: parse, check every selector and operand against the row's schema, then judge
// rows. Errors are worded as Consul words them. A selector that runs through a list of structs is true when
// any element satisfies it, so `!=` is not the opposite of `==` there.

import { assertNever } from "../../lib/assert.ts";
import { compileRegExp, RegExpFault } from "../../lib/regexp.ts";
import { ServiceError } from "../errors.ts";
import type { StructType, Type } from "../schema.ts";
import { parseExpression } from "./grammar.ts";
import type { Expression, Operator } from "./grammar.ts";
import { SyntaxFault } from "./peg.ts";

export { SyntaxFault } from "./peg.ts";

export type Predicate = (row: unknown) => boolean;
type MatchExpression = Extract<Expression, { kind: "match" }>;

/** Whether rows satisfy `expression`. Throws ServiceError `invalid` with Consul's text. */
export function compileFilter(expression: string, schema: StructType): Predicate {
  try {
    return compileExpression(expression, schema);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw new ServiceError(
      "invalid",
      `Failed to create boolean expression evaluator: ${error.message}`,
    );
  }
}

/** The same for those who have words of their own for what is wrong. Throws {@link SyntaxFault}. */
export function compileExpression(expression: string, schema: StructType): Predicate {
  return compile(parseExpression(expression), schema);
}

function compile(expression: Expression, schema: StructType): Predicate {
  switch (expression.kind) {
    case "or": {
      const [left, right] = [compile(expression.left, schema), compile(expression.right, schema)];
      return (row) => left(row) || right(row);
    }
    case "and": {
      const [left, right] = [compile(expression.left, schema), compile(expression.right, schema)];
      return (row) => left(row) && right(row);
    }
    case "not": {
      const operand = compile(expression.operand, schema);
      return (row) => !operand(row);
    }
    case "match":
      return compileMatch(expression, schema);
  }
  return assertNever(expression);
}

function compileMatch(expression: MatchExpression, schema: StructType): Predicate {
  const type = typeAt(schema, expression.selector);
  const test = compileTest(expression, type);
  return (row) => some(schema, row, expression.selector, test, whenMissing(expression));
}

/** What a match on a key that a map does not have yields. */
function whenMissing({ operator, negated }: MatchExpression): boolean {
  if (operator === "matches") return true;
  return operator === "empty" ? !negated : negated;
}

/** The type that a selector leads to. */
function typeAt(schema: StructType, selector: readonly string[]): Type {
  let type: Type = schema;
  for (const [at, name] of selector.entries()) {
    if (type.kind === "list") type = type.item;
    const next: Type | undefined = member(type, name);
    if (!next) {
      throw new SyntaxFault(`Selector "${selector.slice(0, at + 1).join(".")}" is not valid`);
    }
    type = next;
  }
  return type;
}

function member(type: Type, name: string): Type | undefined {
  if (type.kind === "map") return type.value;
  if (type.kind !== "struct" || !Object.hasOwn(type.fields, name)) return undefined;
  const field = type.fields[name];
  return field && !field.unfiltered ? field.type : undefined;
}

/** Follows the selector into a row; any element of a list on the way will do. */
function some(
  type: Type,
  value: unknown,
  selector: readonly string[],
  test: Predicate,
  missing: boolean,
): boolean {
  const [name, ...rest] = selector;
  if (name === undefined) return test(value);
  if (type.kind === "list") {
    const items = (value ?? []) as readonly unknown[];
    return items.some((item) => some(type.item, item, selector, test, missing));
  }
  const members = (value ?? {}) as Record<string, unknown>;
  const next = member(type, name);
  if (!next) return missing;
  if (type.kind === "map" && !Object.hasOwn(members, name)) return missing;
  return some(next, members[name], rest, test, missing);
}

const operatorNames: Record<Operator, [plain: string, negated: string]> = {
  equal: ["Equal", "Not Equal"],
  in: ["In", "Not In"],
  empty: ["Is Empty", "Is Not Empty"],
  matches: ["Matches", "Not Matches"],
};

type TestFactory = (value: string, selector: string) => Predicate;

/** What can be asked of a value, by its kind. Absent members of a row count as their type's zero. */
const tests: Partial<Record<Type["kind"], Partial<Record<Operator, TestFactory>>>> = {
  string: {
    equal: (wanted) => (value) => (value ?? "") === wanted,
    in: (wanted) => (value) => ((value ?? "") as string).includes(wanted),
    matches: (pattern) => {
      const expression = compilePattern(pattern);
      return (value) => expression((value ?? "") as string);
    },
  },
  integer: {
    equal: (text, selector) => {
      const wanted = coerceInteger(text, selector);
      return (value) => (value ?? 0) === wanted;
    },
  },
  boolean: {
    equal: (text, selector) => {
      const wanted = coerceBoolean(text, selector);
      return (value) => (value ?? false) === wanted;
    },
  },
  list: {
    in: (wanted) => (value) => ((value ?? []) as readonly unknown[]).includes(wanted),
    empty: () => (value) => ((value ?? []) as readonly unknown[]).length === 0,
  },
  map: {
    in: (wanted) => (value) => Object.hasOwn(value ?? {}, wanted),
    empty: () => (value) => Object.keys(value ?? {}).length === 0,
  },
};

function compileTest(expression: MatchExpression, type: Type): Predicate {
  const { operator, negated, value } = expression;
  const selector = expression.selector.join(".");
  const isListOfStructs = type.kind === "list" && type.item.kind === "struct";
  const factory = isListOfStructs && operator === "in" ? undefined : tests[type.kind]?.[operator];
  if (!factory) {
    const name = operatorNames[operator][negated ? 1 : 0];
    throw new SyntaxFault(`Invalid match operator "${name}" for selector "${selector}"`);
  }
  const test = factory(value, selector);
  return negated ? (candidate) => !test(candidate) : test;
}

function coerceInteger(text: string, selector: string): number {
  const number = Number(text);
  if (/^[-+]?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw coercion(text, selector, "strconv.ParseInt");
}

const booleans: Record<string, boolean> = {
  ...Object.fromEntries(["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false])),
};

function coerceBoolean(text: string, selector: string): boolean {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
  if (value !== undefined) return value;
  throw coercion(text, selector, "strconv.ParseBool");
}

function coercion(text: string, selector: string, parser: string): SyntaxFault {
  const quoted = JSON.stringify(text);
  return new SyntaxFault(
    `Failed to coerce value ${quoted} for selector "${selector}": ` +
      `${parser}: parsing ${quoted}: invalid syntax`,
  );
}

function compilePattern(pattern: string): (text: string) => boolean {
  try {
    return compileRegExp(pattern);
  } catch (error) {
    if (!(error instanceof RegExpFault)) throw error;
    const quoted = JSON.stringify(pattern);
    throw new SyntaxFault(
      `Failed to compile regular expression ${quoted}: error parsing regexp: ${error.message}`,
    );
  }
}
