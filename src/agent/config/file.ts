// Finds and reads configuration files: a file by its extension or the given format, a directory by its `.hcl` and
// `.json` files in alphabetical order. What is no such file is passed over with a warning.

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "./errors.ts";
import { parseConfig, type Fragment } from "./parse.ts";
import type { ConfigFormat } from "./values.ts";

/** Longer files hold something else. */
const fileBytesMax = 8 * 1024 * 1024;

/** Messages repeat what they do not understand, which may be most of a file. */
const messageMax = 16 * 1024;

export interface FilesRead {
  fragments: Fragment[];
  /** About files that were passed over. */
  warnings: string[];
}

/** Reads files and directories in the given order. Throws ConfigError naming the file. */
export function readConfigFiles(paths: readonly string[], format: string): FilesRead {
  if (format !== "" && !isFormat(format)) {
    throw new ConfigError("config: -config-format must be either 'hcl' or 'json'");
  }
  const read: FilesRead = { fragments: [], warnings: [] };
  for (const file of paths.flatMap(filesAt)) {
    const kind = format === "" ? (/\.(hcl|json)$/.exec(file)?.[1] ?? "") : format;
    if (isFormat(kind)) read.fragments.push(parseFile(file, kind));
    else {
      const hint = "extension must be .hcl or .json, or config format must be set";
      read.warnings.push(`skipping file ${file}, ${hint}`);
    }
  }
  return read;
}

/** What `-hcl` gave. `number`: 0 for the first of them. */
export function readFragment(text: string, number: number): Fragment {
  return naming(`flags-${number}.hcl`, () => parseConfig(text, "hcl"));
}

function isFormat(text: string): text is ConfigFormat {
  return text === "hcl" || text === "json";
}

function parseFile(file: string, format: ConfigFormat): Fragment {
  const text = opening(file, () => readText(file));
  return naming(file, () => parseConfig(text, format));
}

function naming<Result>(source: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`failed to parse ${source}: ${error.message.slice(0, messageMax)}`);
  }
}

/** At most as much as there may be, because devices and pipes tell no size. */
function readText(file: string): string {
  const opened = openSync(file, "r");
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.alloc(64 * 1024);
      const count = readSync(opened, chunk);
      if (count === 0) return Buffer.concat(chunks).toString("utf8");
      length += count;
      if (length > fileBytesMax) {
        throw new ConfigError(`config: ${file} is longer than ${fileBytesMax} bytes`);
      }
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(opened);
  }
}

/** The file itself, or the files of a directory; directories inside it are not looked into. */
function filesAt(path: string): string[] {
  if (!opening(path, () => statSync(path)).isDirectory()) return [path];
  return opening(path, () => readdirSync(path))
    .toSorted()
    .map((name) => join(path, name))
    .filter((file) => !opening(file, () => statSync(file)).isDirectory());
}

const reasons: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ELOOP: "too many levels of symbolic links",
};

function opening<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ""] ?? message;
    throw new ConfigError(`config: Open failed on ${path}. open ${path}: ${reason}`);
  }
}
