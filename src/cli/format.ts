// `-format`: for people or for programs.

import { Failure } from "./command.ts";
import { textFlag } from "./flags.ts";

export type Format = "pretty" | "json";

export const formats: readonly Format[] = ["pretty", "json"];

export const formatFlag = textFlag("How to print it: pretty or json.", "pretty");

/** Throws Failure with `refusal` for anything else. */
export function formatFrom(text: string, refusal: string): Format {
  const format = formats.find((one) => one === text);
  if (!format) throw new Failure(refusal);
  return format;
}
