// The agent's own certificate and its key: read from two files and held against each other.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import type { TlsConfig } from "../config/tls.ts";
import { openError } from "../go-reasons.ts";

type PairFiles = Pick<TlsConfig, "certFile" | "keyFile">;

/** PEM. */
export interface KeyPair {
  /** The certificate, and those between it and its root. */
  cert: string;
  key: string;
}

/** Throws an Error with Consul's text. */
export function readKeyPair({ certFile, keyFile }: PairFiles): KeyPair {
  try {
    const cert = readText(certFile);
    const key = readText(keyFile);
    const problem = problemOf(cert, key);
    if (problem !== null) throw new Error(`tls: ${problem}`);
    return { cert, key };
  } catch (failure) {
    throw new Error(`Failed to load cert/key pair: ${(failure as Error).message}`, {
      cause: failure,
    });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (failure) {
    throw new Error(openError(file, failure), { cause: failure });
  }
}

/** In the words of Go, as Consul shows them. */
function problemOf(cert: string, key: string): string | null {
  if (!cert.includes("-----BEGIN ")) return "failed to find any PEM data in certificate input";
  if (!key.includes("-----BEGIN ")) return "failed to find any PEM data in key input";
  const certificate = orNull(() => new X509Certificate(cert));
  if (!certificate) return "failed to parse certificate";
  const privateKey: KeyObject | null = orNull(() => createPrivateKey(key));
  if (!privateKey) return "failed to parse private key";
  return certificate.checkPrivateKey(privateKey) ? null : "private key does not match public key";
}

function orNull<Value>(make: () => Value): Value | null {
  try {
    return make();
  } catch {
    return null;
  }
}
