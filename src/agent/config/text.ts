// From a file's text to plain values. Throws ConfigError with the reason, without the file's name.

import { HclError, hclLimits } from "../../core/lib/hcl/ast.ts";
import { parseHcl } from "../../core/lib/hcl/parser.ts";
import { plainHcl } from "../../core/lib/hcl/plain.ts";
import { isRecord } from "../../core/lib/record.ts";
import { DecodeError, parseRawJson } from "../../core/model/raw-json.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigFormat, ConfigRecord } from "./values.ts";

export function parseText(text: string, format: ConfigFormat): ConfigRecord {
  return format === "hcl" ? hclObject(text) : jsonObject(text);
}

function hclObject(text: string): ConfigRecord {
  try {
    return plainHcl(parseHcl(text));
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new ConfigError(error.message);
  }
}

function jsonObject(text: string): ConfigRecord {
  if (text === "") return {};
  if (isDeeper(text, hclLimits.depthMax)) {
    throw new ConfigError(`nested deeper than ${hclLimits.depthMax} levels`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(syntaxError(text, error as Error));
  }
  // Go leaves a map as it is, which is empty.
  if (value === null) return {};
  if (isRecord(value)) return value;
  const kinds: Record<string, string> = { number: "number", boolean: "bool", string: "string" };
  const kind = kinds[typeof value] ?? "array";
  throw new ConfigError(
    `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
  );
}

/** Whether brackets outside of strings are open inside of more than `levels` others. */
function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isString && character === "\\") at += 1;
    else if (character === '"') isString = !isString;
    else if (isString) continue;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

/** In Go's words. What follows a whole value is found by V8, which tells the place. */
function syntaxError(text: string, error: Error): string {
  try {
    parseRawJson(text);
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure;
    return failure.message.endsWith("EOF") ? "unexpected end of JSON input" : failure.message;
  }
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? 0);
  return `invalid character '${text[position] ?? ""}' after top-level value`;
}
