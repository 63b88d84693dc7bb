// A state as an archive: gzip over tar over `meta.json`, `state.bin`, and the hashes of both.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { encodeBase64 } from "../../core/lib/base64.ts";
import { Packer } from "../../core/lib/msgpack.ts";
import { tarEnd, tarHeader, tarPadding } from "../../core/lib/tar.ts";
import type { SavedState } from "../../ports/cluster.ts";

const encoder = new TextEncoder();
/** Of the group, which knows its members from its first entry on. */
const configurationIndex = 1;
const suffrages = { voter: 0, nonvoter: 1 };

/** The archive, made as it is read. `state` is closed whatever comes. */
export function archiveOf(state: SavedState, nowMs: number): ReadableStream<Uint8Array> {
  const parts = partsOf(state, nowMs);
  const tar = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const { value, done = false } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: () => state.close(),
    },
    { highWaterMark: 0 },
  );
  return tar.pipeThrough(new CompressionStream("gzip"));
}

async function* partsOf(state: SavedState, nowMs: number): AsyncGenerator<Uint8Array> {
  const meta = encoder.encode(`${JSON.stringify(metaOf(state, nowMs))}\n`);
  yield* small("meta.json", meta, nowMs);
  yield tarHeader("state.bin", state.bytes, nowMs);
  const hash = sha256.create();
  for await (const chunk of state.chunks()) {
    hash.update(chunk);
    yield chunk;
  }
  yield tarPadding(state.bytes);
  const lines = [
    `${bytesToHex(sha256(meta))}  meta.json\n`,
    `${bytesToHex(hash.digest())}  state.bin\n`,
  ];
  yield* small("SHA256SUMS", encoder.encode(lines.join("")), nowMs);
  yield tarEnd;
}

function* small(name: string, content: Uint8Array, nowMs: number): Generator<Uint8Array> {
  yield tarHeader(name, content.length, nowMs);
  yield content;
  yield tarPadding(content.length);
}

function metaOf({ index, term, servers, bytes }: SavedState, nowMs: number) {
  return {
    Version: 1,
    ID: `${term}-${index}-${nowMs}`,
    Index: index,
    Term: term,
    Peers: peersOf(servers.map(({ address }) => address)),
    Configuration: {
      Servers: servers.map(({ id, address, voter }) => ({
        Suffrage: voter ? suffrages.voter : suffrages.nonvoter,
        ID: id,
        Address: address,
      })),
    },
    ConfigurationIndex: configurationIndex,
    Size: bytes,
  };
}

/** As Raft wrote them before there were configurations. */
function peersOf(addresses: readonly string[]): string {
  const packer = new Packer();
  packer.list(addresses.length);
  for (const address of addresses) packer.text(address);
  return encodeBase64(packer.take());
}
