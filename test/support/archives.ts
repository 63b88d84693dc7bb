// Archives of Consul taken apart and put together, without the code under test but for MessagePack and tar headers.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { type Packed, Packer, Unpacker } from "../../src/core/lib/msgpack.ts";
import { blockBytes, tarEnd, tarHeader, tarPadding } from "../../src/core/lib/tar.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { OpenArchive } from "../../src/core/state/archive/archives.ts";

/** What Consul 1.8.7 saved: of a datacenter that has something of everything, and of a secondary one with Connect. */
export function foreignArchive(name: "archive" | "secondary" = "archive"): Uint8Array {
  return readFileSync(join(import.meta.dirname, `../fixtures/consul-1.8.7/${name}.tgz`));
}

export type Files = readonly (readonly [name: string, content: Uint8Array])[];

export function filesOf(archive: Uint8Array): Map<string, Uint8Array> {
  const tar = gunzipSync(archive);
  const files = new Map<string, Uint8Array>();
  for (let at = 0; tar[at] !== 0 && at < tar.length;) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*/s, "");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    files.set(name, tar.subarray(at + blockBytes, at + blockBytes + size));
    at += blockBytes + Math.ceil(size / blockBytes) * blockBytes;
  }
  return files;
}

export function stateOf(archive: Uint8Array): Uint8Array {
  return filesOf(archive).get("state.bin") ?? new Uint8Array(0);
}

export function tarOf(files: Files): Uint8Array {
  const parts = files.flatMap(([name, content]) => [
    ...[tarHeader(name, content.length, 0), content, tarPadding(content.length)],
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

export function sumsOf(files: Files): Uint8Array {
  const lines = files.map(([name, content]) => {
    return `${createHash("sha256").update(content).digest("hex")}  ${name}\n`;
  });
  return Buffer.from(lines.join(""));
}

/** Gzip over tar over these files, and their hashes. */
export function archiveOf(files: Files, sums = sumsOf(files)): Uint8Array {
  return gzipSync(tarOf([...files, ["SHA256SUMS", sums]]));
}

/** An archive that is whole, whatever its state says. */
export function archiveOfState(state: Uint8Array, meta: object = {}): Uint8Array {
  const content = JSON.stringify({ Version: 1, ID: "x", Index: 1, Size: state.length, ...meta });
  return archiveOf([
    ["meta.json", Buffer.from(content)],
    ["state.bin", state],
  ]);
}

export interface ArchiveRecord {
  type: number;
  body: JsonValue;
}

/** The records after the header, as JSON: bytes that are no text are written in hex. */
export function recordsOf(state: Uint8Array): ArchiveRecord[] {
  const unpacker = new Unpacker(state);
  unpacker.value();
  const records: ArchiveRecord[] = [];
  while (!unpacker.isAtEnd) {
    const type = unpacker.byte();
    const body = unpacker.value();
    const isBytes = type === configEntryType && body instanceof Uint8Array;
    records.push({ type, body: isBytes ? configEntryOf(body) : plain(body) });
  }
  return records;
}

const configEntryType = 22;

/** Its kind, and what is said of it, which is bytes once more for one kind. */
function configEntryOf(bytes: Uint8Array): JsonValue {
  const unpacker = new Unpacker(bytes);
  const kind = plain(unpacker.value());
  const request = unpacker.value() as Map<string, Packed>;
  const entry = request.get("Entry");
  if (entry instanceof Uint8Array) request.set("Entry", new Unpacker(entry).value());
  return [kind, plain(request)];
}

/** Where each record begins, and the end. */
export function recordPlaces(state: Uint8Array): number[] {
  const unpacker = new Unpacker(state);
  unpacker.skip();
  const places: number[] = [];
  while (!unpacker.isAtEnd) {
    places.push(unpacker.at);
    unpacker.byte();
    unpacker.skip();
  }
  return [...places, unpacker.at];
}

export function savedBytes(archive: OpenArchive): Uint8Array {
  const packer = new Packer();
  for (const write of archive.records()) write(packer);
  return packer.take();
}

function plain(packed: Packed): JsonValue {
  if (packed instanceof Uint8Array) return textOf(packed);
  if (typeof packed === "bigint") return packed.toString();
  if (Array.isArray(packed)) return packed.map(plain);
  if (packed instanceof Map) {
    return Object.fromEntries([...packed].map(([name, value]) => [name, plain(value)]));
  }
  return packed;
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : `hex:${Buffer.from(bytes).toString("hex")}`;
}
