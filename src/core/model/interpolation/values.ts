// Values of the interpolation language, and how Go turns one kind into another.

import { integerOf } from "./lexer.ts";

/** Text, an integer of 64 bits, or a float. */
export type Value = string | bigint | number;

/** The expression is well-formed, but has no value. */
export class EvaluationFault extends Error {
  override name = "EvaluationFault";
}

const integerMin = -(2n ** 63n);
const integerMax = 2n ** 63n - 1n;

export function toInteger(value: Value): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : integerMin;
  }
  const sign = /^[+-]/.exec(value)?.[0] ?? "";
  const digits = integerOf(value.slice(sign.length));
  if (digits === null) throw unparsable("StringToInt", "ParseInt", value, "invalid syntax");
  const integer = sign === "-" ? -digits : digits;
  if (integer >= integerMin && integer <= integerMax) return integer;
  throw unparsable("StringToInt", "ParseInt", value, "value out of range");
}

export function toFloat(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  const isFloat = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value);
  if (isFloat) return Number(value);
  throw unparsable("StringToFloat", "ParseFloat", value, "invalid syntax");
}

function unparsable(
  conversion: string,
  parser: string,
  value: string,
  why: string,
): EvaluationFault {
  const text = JSON.stringify(value);
  return new EvaluationFault(`__builtin_${conversion}: strconv.${parser}: parsing ${text}: ${why}`);
}

export function formatValue(value: Value): string {
  return typeof value === "number" ? formatFloat(value) : String(value);
}

/** Go's shortest `%g`: with an exponent below -4 and from 6. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return Object.is(value, -0) ? "-0" : String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
