// Go's durations: parsing and printing as `time.ParseDuration` and `time.Duration.String` do. Inside the
// system a duration from a client is an integer number of nanoseconds (exact up to 2^53, 104 days).

const unitNanoseconds: Record<string, number> = {
  ns: 1,
  us: 1e3,
  "\u00b5s": 1e3,
  "\u03bcs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A refusal whose message is Go's. */
export class DurationError extends Error {
  override name = "DurationError";
}

/** Largest duration Go can hold, in ns. */
const durationMaxNs = 2 ** 63;

/** Nanoseconds in a Go duration such as `1m30s` or `-1.5h`. Throws {@link DurationError}. */
export function parseDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw invalid(text);
  let totalNs = 0;
  while (rest !== "") {
    const amount = /^(\d*)(\.\d*)?/.exec(rest)?.[0] ?? "";
    if (amount === "" || amount === ".") throw invalid(text);
    if (Number.parseInt(amount, 10) >= durationMaxNs) throw invalid(text);
    rest = rest.slice(amount.length);
    const unit = /^[^.\d]+/.exec(rest)?.[0] ?? "";
    if (unit === "") throw new DurationError(`time: missing unit in duration ${quote(text)}`);
    const factor = unitNanoseconds[unit];
    if (factor === undefined) {
      throw new DurationError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    }
    rest = rest.slice(unit.length);
    totalNs += amountNs(amount, factor);
    if (totalNs >= durationMaxNs) throw invalid(text);
  }
  return sign * totalNs;
}

/** Whole part exactly, fraction truncated to whole nanoseconds. */
function amountNs(amount: string, factor: number): number {
  const [whole = "", fraction = ""] = amount.split(".");
  return (
    Number(whole) * factor + Math.trunc(Number(`0.${fraction === "" ? "0" : fraction}`) * factor)
  );
}

function invalid(text: string): DurationError {
  return new DurationError(`time: invalid duration ${quote(text)}`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** Milliseconds in a Go duration, rounded down. Throws {@link DurationError}. */
export function parseDurationMs(text: string): number {
  return Math.floor(parseDuration(text) / 1e6);
}

/** Go's text for a number of nanoseconds: `0s`, `1.5ms`, `2h45m0s`. */
export function formatDuration(ns: number): string {
  if (ns === 0) return "0s";
  const sign = ns < 0 ? "-" : "";
  const size = Math.abs(ns);
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${decimal(size, 1e3, 3)}\u00b5s`;
  if (size < 1e9) return `${sign}${decimal(size, 1e6, 6)}ms`;
  const hours = Math.floor(size / 3600e9);
  const minutes = Math.floor((size % 3600e9) / 60e9);
  const seconds = `${decimal(size % 60e9, 1e9, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `size / unit` without trailing zeros, computed on integers. */
function decimal(size: number, unit: number, digits: number): string {
  const whole = Math.floor(size / unit);
  const fraction = String(size % unit)
    .padStart(digits, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
