// A parsing expression grammar, small: terminals, sequence, choice, repetition, predicates and actions. It
// exists for its error: the farthest position reached and everything that would have been accepted there,
// worded as the parser generator behind Consul words it, because users see that text.

/** Tries to match at `at`; undefined when it does not. */
export type Rule<Value> = (input: Input, at: number) => Match<Value> | undefined;

export interface Match<Value> {
  value: Value;
  end: number;
}

/** A filter expression that does not parse. */
export class SyntaxFault extends Error {
  override name = "SyntaxFault";
}

/** The text being parsed and the faults found so far. */
export class Input {
  readonly text: string;
  readonly faults: string[] = [];
  #farthest = 0;
  #expected = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  expect(what: string, at: number): void {
    if (at < this.#farthest) return;
    if (at > this.#farthest) this.#expected.clear();
    this.#farthest = at;
    this.#expected.add(what);
  }

  fault(rule: string, message: string, at: number): void {
    const fault = `${this.#position(at)}: rule "${rule}": ${message}`;
    if (!this.faults.includes(fault)) this.faults.push(fault);
  }

  error(): SyntaxFault {
    if (this.faults.length > 0) return new SyntaxFault(this.faults.join("\n"));
    const expected = [...this.#expected].filter((each) => each !== "EOF").toSorted();
    if (this.#expected.has("EOF")) expected.push("EOF");
    const last = expected.pop() ?? "EOF";
    const list = expected.length > 0 ? `${expected.join(", ")} or ${last}` : last;
    const where = this.#position(this.#farthest);
    return new SyntaxFault(`${where}: no match found, expected: ${list}`);
  }

  /** Line, column in characters and offset in bytes. */
  #position(at: number): string {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    const column = Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
    return `${line}:${column} (${new TextEncoder().encode(before).length})`;
  }
}

/** All of `text`, or a {@link SyntaxFault}. */
export function parse<Value>(rule: Rule<Value>, text: string): Value {
  const input = new Input(text);
  const match = rule(input, 0);
  if (!match || input.faults.length > 0) throw input.error();
  return match.value;
}

export function literal(word: string): Rule<string> {
  return (input, at) => {
    if (input.text.startsWith(word, at)) return { value: word, end: at + word.length };
    input.expect(JSON.stringify(word), at);
    return undefined;
  };
}

/** One character of a class, written as it appears in error texts, e.g. `[1-9]`. */
export function oneOf(charClass: string): Rule<string> {
  const pattern = new RegExp(`^${charClass}$`);
  return (input, at) => {
    const character = input.text.charAt(at);
    if (character !== "" && pattern.test(character)) return { value: character, end: at + 1 };
    input.expect(charClass, at);
    return undefined;
  };
}

/** Any character but one. */
export function anyBut(excluded: string): Rule<string> {
  return (input, at) => {
    const character = input.text.charAt(at);
    if (character === "" || character === excluded) return undefined;
    return { value: character, end: at + 1 };
  };
}

export const endOfInput: Rule<null> = (input, at) => {
  if (at === input.text.length) return { value: null, end: at };
  input.expect("EOF", at);
  return undefined;
};

type Values<Rules extends readonly Rule<unknown>[]> = {
  [At in keyof Rules]: Rules[At] extends Rule<infer Value> ? Value : never;
};

export function sequence<const Rules extends readonly Rule<unknown>[]>(
  ...rules: Rules
): Rule<Values<Rules>> {
  return (input, at) => {
    const values: unknown[] = [];
    let end = at;
    for (const rule of rules) {
      const match = rule(input, end);
      if (!match) return undefined;
      values.push(match.value);
      end = match.end;
    }
    return { value: values as Values<Rules>, end };
  };
}

/** The first of several that matches. */
export function choice<Value>(...rules: readonly Rule<Value>[]): Rule<Value> {
  return (input, at) => {
    for (const rule of rules) {
      const match = rule(input, at);
      if (match) return match;
    }
    return undefined;
  };
}

export function many<Value>(rule: Rule<Value>, atLeast = 0): Rule<Value[]> {
  return (input, at) => {
    const values: Value[] = [];
    let end = at;
    for (let match = rule(input, end); match; match = rule(input, end)) {
      values.push(match.value);
      end = match.end;
    }
    return values.length >= atLeast ? { value: values, end } : undefined;
  };
}

export function optional<Value>(rule: Rule<Value>): Rule<Value | null> {
  return (input, at) => rule(input, at) ?? { value: null, end: at };
}

/** Matches nothing, where `rule` would match. */
export function ahead(rule: Rule<unknown>): Rule<null> {
  return (input, at) => (rule(input, at) ? { value: null, end: at } : undefined);
}

/** Matches nothing, where `rule` would not match. What it would accept is no expectation. */
export function notAhead(rule: Rule<unknown>): Rule<null> {
  return (input, at) => (rule(new Input(input.text), at) ? undefined : { value: null, end: at });
}

/** Never matches: reports why what came before is wrong. */
export function fault(name: string, message: string): Rule<never> {
  return (input, at) => {
    input.fault(name, message, at);
    return undefined;
  };
}

export function map<From, To>(rule: Rule<From>, convert: (value: From) => To): Rule<To> {
  return (input, at) => {
    const match = rule(input, at);
    return match && { value: convert(match.value), end: match.end };
  };
}

/** The text that a rule matched. */
export function textOf(rule: Rule<unknown>): Rule<string> {
  return (input, at) => {
    const match = rule(input, at);
    return match && { value: input.text.slice(at, match.end), end: match.end };
  };
}

/** Converts a match, or reports a fault at its start when `convert` answers null. */
export function convertOr<From, To>(
  rule: Rule<From>,
  convert: (value: From) => To | null,
  failure: { rule: string; message: string; otherwise: To },
): Rule<To> {
  return (input, at) => {
    const match = rule(input, at);
    if (!match) return undefined;
    const value = convert(match.value);
    if (value === null) input.fault(failure.rule, failure.message, at);
    return { value: value ?? failure.otherwise, end: match.end };
  };
}

/** Refers to a rule that is defined later. */
export function lazy<Value>(rule: () => Rule<Value>): Rule<Value> {
  return (input, at) => rule()(input, at);
}
