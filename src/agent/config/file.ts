// Finds and reads configuration files: a file by its extension or the given format, a directory by
// its `.json` files in alphabetical order. HCL is not read yet, and says so.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "./errors.ts";
import { parseJsonConfig, type Fragment } from "./parse.ts";

export interface FilesRead {
  fragments: Fragment[];
  /** About files that were passed over. */
  warnings: string[];
}

/** Reads files and directories in the given order. Throws ConfigError naming the file. */
export function readConfigFiles(paths: readonly string[], format: string): FilesRead {
  if (format !== "" && format !== "hcl" && format !== "json") {
    throw new ConfigError("config: -config-format must be either 'hcl' or 'json'");
  }
  const read: FilesRead = { fragments: [], warnings: [] };
  for (const file of paths.flatMap(filesAt)) {
    const kind = format === "" ? (/\.(hcl|json)$/.exec(file)?.[1] ?? "") : format;
    if (kind === "") {
      const hint = "extension must be .hcl or .json, or config format must be set";
      read.warnings.push(`skipping file ${file}, ${hint}`);
      continue;
    }
    if (kind === "hcl") {
      throw new ConfigError(`failed to parse ${file}: HCL is not supported yet, use JSON`);
    }
    read.fragments.push(parseFile(file));
  }
  return read;
}

function parseFile(file: string): Fragment {
  const text = opening(file, () => readFileSync(file, "utf8"));
  try {
    return parseJsonConfig(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`failed to parse ${file}: ${error.message}`);
  }
}

/** The file itself, or the files of a directory; directories inside it are not looked into. */
function filesAt(path: string): string[] {
  return opening(path, () => {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .toSorted()
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile());
  });
}

const reasons: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};

function opening<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ""] ?? message;
    throw new ConfigError(`config: Open failed on ${path}. open ${path}: ${reason}`);
  }
}
