// The language of every filter: words that must all be there, `field:value` for one column, `-word` for what must not
// be, `/expression/`, `*` inside a word. Upper and lower case are the same.

/** Texts by field. A term without a field looks into all of them. */
export type Fields = Readonly<Record<string, readonly string[]>>;

export interface Term {
  /** As it was written. */
  text: string;
  /** "" for any. */
  field: string;
  isNegated: boolean;
  matches(text: string): boolean;
}

export interface Filter {
  terms: readonly Term[];
  /** Expressions that cannot be read: they match nothing. */
  broken: readonly string[];
}

/** `fields`: names that mean a column; `meta.KEY` does where `meta` is one of them. */
export function parseFilter(text: string, fields: readonly string[]): Filter {
  const terms: Term[] = [];
  const broken: string[] = [];
  for (const word of wordsOf(text)) {
    const isNegated = word.startsWith("-") && word.length > 1;
    const positive = isNegated ? word.slice(1) : word;
    const { field, value } = split(positive, fields);
    const matches = matcher(value);
    if (!matches) broken.push(word);
    terms.push({ text: word, field, isNegated, matches: matches ?? (() => false) });
  }
  return { terms, broken };
}

export function accepts({ terms }: Filter, fields: Fields): boolean {
  return terms.every((term) => {
    const texts = term.field === "" ? Object.values(fields).flat() : (fields[term.field] ?? []);
    return texts.some((text) => term.matches(text)) !== term.isNegated;
  });
}

/** The filter's text without one of its terms. */
export function without(text: string, term: Term): string {
  return wordsOf(text)
    .filter((word) => word !== term.text)
    .join(" ");
}

/** An expression may have blanks. */
function wordsOf(text: string): string[] {
  return text.match(/-?(?:[\w.]+:)?\/(?:[^/\\]|\\.)+\/(?=\s|$)|\S+/g) ?? [];
}

function split(word: string, fields: readonly string[]): { field: string; value: string } {
  const [, name = "", value = ""] = /^([^:/]+):(.*)$/s.exec(word) ?? [];
  const field = name.toLowerCase();
  const isField = fields.includes(field) || (field.startsWith("meta.") && fields.includes("meta"));
  return isField && value !== "" ? { field, value } : { field: "", value: word };
}

/** Null for an expression that cannot be read. */
function matcher(value: string): ((text: string) => boolean) | null {
  if (value.length > 2 && value.startsWith("/") && value.endsWith("/")) {
    try {
      const expression = new RegExp(value.slice(1, -1), "iu");
      return (text) => expression.test(text);
    } catch {
      return null;
    }
  }
  // Consul's UI writes several values with commas.
  const options = value
    .toLowerCase()
    .split(",")
    .filter((option) => option !== "");
  const parts = (options.length > 0 ? options : [value.toLowerCase()]).map(wildcard);
  return (text) => {
    const lower = text.toLowerCase();
    return parts.some((part) => part(lower));
  };
}

function wildcard(value: string): (lower: string) => boolean {
  if (!value.includes("*")) return (lower) => lower.includes(value);
  const escaped = value
    .split("*")
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join(".*");
  const expression = new RegExp(`^${escaped}$`, "su");
  return (lower) => expression.test(lower);
}
