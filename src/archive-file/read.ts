// Reads an archive from its first byte to its last, and says in Consul's words what is wrong with it. What it holds is
// given on as it comes; that it is whole is known only at the end.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { blockBytes, isZero, parseTarHeader, tarPadding } from "../core/lib/tar.ts";
import { DecodeError, decodeBody } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { integer, type StructType, text } from "../core/model/schema.ts";
import { BrokenArchive, type Inflated } from "./gunzip.ts";

/** The small files: more is none of Consul's. */
const smallBytesMax = 1_048_576;
const pieceBytes = 262_144;
const decoder = new TextDecoder();

const metaSchema: StructType = {
  kind: "struct",
  goName: "raft.SnapshotMeta",
  fields: { Version: integer, ID: text, Index: integer, Term: integer, Size: integer },
};

/** What an archive says of the state that it holds. */
export interface ArchiveMeta {
  Version: number;
  ID: string;
  Index: number;
  Term: number;
  /** Of the state, in bytes. */
  Size: number;
}

/** Throws ServiceError. `taken` is given `state.bin`. */
export async function readArchive(
  archive: Inflated,
  taken: (piece: Uint8Array) => Promise<void>,
): Promise<ArchiveMeta> {
  const hashes = new Map<string, string>();
  let meta: ArchiveMeta = { Version: 0, ID: "", Index: 0, Term: 0, Size: 0 };
  let sums = "";
  try {
    for (let before = 0; ;) {
      const file = await step("failed reading snapshot", () => nextFile(archive, before));
      if (!file) break;
      const { name, size } = file;
      before = size;
      if (name === "meta.json") {
        const what = "failed to read snapshot metadata";
        const content = await step(what, () => smallFile(archive, size));
        hashes.set(name, bytesToHex(sha256(content)));
        meta = decodeMeta(content);
      } else if (name === "state.bin") {
        const what = "failed to read or write snapshot data";
        hashes.set(name, await step(what, () => stateFile(archive, size, taken)));
      } else if (name === "SHA256SUMS") {
        const what = "failed to read snapshot hashes";
        sums = decoder.decode(await step(what, () => smallFile(archive, size)));
      } else throw new BrokenArchive(`unexpected file ${JSON.stringify(name)} in snapshot`);
    }
    verify(sums, hashes);
  } catch (failure) {
    if (!(failure instanceof BrokenArchive)) throw failure;
    throw new ServiceError("invalid", `failed to read snapshot file: ${failure.message}`);
  }
  await requireEnd(archive);
  return meta;
}

/** Says what was read when it broke. */
async function step<Result>(what: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (failure) {
    if (!(failure instanceof BrokenArchive)) throw failure;
    throw new BrokenArchive(`${what}: ${failure.message}`);
  }
}

/** Null at the end. `before`: size of the file before it, whose last block is filled up. */
async function nextFile(
  archive: Inflated,
  before: number,
): Promise<{ name: string; size: number } | null> {
  await fully(archive, tarPadding(before).length);
  const block = await archive.exactly(blockBytes);
  if (block.length === 0) return null;
  if (isZero(block)) {
    const second = await archive.exactly(blockBytes);
    if (isZero(second)) return null;
    throw new BrokenArchive("archive/tar: invalid tar header");
  }
  const file = parseTarHeader(block);
  if (!file) throw new BrokenArchive("archive/tar: invalid tar header");
  return file;
}

async function smallFile(archive: Inflated, size: number): Promise<Uint8Array> {
  if (size > smallBytesMax) throw new BrokenArchive(`${size} > ${smallBytesMax} bytes`);
  return await fully(archive, size);
}

/** Its hash. */
async function stateFile(
  archive: Inflated,
  size: number,
  taken: (piece: Uint8Array) => Promise<void>,
): Promise<string> {
  const hash = sha256.create();
  for (let left = size; left > 0;) {
    const piece = await archive.some(Math.min(left, pieceBytes));
    if (piece.length === 0) throw new BrokenArchive("unexpected EOF");
    left -= piece.length;
    hash.update(piece);
    await taken(piece);
  }
  return bytesToHex(hash.digest());
}

async function fully(archive: Inflated, size: number): Promise<Uint8Array> {
  const content = await archive.exactly(size);
  if (content.length < size) throw new BrokenArchive("unexpected EOF");
  return content;
}

function decodeMeta(content: Uint8Array): ArchiveMeta {
  try {
    return decodeBody(metaSchema, decoder.decode(content), "ignore") as ArchiveMeta;
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure;
    const reason = /^(unexpected )?EOF$/.test(failure.message)
      ? "unexpected end of JSON input"
      : failure.message;
    throw new BrokenArchive(`failed to decode snapshot metadata: ${reason}`);
  }
}

/** Every file must be named with its hash, and no other. */
function verify(sums: string, hashes: ReadonlyMap<string, string>): void {
  const seen = new Set<string>();
  for (const line of sums.split("\n")) {
    if (line === "") continue;
    const [, told = "", name = ""] = /^((?:[\da-fA-F]{2})+)\s+(\S+)/.exec(line) ?? [];
    if (name === "") throw unverified(hashProblem(line));
    const hash = hashes.get(name);
    if (hash === undefined) throw unverified(`list missing hash for ${JSON.stringify(name)}`);
    if (hash !== told.toLowerCase()) {
      throw unverified(`hash check failed for ${JSON.stringify(name)}`);
    }
    seen.add(name);
  }
  for (const name of ["meta.json", "state.bin"]) {
    if (!seen.has(name)) throw unverified(`file missing for ${JSON.stringify(name)}`);
  }
}

/** As Go's scanner puts it. */
function hashProblem(line: string): string {
  const digits = /^[\da-fA-F]*/.exec(line)?.[0].length ?? 0;
  if (digits === 0) return "no hex data for %x string";
  if (digits % 2 === 1) return "illegal hex digit";
  return /^\s*$/.test(line.slice(digits))
    ? "unexpected EOF"
    : "expected space in input to match format";
}

function unverified(reason: string): BrokenArchive {
  return new BrokenArchive(`failed checking integrity of snapshot: ${reason}`);
}

/** Nothing may follow. */
async function requireEnd(archive: Inflated): Promise<void> {
  let unread = 0;
  try {
    for (;;) {
      const { length } = await archive.some(pieceBytes);
      if (length === 0) break;
      unread += length;
    }
  } catch (failure) {
    if (!(failure instanceof BrokenArchive)) throw failure;
    throw new ServiceError("invalid", failure.message);
  }
  if (unread === 0) return;
  throw new ServiceError("invalid", `${unread} unread uncompressed bytes remain`);
}
