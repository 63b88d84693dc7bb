// A directory as a compressed archive, which takes its place.

import {
  createWriteStream,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { tarEnd, tarHeader, tarPadding } from "../../../core/lib/tar.ts";
import { Failure, messageOf } from "../../command.ts";

/** A header has no room for more. */
const nameBytesMax = 100;

/** Writes `file`, and removes `directory`. Throws Failure when it cannot; the directory stays then. */
export async function archiveDirectory(directory: string, file: string): Promise<void> {
  const unfinished = `${file}.tmp`;
  try {
    const entries = Readable.from(archived(directory));
    await pipeline(entries, createGzip(), createWriteStream(unfinished, { mode: 0o600 }));
    renameSync(unfinished, file);
  } catch (failure) {
    rmSync(unfinished, { force: true });
    throw new Failure(`Archive creation failed: ${messageOf(failure)}`);
  }
  rmSync(directory, { recursive: true });
}

function* archived(directory: string): Generator<Uint8Array> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
  for (const name of files) {
    const path = join(directory, name);
    const about = statSync(path);
    if (!about.isFile()) continue;
    const inside = `${basename(directory)}/${name}`;
    if (Buffer.byteLength(inside) > nameBytesMax) throw new Error(`${inside}: name is too long`);
    const content = readFileSync(path);
    yield tarHeader(inside, content.length, about.mtimeMs);
    yield content;
    yield tarPadding(content.length);
  }
  yield tarEnd;
}
