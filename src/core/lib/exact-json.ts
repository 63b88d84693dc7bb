// JSON in which integers that no double holds stay exact: they are bigints here.

/** JSON in which bigints are numbers. */
export function jsonText(value: unknown, indent = ""): string {
  const replacer = (_key: string, inner: unknown): unknown =>
    typeof inner === "bigint" ? (JSON as unknown as RawJsonMaker).rawJSON(String(inner)) : inner;
  return JSON.stringify(value, replacer, indent);
}

interface RawJsonMaker {
  rawJSON(text: string): unknown;
}

/** Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? "";
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact);
}

/** As Go prints it: the characters that HTML knows are escaped. */
export function indentedJson(value: unknown, indent: string): string {
  return escapeHtml(jsonText(value, indent));
}

function escapeHtml(text: string): string {
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
