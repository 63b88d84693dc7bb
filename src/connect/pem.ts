// PEM as Go reads and writes it.

import { decodeBase64, encodeBase64 } from "../core/lib/base64.ts";

export interface PemBlock {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The first block of a text; null when there is none. */
export function decodePem(text: string): PemBlock | null {
  const [begin, type] = /-----BEGIN ([A-Z0-9 ]{1,64})-----/.exec(text) ?? [];
  if (begin === undefined || type === undefined) return null;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(`-----END ${type}-----`, from);
  const body = text.slice(from, Math.max(from, to)).replaceAll(/\s/g, "");
  if (to < 0 || body.length % 4 > 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return null;
  return { type, bytes: new Uint8Array(decodeBase64(body)) };
}

/** Lines of 64 characters, the last one ended, too. */
export function encodePem(type: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join("\n")}\n-----END ${type}-----\n`;
}
