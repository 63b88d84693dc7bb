// The agent's own certificate: read from two files, held against each other, and read again when the agent is told to.
// Whoever serves TLS takes what is current and is told when there is another one.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import type { TlsConfig } from "./config/types.ts";

/** PEM. */
export interface KeyPair {
  /** The certificate, and those between it and its root. */
  cert: string;
  key: string;
}

export class Certificate {
  readonly #listeners: ((pair: KeyPair) => void)[] = [];
  #current: KeyPair;

  /** Throws an Error with Consul's text when there is no usable pair. */
  constructor(files: TlsConfig) {
    this.#current = readKeyPair(files);
  }

  get current(): KeyPair {
    return this.#current;
  }

  /** Connections that are open keep what they began with. Throws as the constructor does, and changes nothing then. */
  reload(files: TlsConfig): void {
    this.#current = readKeyPair(files);
    for (const listener of this.#listeners) listener(this.#current);
  }

  listen(listener: (pair: KeyPair) => void): void {
    this.#listeners.push(listener);
  }
}

function readKeyPair({ certFile, keyFile }: TlsConfig): KeyPair {
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

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (failure) {
    const { code = "", message } = failure as NodeJS.ErrnoException;
    if (code === "EISDIR") throw new Error(`read ${file}: is a directory`, { cause: failure });
    throw new Error(`open ${file}: ${reasons[code] ?? message}`, { cause: failure });
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
