// JSON as Go prints it for people: indented, with the characters that HTML knows escaped.

export { indentedJson } from "../core/lib/exact-json.ts";
