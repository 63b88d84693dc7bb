// Numbers as Go's strconv reads and writes them where a configuration entry gives one type and the field wants
// another, and 32-bit floats.

const radixPrefixes: [prefix: RegExp, radix: number][] = [
  [/^0b/i, 2],
  [/^0o/i, 8],
  [/^0x/i, 16],
  [/^0(?=[\d_])/, 8],
];

const digitsOf: Record<number, RegExp> = {
  2: /^[01]+(?:_[01]+)*$/,
  8: /^[0-7]+(?:_[0-7]+)*$/,
  10: /^\d+(?:_\d+)*$/,
  16: /^[\da-f]+(?:_[\da-f]+)*$/i,
};

export type IntegerBits = 32 | 64;

/**
 * What `ParseInt` or `ParseUint` of any base makes of a text: a number, or why not. Beyond 2^53 the number is the
 * nearest that can be had.
 */
export function parseGoInteger(
  text: string,
  { signed, bits }: { signed: boolean; bits: IntegerBits },
): { value: number } | { problem: string } {
  const sign = signed ? (/^[+-]/.exec(text)?.[0] ?? "") : "";
  let rest = text.slice(sign.length);
  let radix = 10;
  for (const [prefix, of] of radixPrefixes) {
    const [found] = prefix.exec(rest) ?? [];
    if (found === undefined) continue;
    // An underscore may follow the prefix.
    rest = rest.slice(found.length).replace(/^_/, "");
    radix = of;
    break;
  }
  if (!digitsOf[radix]?.test(rest)) return { problem: "invalid syntax" };
  const value = Number.parseInt(rest.replaceAll("_", ""), radix);
  const limit = 2 ** (signed ? bits - 1 : bits);
  if (value >= limit + (sign === "-" ? 1 : 0)) return { problem: "value out of range" };
  return { value: clamp(sign === "-" ? -value : value) };
}

/** Keeps an integer where it is exact; nobody means one beyond that. */
export function clamp(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** A float without an exponent and with no more digits than it takes to read it back. */
export function formatPlain(value: number): string {
  const [mantissa = "", exponent] = String(value).split("e");
  if (exponent === undefined) return mantissa;
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, "0");
}

/** The shortest decimal that stands for the same 32-bit float. */
export function shortestFloat32(value: number): number {
  const wanted = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const shortened = Number(wanted.toPrecision(digits));
    if (Math.fround(shortened) === wanted) return shortened;
  }
  return wanted;
}
