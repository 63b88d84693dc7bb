// Archives of the whole state as files: looked at as the servers look at them.

import { closeSync, createReadStream, openSync } from "node:fs";
import { Readable } from "node:stream";

import { gunzip } from "../archive-file/gunzip.ts";
import { type ArchiveMeta, readArchive } from "../archive-file/read.ts";
import { ServiceError } from "../core/model/errors.ts";
import { Failure } from "./command.ts";
import { openError } from "../agent/go-reasons.ts";

/** Throws Failure when a file cannot be opened, in Consul's words. */
export function requireOpens(path: string): void {
  try {
    closeSync(openSync(path, "r"));
  } catch (failure) {
    throw new Failure(`Error opening snapshot file: ${openError(path, failure)}`);
  }
}

/** Reads all of it and gives what it says of itself. Throws Failure, with `what` was tried, when it is not whole. */
export async function verified(path: string, what: string): Promise<ArchiveMeta> {
  const file = createReadStream(path);
  try {
    const bytes = Readable.toWeb(file) as unknown as ReadableStream<Uint8Array>;
    const archive = await gunzip(bytes, Number.POSITIVE_INFINITY, (size) => {
      throw new Error(`${size} bytes`);
    });
    return await readArchive(archive, () => Promise.resolve());
  } catch (failure) {
    if (failure instanceof ServiceError) throw new Failure(`${what}: ${failure.message}`);
    const reason = openError(path, failure);
    throw new Failure(`${what}: failed to decompress snapshot: ${reason}`);
  } finally {
    file.destroy();
  }
}

/** The one argument of all these commands. Throws Failure. */
export function fileFrom(args: readonly string[]): string {
  const [file] = args;
  if (file === undefined || file === "") throw new Failure("Missing FILE argument");
  if (args.length > 1) throw new Failure(`Too many arguments (expected 1, got ${args.length})`);
  return file;
}
