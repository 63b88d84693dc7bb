// Prefixes as ranges: SQLite's BINARY collation compares UTF-8 bytes, which is the order of code points.

/** The smallest text above every text that starts with `prefix`; null when there is none. */
export function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix);
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last === 0x10ffff) continue;
    // Surrogates are not characters of their own.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return points.join("") + String.fromCodePoint(next);
  }
  return null;
}
