// JSON as Go prints it for people: indented, with the characters that HTML knows escaped.

import { jsonText } from "./api.ts";

export function indentedJson(value: unknown, indent: string): string {
  return escapeHtml(jsonText(value, indent));
}

function escapeHtml(text: string): string {
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
