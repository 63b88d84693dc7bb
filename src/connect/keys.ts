// Private keys: made, read from what people have, written as Go writes them. WebCrypto only, so that it runs in
// Workers as on hosts.

import { limits } from "../core/model/limits.ts";
import { decodePem, encodePem } from "./pem.ts";
import { KeyFormatError, pkcs8OfPkcs1, pkcs8OfSec1, readPkcs8, traditionalKey } from "./der.ts";
import type { Pkcs8 } from "./der.ts";

export { KeyFormatError } from "./der.ts";

/** One half of a pair. Node's types and Workers' have it under different names. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A key's numbers, in base64url. */
interface Jwk {
  kty: string;
  /** Modulus of an RSA key. */
  n?: string;
}

/** Members of a JWK that everybody may know. */
const openMembers = new Set(["kty", "crv", "x", "y", "n", "e"]);

/** What `crypto.subtle` works with. */
export interface SigningKey {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  algorithm: KeyAlgorithm;
  type: "ec" | "rsa";
  bits: number;
}

export type KeyAlgorithm =
  | { name: "ECDSA"; namedCurve: string; hash: "SHA-256" }
  | { name: "RSASSA-PKCS1-v1_5"; hash: "SHA-256" };

const curveByBits: Readonly<Record<number, string>> = { 256: "P-256", 384: "P-384", 521: "P-521" };
const publicExponent = Uint8Array.of(1, 0, 1);

/** Makes a key. Throws KeyFormatError for a size that no WebCrypto has. */
export async function generateKey(type: "ec" | "rsa", bits: number): Promise<SigningKey> {
  const curve = curveByBits[bits];
  if (type === "ec" && curve === undefined) {
    throw new KeyFormatError(`elliptic curves of ${bits} bits are not available`);
  }
  const algorithm = algorithmOf(type, curve ?? "");
  const parameters =
    type === "ec" ? algorithm : { ...algorithm, modulusLength: bits, publicExponent };
  const pair = (await crypto.subtle.generateKey(parameters, true, ["sign", "verify"])) as {
    privateKey: CryptoKey;
    publicKey: CryptoKey;
  };
  return { ...pair, algorithm, type, bits };
}

/** Reads a key from PEM. Throws KeyFormatError, whose message holds nothing of the text. */
export async function importKey(pem: string): Promise<SigningKey> {
  const pkcs8 = pkcs8Of(pem);
  const algorithm = algorithmOf(pkcs8.type, pkcs8.curve);
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8.bytes, algorithm, true, [
      "sign",
    ]);
    const jwk = (await crypto.subtle.exportKey("jwk", privateKey)) as unknown as Jwk;
    const open = Object.fromEntries(
      Object.entries(jwk).filter(([name]) => openMembers.has(name)),
    ) as unknown as Jwk;
    const publicKey = await crypto.subtle.importKey("jwk", open, algorithm, true, ["verify"]);
    return { privateKey, publicKey, algorithm, type: pkcs8.type, bits: bitsOf(pkcs8, jwk) };
  } catch {
    throw new KeyFormatError("the key cannot be used");
  }
}

/** As Go writes it: `EC PRIVATE KEY` or `RSA PRIVATE KEY`. */
export async function exportKey({ privateKey, type }: SigningKey): Promise<string> {
  const bytes = new Uint8Array((await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer);
  const key = traditionalKey({ bytes, type, curve: "" });
  return encodePem(type === "ec" ? "EC PRIVATE KEY" : "RSA PRIVATE KEY", key);
}

function pkcs8Of(pem: string): Pkcs8 {
  if (pem.length > limits.pemLengthMax) throw new KeyFormatError("the text is too long");
  const block = decodePem(pem);
  if (!block) throw new KeyFormatError("no PEM-encoded data found");
  switch (block.type) {
    case "EC PRIVATE KEY":
      return pkcs8OfSec1(block.bytes);
    case "RSA PRIVATE KEY":
      return pkcs8OfPkcs1(block.bytes);
    case "PRIVATE KEY":
      return readPkcs8(block.bytes);
  }
  throw new KeyFormatError(`unknown PEM block type for signing key: ${block.type}`);
}

function algorithmOf(type: "ec" | "rsa", curve: string): KeyAlgorithm {
  return type === "ec"
    ? { name: "ECDSA", namedCurve: curve, hash: "SHA-256" }
    : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
}

function bitsOf({ type, curve }: Pkcs8, { n = "" }: Jwk): number {
  if (type === "ec") return Number(curve.slice(2));
  return Math.floor((n.length * 6) / 8) * 8;
}
