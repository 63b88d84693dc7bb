// Templates of addresses, as go-sockaddr reads them: text with `{{ … }}` in it, each a pipe of function calls. Control
// structures of Go's templates (`if`, `range`, `with`, variables) are not understood and refused by name.

import { functions, type TemplateValue } from "./functions.ts";
import { attribute, type HostAddress, SockaddrError } from "./interfaces.ts";

/** In the words of go-sockaddr, without the key. */
export class TemplateError extends Error {
  override name = "TemplateError";
}

const templateLengthMax = 4_096;

/** What `text` stands for on a host with these addresses. Throws TemplateError. */
export function expandTemplate(text: string, host: readonly HostAddress[]): string {
  if (!text.includes("{{")) return text.trim();
  const refused = (reason: string): TemplateError =>
    new TemplateError(
      `error parsing ${JSON.stringify(text)}: unable to parse template ${JSON.stringify(text)}: ` +
        `template: sockaddr.Parse:1: ${reason}`,
    );
  if (text.length > templateLengthMax) throw refused("too long");
  let expanded = "";
  let rest = 0;
  for (let open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", rest)) {
    const action = new Action(text, open + 2, host, refused);
    const before = text.slice(rest, open);
    expanded += action.trimsBefore ? before.trimEnd() : before;
    expanded += action.run();
    rest = action.end;
    if (action.trimsAfter) rest += text.slice(rest).length - text.slice(rest).trimStart().length;
  }
  return (expanded + text.slice(rest)).trim();
}

interface Call {
  name: string;
  at: number;
  /** As it was written, from its name to its last argument. */
  source: string;
  values: TemplateValue[];
}

const word =
  /\s*(?:(-?\}\})|(\||\(|\))|("(?:[^"\\\n]|\\.)*")|(`[^`]*`)|([+-]?\d+)|([A-Za-z_]\w*)|(\S))/y;

/** One `{{ … }}`. */
class Action {
  readonly trimsBefore: boolean;
  trimsAfter = false;
  end: number;
  readonly #text: string;
  readonly #host: readonly HostAddress[];
  readonly #refused: (reason: string) => TemplateError;
  #word: { text: string; at: number } = { text: "", at: 0 };
  #depth = 0;

  constructor(
    text: string,
    start: number,
    host: readonly HostAddress[],
    refused: (reason: string) => TemplateError,
  ) {
    this.trimsBefore = /^-\s/.test(text.slice(start, start + 2));
    this.#text = text;
    this.#host = host;
    this.#refused = refused;
    this.end = start + (this.trimsBefore ? 1 : 0);
  }

  run(): string {
    const comment = /^\s*\/\*[^]*?\*\/\s*(-?)\}\}/.exec(this.#text.slice(this.end));
    if (comment) {
      this.end += comment[0].length;
      this.trimsAfter = comment[1] === "-";
      return "";
    }
    this.#next();
    const value = this.#pipe();
    if (!this.#word.text.endsWith("}}")) throw this.#unexpected();
    this.trimsAfter = this.#word.text.startsWith("-");
    if (typeof value === "object") {
      return `[${value.map((one) => `${attribute(one, "string")} {}`).join(" ")}]`;
    }
    return String(value);
  }

  #pipe(): TemplateValue {
    let value = this.#command(null);
    while (this.#word.text === "|") {
      this.#next();
      value = this.#command(value);
    }
    return value;
  }

  /** A call with its arguments, to which what the pipe hands on is added; or a value by itself. */
  #command(piped: TemplateValue | null): TemplateValue {
    const { text: name, at } = this.#word;
    if (!/^[A-Za-z_]/.test(name)) {
      if (piped !== null) throw this.#refused(`non executable command in pipeline`);
      return this.#operand();
    }
    if (!Object.hasOwn(functions, name)) throw this.#refused(`function "${name}" not defined`);
    const values: TemplateValue[] = [];
    let last = this.end;
    this.#next();
    while (!/^(\||\)|-?\}\})$/.test(this.#word.text)) {
      values.push(this.#operand());
      last = this.#lastEnd;
    }
    const source = values.length === 0 ? name : this.#text.slice(at, last);
    return this.#called({ name, at, source, values }, piped);
  }

  #lastEnd = 0;

  #operand(): TemplateValue {
    const { text } = this.#word;
    const value = this.#literal(text);
    this.#lastEnd = this.end;
    this.#next();
    return value;
  }

  #literal(text: string): TemplateValue {
    if (text.startsWith('"')) return unquoted(text);
    if (text.startsWith("`")) return text.slice(1, -1);
    if (/^[+-]?\d+$/.test(text)) return Number(text);
    if (text === "(") {
      this.#depth += 1;
      if (this.#depth > 16) throw this.#refused("too many parentheses");
      this.#next();
      const value = this.#pipe();
      if (this.#word.text !== ")") throw this.#unexpected();
      return value;
    }
    if (Object.hasOwn(functions, text)) return this.#called({ ...this.#bareCall(text) }, null);
    if (/^[A-Za-z_]/.test(text)) throw this.#refused(`function "${text}" not defined`);
    throw this.#unexpected();
  }

  #bareCall(name: string): Call {
    return { name, at: this.#word.at, source: name, values: [] };
  }

  #called({ name, at, source, values }: Call, piped: TemplateValue | null): TemplateValue {
    const failed = (reason: string, place = source): TemplateError =>
      new TemplateError(
        `error parsing ${JSON.stringify(this.#text)}: ` +
          `unable to execute sockaddr input ${JSON.stringify(this.#text)}: ` +
          `template: sockaddr.Parse:1:${at}: executing "sockaddr.Parse" at <${place}>: ${reason}`,
      );
    const { takes, call } = functions[name] as (typeof functions)[string];
    const all = piped === null ? values : [...values, piped];
    if (all.length !== takes.length) {
      const counts = `want ${takes.length} got ${all.length}`;
      throw failed(`wrong number of args for ${name}: ${counts}`, name);
    }
    all.forEach((value, index) => {
      const wanted = takes[index];
      const given =
        typeof value === "string" ? "text" : typeof value === "number" ? "integer" : "list";
      if (given !== wanted) throw failed(`wrong type of argument ${index + 1}: want ${wanted}`);
    });
    try {
      return call(this.#host, all as never);
    } catch (error) {
      if (!(error instanceof SockaddrError)) throw error;
      throw failed(`error calling ${name}: ${error.message}`);
    }
  }

  #next(): void {
    word.lastIndex = this.end;
    const match = word.exec(this.#text);
    if (!match) throw this.#refused("unclosed action");
    const text = match.slice(1).find((part) => part !== undefined) ?? "";
    this.end = word.lastIndex;
    this.#word = { text, at: this.end - text.length };
  }

  #unexpected(): TemplateError {
    const { text } = this.#word;
    if (text.startsWith('"')) return this.#refused("unterminated quoted string");
    return this.#refused(`unexpected ${JSON.stringify(text)} in operand`);
  }
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
