// As much of DER as it takes to carry a private key from the forms that people have (SEC 1, PKCS #1) to the one that
// WebCrypto reads (PKCS #8), and back to those that Go writes.

import { joinBytes } from "../core/lib/bytes.ts";

export const sequence = 0x30;
const integer = 0x02;
const octetString = 0x04;
const objectId = 0x06;
const ecParameters = 0xa0;
const ecPublicKey = 0xa1;

/** 1.2.840.10045.2.1 and 1.2.840.113549.1.1.1, as DER has them. */
const ecAlgorithm = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
const rsaAlgorithm = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
const nothing = Uint8Array.of(0x05, 0x00);

/** Curves by their object id in hex. */
const curves: Readonly<Record<string, string>> = {
  "2a8648ce3d030107": "P-256",
  "2b81040022": "P-384",
  "2b81040023": "P-521",
};

/** Bytes that are no DER, or no private key. */
export class KeyFormatError extends Error {
  override name = "KeyFormatError";
}

export interface Element {
  tag: number;
  /** What stands in it. */
  content: Uint8Array<ArrayBuffer>;
  /** With its tag and length. */
  whole: Uint8Array<ArrayBuffer>;
}

/** A key as WebCrypto reads it, and what it is. */
export interface Pkcs8 {
  bytes: Uint8Array<ArrayBuffer>;
  type: "ec" | "rsa";
  /** Of an elliptic curve. */
  curve: string;
}

/** Reads PKCS #8. Throws KeyFormatError. */
export function readPkcs8(bytes: Uint8Array<ArrayBuffer>): Pkcs8 {
  const [, algorithm] = childrenOf(single(bytes, sequence));
  const [name, parameters] = algorithm ? childrenOf(algorithm.content) : [];
  if (name && equal(name.content, rsaAlgorithm)) return { bytes, type: "rsa", curve: "" };
  if (!name || !equal(name.content, ecAlgorithm)) throw new KeyFormatError("invalid key type");
  return { bytes, type: "ec", curve: curveOf(parameters) };
}

/** Wraps what stands in `EC PRIVATE KEY`. Throws KeyFormatError. */
export function pkcs8OfSec1(sec1: Uint8Array<ArrayBuffer>): Pkcs8 {
  const parameters = childrenOf(single(sec1, sequence)).find(({ tag }) => tag === ecParameters);
  const [curve] = parameters ? childrenOf(parameters.content) : [];
  const name = curveOf(curve);
  const algorithm = [element(objectId, ecAlgorithm), curve?.whole ?? nothing];
  return { bytes: wrap(algorithm, sec1), type: "ec", curve: name };
}

/** Wraps what stands in `RSA PRIVATE KEY`. */
export function pkcs8OfPkcs1(pkcs1: Uint8Array<ArrayBuffer>): Pkcs8 {
  single(pkcs1, sequence);
  const algorithm = [element(objectId, rsaAlgorithm), nothing];
  return { bytes: wrap(algorithm, pkcs1), type: "rsa", curve: "" };
}

/** The key inside PKCS #8, as `RSA PRIVATE KEY` or, with the name of its curve, `EC PRIVATE KEY` has it. */
export function traditionalKey({ bytes, type }: Pkcs8): Uint8Array<ArrayBuffer> {
  const [, algorithm, key] = childrenOf(single(bytes, sequence));
  if (!algorithm || !key) throw new KeyFormatError("no private key");
  if (type === "rsa") return key.content;
  const [, curve] = childrenOf(algorithm.content);
  const parts = childrenOf(single(key.content, sequence));
  const [version, scalar] = parts;
  if (!version || !scalar || !curve) throw new KeyFormatError("no private key");
  const publicKey = parts.filter(({ tag }) => tag === ecPublicKey).map(({ whole }) => whole);
  const parameters = element(ecParameters, curve.whole);
  return element(sequence, joinBytes([version.whole, scalar.whole, parameters, ...publicKey]));
}

function wrap(
  algorithm: Uint8Array<ArrayBuffer>[],
  key: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const version = element(integer, Uint8Array.of(0));
  const parts = [version, element(sequence, joinBytes(algorithm)), element(octetString, key)];
  return element(sequence, joinBytes(parts));
}

function curveOf(oid: Element | undefined): string {
  const hex = Array.from(oid?.content ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
  const curve = Object.hasOwn(curves, hex) ? curves[hex] : undefined;
  if (curve === undefined) throw new KeyFormatError("unknown elliptic curve");
  return curve;
}

/** The content of the one element that the bytes are. Throws KeyFormatError. */
export function single(bytes: Uint8Array<ArrayBuffer>, tag: number): Uint8Array<ArrayBuffer> {
  const [only, ...more] = childrenOf(bytes);
  if (!only || more.length > 0 || only.tag !== tag) throw new KeyFormatError("malformed key");
  return only.content;
}

/** The elements side by side in the bytes. Throws KeyFormatError. */
export function childrenOf(bytes: Uint8Array<ArrayBuffer>): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    let start = at + 2;
    if (length > 0x80) {
      const count = length & 0x7f;
      if (count > 3) throw new KeyFormatError("malformed key");
      length = bytes.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
      start += count;
    } else if (length === 0x80) throw new KeyFormatError("malformed key");
    const end = start + length;
    if (end > bytes.length) throw new KeyFormatError("malformed key");
    found.push({ tag, content: bytes.slice(start, end), whole: bytes.slice(at, end) });
    at = end;
  }
  return found;
}

/** A tag, a length, the content. */
export function element(tag: number, content: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { length } = content;
  const sizes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return joinBytes([Uint8Array.of(tag, ...sizes), content]);
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
