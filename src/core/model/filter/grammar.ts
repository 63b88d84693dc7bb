// The grammar of filter expressions, from the top: `or` binds loosest, then `and`, `not`, parentheses, and
// single matches such as `Service.Tags contains "v1"`. Alternatives that end in `fault` match nothing; they
// only word an error.

import { limits } from "../limits.ts";
import {
  ahead,
  anyBut,
  choice,
  convertOr,
  endOfInput,
  fault,
  lazy,
  literal,
  many,
  map,
  notAhead,
  oneOf,
  optional,
  parse,
  sequence,
  SyntaxFault,
  textOf,
} from "./peg.ts";
import type { Rule } from "./peg.ts";

export type Operator = "equal" | "in" | "empty" | "matches";

export type Expression =
  | { kind: "or" | "and"; left: Expression; right: Expression }
  | { kind: "not"; operand: Expression }
  | { kind: "match"; selector: string[]; operator: Operator; negated: boolean; value: string };

/** Parses a filter expression. Throws {@link SyntaxFault}. */
export function parseExpression(text: string): Expression {
  if (text.length > limits.filterBytesMax || nesting(text) > limits.filterDepthMax) {
    throw new SyntaxFault("1:1 (0): expression is too long or too deeply nested");
  }
  return parse(whole, text);
}

/** An upper bound of how deep the parser will go. */
function nesting(text: string): number {
  return (text.match(/\(|\bnot\b|\band\b|\bor\b/g) ?? []).length;
}

const space = many(oneOf("[ \\t\\r\\n]"), 1);
const maybeSpace = optional(space);

// Values

const identifier = textOf(sequence(oneOf("[a-zA-Z]"), many(oneOf("[a-zA-Z0-9_]"))));

const quoted = sequence(literal('"'), many(anyBut('"')), literal('"'));
const raw = sequence(literal("`"), many(anyBut("`")), literal("`"));
const string: Rule<string> = choice(
  convertOr(textOf(choice<unknown>(raw, quoted)), unquote, {
    rule: "string",
    message: "invalid syntax",
    otherwise: "",
  }),
  map(
    sequence(
      choice<unknown>(
        sequence(literal("`"), many(anyBut("`"))),
        sequence(literal('"'), many(anyBut('"'))),
      ),
      endOfInput,
      fault("string", "Unterminated string literal"),
    ),
    () => "",
  ),
);

const digits = choice<unknown>(literal("0"), sequence(oneOf("[1-9]"), many(oneOf("[0-9]"))));
const decimal = textOf(
  sequence(
    optional(literal("-")),
    digits,
    optional(sequence(literal("."), many(oneOf("[0-9]"), 1))),
  ),
);
const afterNumber = ahead(choice<unknown>(space, endOfInput, literal(")")));
const number: Rule<string> = choice(
  map(sequence(decimal, afterNumber), ([text]) => text),
  map(
    sequence(decimal, notAhead(afterNumber), fault("number", "Invalid number literal")),
    ([text]) => text,
  ),
);

const index: Rule<string> = choice(
  map(sequence(literal("["), maybeSpace, string, maybeSpace, literal("]")), ([, , key]) => key),
  map(
    sequence(literal("["), maybeSpace, notAhead(string), fault("index", "Invalid index")),
    () => "",
  ),
  map(
    sequence(
      literal("["),
      maybeSpace,
      string,
      maybeSpace,
      notAhead(literal("]")),
      fault("index", "Unclosed index expression"),
    ),
    () => "",
  ),
);

const part = choice(
  map(sequence(literal("."), identifier), ([, name]) => name),
  index,
);
const selector = map(sequence(identifier, many(part)), ([first, rest]) => [first, ...rest]);

const value: Rule<string> = choice(
  map(selector, (path) => path.join(".")),
  number,
  string,
);

// Matches

interface Comparison {
  operator: Operator;
  negated: boolean;
}

/** Words of an operator, each surrounded by space. */
function words(operator: Operator, negated: boolean, ...spelling: string[]): Rule<Comparison> {
  const rules = spelling.flatMap((word) => [space, literal(word)]);
  const ended = operator === "empty" ? rules : [...rules, space];
  return map(sequence(...(ended as Rule<unknown>[])), () => ({ operator, negated }));
}

function sign(spelling: string, negated: boolean): Rule<Comparison> {
  return map(sequence(maybeSpace, literal(spelling), maybeSpace), () => ({
    operator: "equal" as const,
    negated,
  }));
}

const selectorOperatorValue = map(
  sequence(
    selector,
    choice(
      sign("==", false),
      sign("!=", true),
      words("in", false, "contains"),
      words("in", true, "not", "contains"),
      words("matches", false, "matches"),
      words("matches", true, "not", "matches"),
    ),
    value,
  ),
  ([path, comparison, operand]) => match(path, comparison, operand),
);

const selectorOperator = map(
  sequence(
    selector,
    choice(words("empty", false, "is", "empty"), words("empty", true, "is", "not", "empty")),
  ),
  ([path, comparison]) => match(path, comparison, ""),
);

const membership = choice(words("in", false, "in"), words("in", true, "not", "in"));
const valueOperatorSelector: Rule<Expression> = choice(
  map(sequence(value, membership, selector), ([operand, comparison, path]) =>
    match(path, comparison, operand),
  ),
  map(sequence(value, membership, notAhead(selector), fault("match", "Invalid selector")), () =>
    match([], { operator: "in", negated: false }, ""),
  ),
);

function match(path: string[], { operator, negated }: Comparison, operand: string): Expression {
  return { kind: "match", selector: path, operator, negated, value: operand };
}

// Logic

const or: Rule<Expression> = choice(
  map(
    sequence(
      lazy(() => and),
      space,
      literal("or"),
      space,
      lazy(() => or),
    ),
    ([left, , , , right]): Expression => ({ kind: "or", left, right }),
  ),
  lazy(() => and),
);

const and: Rule<Expression> = choice(
  map(
    sequence(
      lazy(() => not),
      space,
      literal("and"),
      space,
      lazy(() => and),
    ),
    ([left, , , , right]): Expression => ({ kind: "and", left, right }),
  ),
  lazy(() => not),
);

const not: Rule<Expression> = choice(
  map(
    sequence(
      literal("not"),
      space,
      lazy(() => not),
    ),
    ([, , operand]): Expression => ({ kind: "not", operand }),
  ),
  lazy(() => grouping),
);

const grouping: Rule<Expression> = choice<Expression>(
  map(sequence(literal("("), maybeSpace, or, maybeSpace, literal(")")), ([, , inner]) => inner),
  selectorOperatorValue,
  selectorOperator,
  valueOperatorSelector,
  map(
    sequence(
      literal("("),
      maybeSpace,
      or,
      maybeSpace,
      notAhead(literal(")")),
      fault("grouping", "Unmatched parentheses"),
    ),
    ([, , inner]) => inner,
  ),
);

const whole: Rule<Expression> = choice(
  map(
    sequence(
      maybeSpace,
      literal("("),
      maybeSpace,
      or,
      maybeSpace,
      literal(")"),
      maybeSpace,
      endOfInput,
    ),
    ([, , , inner]) => inner,
  ),
  map(sequence(maybeSpace, or, maybeSpace, endOfInput), ([, inner]) => inner),
);

/** What a quoted text stands for; null when an escape is wrong. */
function unquote(text: string): string | null {
  if (text.startsWith("`")) return text.slice(1, -1).replaceAll("\r", "");
  if (/[\n]/.test(text)) return null;
  try {
    // Go's escapes beyond JSON's are written as JSON's.
    const body = text
      .slice(1, -1)
      .replace(/\\x([\da-fA-F]{2})/g, "\\u00$1")
      .replace(/\\a/g, "\\u0007")
      .replace(/\\v/g, "\\u000b")
      .replaceAll("\t", "\\t");
    return JSON.parse(`"${body}"`) as string;
  } catch {
    return null;
  }
}
