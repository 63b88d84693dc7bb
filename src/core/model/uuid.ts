// Two ways to read a UUID, because Consul has two: node ids are parsed strictly, ids of sessions and queries
// by an index that only counts hyphens and hex digits. Both report in Consul's words.

/** Why `text` is not a node id, in Consul's words; null when it is one. */
export function uuidProblem(text: string): string | null {
  if (text.length !== 36) return "uuid string is wrong length";
  if (text[8] !== "-" || text[13] !== "-" || text[18] !== "-" || text[23] !== "-") {
    return "uuid is improperly formatted";
  }
  const digits =
    text.slice(0, 8) + text.slice(9, 13) + text.slice(14, 18) + text.slice(19, 23) + text.slice(24);
  const bad = firstBadHex(digits);
  return bad === null ? null : hexProblem(bad);
}

/** Lower-case canonical form of an id to look up. Throws {@link UuidError} as Consul's index does. */
export function uuidKey(text: string): string {
  if (text.length !== 36) throw new UuidError("UUID must be 36 characters");
  const digits = text.replaceAll("-", "");
  const hyphens = text.length - digits.length;
  if (hyphens > 4) throw new UuidError(`UUID should have maximum of 4 "-"; got ${hyphens}`);
  if (digits.length % 2 !== 0) throw new UuidError("Input (without hyphens) must be even length");
  const bad = firstBadHex(digits);
  if (bad !== null) throw new UuidError(`Invalid UUID: ${hexProblem(bad)}`);
  return canonical(digits.toLowerCase());
}

/** A malformed id in a lookup. */
export class UuidError extends Error {
  override name = "UuidError";
}

function canonical(digits: string): string {
  const groups = [0, 8, 12, 16, 20].map((start, at, starts) =>
    digits.slice(start, starts[at + 1] ?? digits.length),
  );
  return groups.join("-");
}

function firstBadHex(text: string): string | null {
  return /[^\da-fA-F]/u.exec(text)?.[0] ?? null;
}

/** Go names the offending byte, which for non-ASCII text is the first of its UTF-8 bytes. */
function hexProblem(character: string): string {
  const byte = new TextEncoder().encode(character)[0] ?? 0;
  const code = byte.toString(16).toUpperCase().padStart(4, "0");
  return `encoding/hex: invalid byte: U+${code} '${String.fromCharCode(byte)}'`;
}
