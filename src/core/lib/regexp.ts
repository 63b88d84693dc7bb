// Go's regular expressions: does any part of a text match? Patterns come from clients, so the work must be bounded by
// pattern × text, which the platform's own engine does not promise; re2js is RE2 itself.

import { RE2JS, RE2JSException } from "re2js";

/** A pattern that Go would refuse; the message is Go's. */
export class RegExpFault extends Error {
  override name = "RegExpFault";
}

/** Patterns that are longer are refused: compiling one takes time and memory in proportion. */
const patternLengthMax = 10_000;

/** A test for texts of which some part matches. Throws {@link RegExpFault}. */
export function compileRegExp(pattern: string): (text: string) => boolean {
  const compiled = compile(pattern);
  return (text) => compiled.test(text);
}

/**
 * Finds the first part of a text that matches: the part, and what each group of it matched ("" when it took no part);
 * null when there is none. Throws {@link RegExpFault}.
 */
export function compileMatcher(pattern: string): (text: string) => string[] | null {
  const compiled = compile(pattern);
  return (text) => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return null;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, at) => matcher.group(at));
    return groups.map((group) => group ?? "");
  };
}

function compile(pattern: string): RE2JS {
  if (pattern.length > patternLengthMax) throw new RegExpFault("expression too large");
  try {
    return RE2JS.compile(pattern);
  } catch (failure) {
    if (!(failure instanceof RE2JSException)) throw failure;
    const message = failure.message.replace(/^error parsing regexp: /, "");
    // Go names a fragment of the pattern here, too: none.
    throw new RegExpFault(message.replace(/^(trailing backslash.*[^`])$/, "$1: ``"));
  }
}
