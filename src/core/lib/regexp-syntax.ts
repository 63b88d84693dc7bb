// The syntax of Go's regular expressions (RE2): what look-around and back-references would need is refused,
// in Go's words. Single characters are judged by small predicates; only those use the platform's engine, one
// character at a time.

export type CharacterTest = (character: string) => boolean;
/** Judges a position by the characters around it; undefined at the ends. */
export type Assertion = (before: string | undefined, after: string | undefined) => boolean;

export type RegExpNode =
  | { kind: "character"; test: CharacterTest }
  | { kind: "assert"; test: Assertion }
  | { kind: "sequence" | "choice"; items: readonly RegExpNode[] }
  | { kind: "repeat"; item: RegExpNode; min: number; max: number | null };

/** A pattern that Go would refuse; the message is Go's. */
export class RegExpFault extends Error {
  override name = "RegExpFault";
}

const repeatMax = 1_000;
/** Instructions a pattern may grow to when its counted repetitions are written out. */
const sizeMax = 20_000;
const depthMax = 200;

interface Flags {
  ignoreCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
}

/** Throws {@link RegExpFault}. */
export function parseRegExp(pattern: string): RegExpNode {
  const parser = new Parser(pattern);
  const node = parser.alternatives({ ignoreCase: false, multiLine: false, dotAll: false }, 0);
  if (!parser.ended) throw new RegExpFault(`unexpected ): \`${pattern}\``);
  if (sizeOf(node) > sizeMax) throw new RegExpFault("expression too large");
  return node;
}

function sizeOf(node: RegExpNode): number {
  if (node.kind === "repeat") return sizeOf(node.item) * (node.max ?? node.min + 1) + 1;
  if (node.kind !== "sequence" && node.kind !== "choice") return 1;
  return node.items.reduce((size, item) => size + sizeOf(item), 1);
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /^\w$/.test(character);

const assertions: Record<string, Assertion> = {
  A: (before) => before === undefined,
  z: (_before, after) => after === undefined,
  b: (before, after) => isWord(before) !== isWord(after),
  B: (before, after) => isWord(before) === isWord(after),
};

const classes: Record<string, RegExp> = {
  d: /^[0-9]$/,
  D: /^[^0-9]$/u,
  s: /^[\t\n\f\r ]$/,
  S: /^[^\t\n\f\r ]$/u,
  w: /^[0-9A-Za-z_]$/,
  W: /^[^0-9A-Za-z_]$/u,
};

const namedClasses: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

const controlEscapes: Record<string, string> = {
  a: "\u0007",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

class Parser {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = Array.from(pattern);
  }

  get ended(): boolean {
    return this.#at >= this.#characters.length;
  }

  alternatives(flags: Flags, depth: number): RegExpNode {
    if (depth > depthMax) throw new RegExpFault("expression nests too deeply");
    const items = [this.#sequence(flags, depth)];
    while (this.#accept("|")) items.push(this.#sequence(flags, depth));
    return items.length === 1 ? (items[0] as RegExpNode) : { kind: "choice", items };
  }

  #sequence(outer: Flags, depth: number): RegExpNode {
    const items: RegExpNode[] = [];
    const flags = { ...outer };
    while (!this.ended && this.#peek() !== "|" && this.#peek() !== ")") {
      const start = this.#at;
      const item = this.#atom(flags, depth);
      if (item) items.push(this.#repeated(item, start));
    }
    // Flags set inside a group hold to its end, over all alternatives that follow.
    Object.assign(outer, flags);
    return { kind: "sequence", items };
  }

  #repeated(item: RegExpNode, start: number): RegExpNode {
    const begin = this.#at;
    const bounds = this.#quantifier();
    if (!bounds) return item;
    this.#accept("?");
    const again = this.#at;
    if (this.#quantifier()) {
      throw new RegExpFault(
        `invalid nested repetition operator: \`${this.#slice(begin, this.#at)}\``,
      );
    }
    this.#at = again;
    const [min, max] = bounds;
    if (min > repeatMax || (max !== null && (max > repeatMax || max < min))) {
      throw new RegExpFault(`invalid repeat count: \`${this.#slice(begin, again)}\``);
    }
    if (start === begin) throw new RegExpFault("missing argument to repetition operator");
    return { kind: "repeat", item, min, max };
  }

  #quantifier(): [min: number, max: number | null] | null {
    if (this.#accept("*")) return [0, null];
    if (this.#accept("+")) return [1, null];
    if (this.#accept("?")) return [0, 1];
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#rest());
    if (!counted) return null;
    this.#at += Array.from(counted[0]).length;
    const min = Number(counted[1]);
    if (counted[2] === undefined) return [min, min];
    return [min, counted[3] === "" ? null : Number(counted[3])];
  }

  /** One item, or null for something that matches nothing by itself, such as flags. */
  #atom(flags: Flags, depth: number): RegExpNode | null {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group(flags, depth);
      case "[":
        return { kind: "character", test: this.#characterClass(flags) };
      case ".": {
        const { dotAll } = flags;
        return { kind: "character", test: (each) => dotAll || each !== "\n" };
      }
      case "^": {
        const { multiLine } = flags;
        return {
          kind: "assert",
          test: (before) => before === undefined || (multiLine && before === "\n"),
        };
      }
      case "$": {
        const { multiLine } = flags;
        return {
          kind: "assert",
          test: (_before, after) => after === undefined || (multiLine && after === "\n"),
        };
      }
      case "*":
      case "+":
      case "?":
        throw new RegExpFault(`missing argument to repetition operator: \`${character}\``);
      case "\\":
        return this.#escape(flags);
      default:
        return { kind: "character", test: literalTest(character, flags) };
    }
  }

  #group(flags: Flags, depth: number): RegExpNode | null {
    const inner = { ...flags };
    if (this.#rest().startsWith("?") && !this.#named()) {
      const options = /^\?([imsU]*(?:-[imsU]+)?)([:)])/.exec(this.#rest());
      if (!options) {
        const what = Array.from(this.#rest()).slice(0, 2).join("");
        throw new RegExpFault(`invalid or unsupported Perl syntax: \`(${what}\``);
      }
      this.#at += options[0].length;
      setFlags(inner, options[1] ?? "");
      if (options[2] === ")") {
        Object.assign(flags, inner);
        return null;
      }
    }
    const node = this.alternatives(inner, depth + 1);
    if (!this.#accept(")")) throw new RegExpFault(`missing closing ): \`${this.#pattern}\``);
    return node;
  }

  /** Skips the name of a group, which matters only for submatches. */
  #named(): boolean {
    const name = /^\?P<\w+>/.exec(this.#rest());
    if (name) this.#at += name[0].length;
    return name !== null;
  }

  #escape(flags: Flags): RegExpNode {
    const letter = this.#peek();
    const assertion = Object.hasOwn(assertions, letter) ? assertions[letter] : undefined;
    if (assertion) {
      this.#at++;
      return { kind: "assert", test: assertion };
    }
    if (letter === "Q") {
      this.#at++;
      return this.#verbatim(flags);
    }
    return { kind: "character", test: this.#characterEscape(flags) };
  }

  /** `\Q...\E`. */
  #verbatim(flags: Flags): RegExpNode {
    const rest = this.#rest();
    const end = rest.indexOf("\\E");
    const quoted = end < 0 ? rest : rest.slice(0, end);
    this.#at += Array.from(quoted).length + (end < 0 ? 0 : 2);
    const items = Array.from(quoted).map((character): RegExpNode => ({
      kind: "character",
      test: literalTest(character, flags),
    }));
    return { kind: "sequence", items };
  }

  /** What follows a backslash, inside a class or outside. */
  #characterEscape(flags: Flags): CharacterTest {
    if (this.ended) throw new RegExpFault("trailing backslash at end of expression: ``");
    const letter = this.#peek();
    const known = Object.hasOwn(classes, letter) ? classes[letter] : undefined;
    if (known) {
      this.#at++;
      return (character) => known.test(character);
    }
    if (letter === "p" || letter === "P") return this.#unicodeClass();
    return literalTest(this.#escapedCharacter(), flags);
  }

  #escapedCharacter(): string {
    const letter = this.#next();
    const control = Object.hasOwn(controlEscapes, letter) ? controlEscapes[letter] : undefined;
    if (control !== undefined) return control;
    if (letter === "x") {
      const code = /^([\da-fA-F]{2})|^\{([\da-fA-F]{1,6})\}/.exec(this.#rest());
      const point = Number.parseInt(code?.[1] ?? code?.[2] ?? "", 16);
      if (code && point <= 0x10ffff) {
        this.#at += code[0].length;
        return String.fromCodePoint(point);
      }
    }
    if (/^[0-7]{1,3}$/.test(letter) && letter === "0") return "\0";
    if (/^\w$/.test(letter)) throw new RegExpFault(`invalid escape sequence: \`\\${letter}\``);
    return letter;
  }

  /** `\pL`, `\p{Greek}`, `\P{...}`. */
  #unicodeClass(): CharacterTest {
    const written = /^[pP](\w|\{\^?\w+\})/.exec(this.#rest())?.[0] ?? this.#next();
    const name = written.slice(1).replace(/[{}^]/g, "");
    for (const property of [name, `Script=${name}`]) {
      try {
        const pattern = new RegExp(`^\\p{${property}}$`, "u");
        const isNegated = (written[0] === "P") !== written.includes("^");
        this.#at += written.length;
        return (character) => pattern.test(character) !== isNegated;
      } catch {
        continue;
      }
    }
    throw new RegExpFault(`invalid character class range: \`\\${written}\``);
  }

  #characterClass(flags: Flags): CharacterTest {
    const start = this.#at - 1;
    const isNegated = this.#accept("^");
    const tests: CharacterTest[] = [];
    for (let first = true; first || this.#peekOrEmpty() !== "]"; first = false) {
      if (this.ended) throw new RegExpFault(`missing closing ]: \`${this.#slice(start)}\``);
      tests.push(this.#classItem(flags, start));
    }
    this.#at++;
    return (character) => tests.some((test) => test(character)) !== isNegated;
  }

  #classItem(flags: Flags, start: number): CharacterTest {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.#rest());
    const members = named && namedClasses[named[2] ?? ""];
    if (named && members !== undefined) {
      this.#at += named[0].length;
      const pattern = new RegExp(`^[${named[1] ?? ""}${members}]$`, "u");
      return (character) => pattern.test(character);
    }
    const escaped = this.#accept("\\");
    if (escaped && /^[dDsSwWpP]$/.test(this.#peekOrEmpty())) return this.#characterEscape(flags);
    const low = escaped ? this.#escapedCharacter() : this.#next();
    if (!/^-[^\]]/.test(this.#rest())) return literalTest(low, flags);
    const rangeStart = this.#at - 1;
    this.#at++;
    const high = this.#accept("\\") ? this.#escapedCharacter() : this.#next();
    const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
    if (from > to) {
      const range = this.#slice(Math.max(start, rangeStart), this.#at);
      throw new RegExpFault(`invalid character class range: \`${range}\``);
    }
    return rangeTest(from, to, flags);
  }

  #accept(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #peek(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) {
      throw new RegExpFault("trailing backslash at end of expression: ``");
    }
    return character;
  }

  #peekOrEmpty(): string {
    return this.#characters[this.#at] ?? "";
  }

  #next(): string {
    const character = this.#peek();
    this.#at++;
    return character;
  }

  #rest(): string {
    return this.#slice(this.#at);
  }

  #slice(from: number, to?: number): string {
    return this.#characters.slice(from, to).join("");
  }
}

function setFlags(flags: Flags, options: string): void {
  const [on = "", off = ""] = options.split("-");
  for (const [letters, value] of [
    [on, true],
    [off, false],
  ] as const) {
    if (letters.includes("i")) flags.ignoreCase = value;
    if (letters.includes("m")) flags.multiLine = value;
    if (letters.includes("s")) flags.dotAll = value;
  }
}

function literalTest(wanted: string, { ignoreCase }: Flags): CharacterTest {
  if (!ignoreCase) return (character) => character === wanted;
  const folded = wanted.toLowerCase();
  return (character) => character.toLowerCase() === folded;
}

function rangeTest(from: number, to: number, { ignoreCase }: Flags): CharacterTest {
  const holds = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return code >= from && code <= to;
  };
  if (!ignoreCase) return holds;
  return (character) => holds(character.toLowerCase()) || holds(character.toUpperCase());
}
