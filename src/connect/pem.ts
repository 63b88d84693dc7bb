// PEM as Go reads and writes it.

import { decodeBase64, encodeBase64 } from "../core/lib/base64.ts";

export interface PemBlock {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const blockPattern = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)\s*-----END \1-----/;

/** The first block of a text; null when there is none. */
export function decodePem(text: string): PemBlock | null {
  const [, type, body = ""] = blockPattern.exec(text) ?? [];
  if (type === undefined) return null;
  return { type, bytes: new Uint8Array(decodeBase64(body.replaceAll(/\s/g, ""))) };
}

/** Lines of 64 characters, the last one ended, too. */
export function encodePem(type: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join("\n")}\n-----END ${type}-----\n`;
}
