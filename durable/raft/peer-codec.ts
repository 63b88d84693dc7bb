// Raft messages as bytes. An envelope is: version (1 byte), length of the header (4 bytes), the header (JSON list
// of messages, binary fields replaced by their lengths), then the binary fields in order. A peer accepts the
// version before its own.

import type { Entry, Message } from "../../src/core/raft/types.ts";
import { packEntries, unpackEntries } from "./entry-codec.ts";
import { checkedMessage } from "./message-shapes.ts";

export const envelopeVersion = 1;
const versionsAccepted = new Set([envelopeVersion]);
const prefixBytes = 5;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Fields = Record<string, unknown>;

export function encodeMessages(messages: readonly Message[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let partsSize = 0;
  const add = (bytes: Uint8Array): number => {
    parts.push(bytes);
    partsSize += bytes.length;
    return bytes.length;
  };
  const heads = messages.map((message) => {
    const head: Fields = { ...message };
    for (const [name, value] of Object.entries(message)) {
      if (value instanceof Uint8Array) head[name] = { bytes: add(value) };
      else if (name === "entries") head[name] = { entries: add(packEntries(value as Entry[])) };
    }
    return head;
  });
  const header = encoder.encode(JSON.stringify(heads));
  const envelope = new Uint8Array(prefixBytes + header.length + partsSize);
  const view = new DataView(envelope.buffer);
  view.setUint8(0, envelopeVersion);
  view.setUint32(1, header.length);
  envelope.set(header, prefixBytes);
  let at = prefixBytes + header.length;
  for (const part of parts) {
    envelope.set(part, at);
    at += part.length;
  }
  return envelope;
}

/**
 * Throws RangeError, SyntaxError, TypeError or AssertionError on anything that {@link encodeMessages} of an accepted
 * version cannot have made.
 */
export function decodeMessages(envelope: Uint8Array): Message[] {
  if (envelope.length < prefixBytes) throw new RangeError("peer envelope is too short");
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  const version = view.getUint8(0);
  if (!versionsAccepted.has(version)) throw new RangeError(`peer envelope version ${version}`);
  let at = prefixBytes + view.getUint32(1);
  const heads = JSON.parse(decoder.decode(envelope.subarray(prefixBytes, at))) as Fields[];
  if (!Array.isArray(heads)) throw new TypeError("peer envelope holds no list");
  const take = (length: unknown): Uint8Array => {
    if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) {
      throw new RangeError("peer envelope has a field without a length");
    }
    if (at + length > envelope.length) throw new RangeError("peer envelope ends inside a field");
    at += length;
    return envelope.subarray(at - length, at);
  };
  const messages = heads.map((head) => {
    for (const [name, value] of Object.entries(head)) {
      if (typeof value !== "object" || value === null) continue;
      if ("entries" in value) head[name] = unpackEntries(take(value.entries));
      else if ("bytes" in value) head[name] = take(value.bytes);
    }
    return checkedMessage(head);
  });
  if (at !== envelope.length) throw new RangeError("peer envelope goes on after its last field");
  return messages;
}
