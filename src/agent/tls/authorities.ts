// Whose certificates are trusted: those of `ca_file`, or else of every file in `ca_path`, with Consul's words when they
// cannot be read.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { openError } from "../go-reasons.ts";

export interface AuthorityFiles {
  readonly caFile: string;
  readonly caPath: string;
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Certificates in PEM, one each; none when none are configured. Throws an Error. */
export function readAuthorities({ caFile, caPath }: AuthorityFiles): string[] {
  if (caFile !== "") return certificatesIn(caFile);
  if (caPath === "") return [];
  const found = filesUnder(caPath).flatMap(certificatesIn);
  if (found.length === 0) throw new Error("Error loading from CAPath: no CAs found");
  return found;
}

function certificatesIn(file: string): string[] {
  try {
    return [...readFileSync(file, "utf8").matchAll(certificatePattern)].map(([pem]) => pem);
  } catch (failure) {
    throw new Error(`Error loading from ${file}: ${openError(file, failure)}`, { cause: failure });
  }
}

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  } catch (failure) {
    const why = openError(folder, failure);
    throw new Error(`Error loading from CAPath: ${why}`, { cause: failure });
  }
}
