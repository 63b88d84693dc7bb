// Keys that signatures of tokens are held against, and nothing else: public ones, whatever they are wrapped in. What a
// token says of itself decides which of them are tried, never what counts as a key.

import { compactVerify, importJWK, importSPKI, importX509, type JWK } from "jose";

import { decodePem, encodePem } from "../../../src/connect/pem.ts";
import type { Jws } from "./jws.ts";

/** Signatures with secrets shared by both sides are none, and `none` is not either. */
export const signatureAlgorithms: readonly string[] = [
  ...["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"],
];

type Imported = Awaited<ReturnType<typeof importJWK>>;

export interface PublicKey {
  /** "" for none. */
  id: string;
  /** Rejects when the key is not of a kind that signs so. */
  importFor(algorithm: string): Promise<Imported>;
}

/** Of a public key or a certificate (PEM); null when it is neither. */
export async function publicKeyOf(pem: string): Promise<PublicKey | null> {
  const block = decodePem(pem);
  if (!block) return null;
  const isWrapped = block.type === "CERTIFICATE";
  const text = encodePem(isWrapped ? block.type : "PUBLIC KEY", block.bytes);
  const key: PublicKey = {
    id: "",
    importFor: (algorithm) =>
      isWrapped ? importX509(text, algorithm) : importSPKI(text, algorithm),
  };
  return (await isUsable(key)) ? key : null;
}

export async function isCertificate(pem: string): Promise<boolean> {
  return decodePem(pem)?.type === "CERTIFICATE" && (await publicKeyOf(pem)) !== null;
}

async function isUsable(key: PublicKey): Promise<boolean> {
  for (const algorithm of ["RS256", "ES256", "ES384", "ES512", "EdDSA"]) {
    try {
      await key.importFor(algorithm);
      return true;
    } catch {
      // It is of another kind.
    }
  }
  return false;
}

/** Of a JSON Web Key Set; private and shared keys in it are no keys here. */
export function publicKeysOf(set: unknown, countMax: number): PublicKey[] {
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) return [];
  return keys.slice(0, countMax).flatMap((given: unknown): PublicKey[] => {
    if (typeof given !== "object" || given === null) return [];
    const { kid, kty, n, e, crv, x, y } = given as Record<string, unknown>;
    if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") return [];
    const shown = { kty, n, e, crv, x, y };
    const jwk = Object.fromEntries(
      Object.entries(shown).filter(([, value]) => typeof value === "string"),
    ) as JWK;
    return [
      {
        id: typeof kid === "string" ? kid : "",
        importFor: (algorithm) => importJWK({ ...jwk, alg: algorithm }, algorithm),
      },
    ];
  });
}

/** Whether one of the keys has signed the token, by one of the algorithms. */
export async function isSignedBy(
  { compact, algorithm, isCritical }: Jws,
  keys: readonly PublicKey[],
  algorithms: readonly string[],
): Promise<boolean> {
  if (isCritical || !algorithms.includes(algorithm)) return false;
  for (const key of keys) {
    try {
      await compactVerify(compact, await key.importFor(algorithm), { algorithms: [algorithm] });
      return true;
    } catch {
      // Not by this one: it is of another kind, or it has not signed this.
    }
  }
  return false;
}
