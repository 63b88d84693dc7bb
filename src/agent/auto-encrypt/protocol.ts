// What an agent that has only authorities to trust asks a server at its port, by TLS: a certificate of its own, as
// `auto_encrypt` says. First who the trust domain is, for the request names it, then for the certificate.

import { isRecord } from "../../core/lib/record.ts";

export const autoEncryptPath = "/auto-encrypt";
/** Of a question. */
export const questionBytesMax = 16_384;

export interface AutoEncryptQuestion {
  /** Request for a certificate. PEM; "" asks for the trust domain only. */
  csr: string;
}

export interface AutoEncryptAnswer {
  trustDomain: string;
  /** The certificate, and those between it and its root. PEM; "" where none was asked for. */
  certificate: string;
  validAfter: string;
  validBefore: string;
  /** Of the authority that signed it. PEM, one each. */
  roots: string[];
  /** Servers are to be believed only under their name. */
  verifyServerHostname: boolean;
}

/** Null for what is no question. */
export function decodeQuestion(text: string): AutoEncryptQuestion | null {
  const csr = fieldsOf(text)?.csr;
  return typeof csr === "string" ? { csr } : null;
}

/** Null for what is no answer. */
export function decodeAnswer(text: string): AutoEncryptAnswer | null {
  const fields = fieldsOf(text);
  if (!fields) return null;
  const { trustDomain, certificate, validAfter, validBefore, roots } = fields;
  const isText = [trustDomain, certificate, validAfter, validBefore].every(
    (value) => typeof value === "string",
  );
  const areRoots = Array.isArray(roots) && roots.every((root) => typeof root === "string");
  return isText && areRoots ? (fields as unknown as AutoEncryptAnswer) : null;
}

function fieldsOf(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
