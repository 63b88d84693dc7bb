// Definitions of services in configuration files, HCL or JSON, as bodies of the calls that register them.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../agent/config/errors.ts";
import { parseConfig } from "../agent/config/parse.ts";
import type { ConfigFormat } from "../agent/config/values.ts";
import { Failure, messageOf } from "./command.ts";
import { openError } from "../agent/go-reasons.ts";

export interface Definition {
  id: string;
  name: string;
  /** JSON text. */
  body: string;
}

/** Throws Failure. `skipped` is told of files that are neither. */
export function definitionsIn(
  paths: readonly string[],
  skipped: (line: string) => void,
): Definition[] {
  return paths.flatMap(filesAt).flatMap((file) => {
    const [, kind] = /\.(hcl|json)$/.exec(file) ?? [];
    if (kind === undefined) {
      const hint = "extension must be .hcl or .json, or config format must be set";
      skipped(`skipping file ${file}, ${hint}`);
      return [];
    }
    return servicesOf(file, kind as ConfigFormat);
  });
}

function servicesOf(file: string, kind: ConfigFormat): Definition[] {
  const text = opening(file, () => readFileSync(file, "utf8"));
  try {
    return parseConfig(text, kind).services.map(definition);
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    throw new Failure(`Error: failed to parse ${file}: ${messageOf(failure)}`);
  }
}

function definition(body: string): Definition {
  const members = Object.entries(JSON.parse(body) as Record<string, unknown>);
  const textOf = (name: string): string => {
    const [, value] = members.find(([key]) => key.toLowerCase() === name) ?? [];
    return typeof value === "string" ? value : "";
  };
  return { id: textOf("id"), name: textOf("name"), body };
}

/** The file itself, or the files of a directory. */
function filesAt(path: string): string[] {
  return opening(path, () => {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .toSorted()
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile());
  });
}

function opening<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (failure) {
    throw new Failure(`Error: config: Open failed on ${path}. ${openError(path, failure)}`);
  }
}
