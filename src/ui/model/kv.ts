// Keys and values: what the API writes as base64, and paths by which a key can be asked for.

import type { Body } from "../../client/index.ts";

export interface KeyRow extends Omit<KeyPair, "Flags"> {
  /** Text where it is too large for a number. */
  Flags: number | string;
}

type KeyPair = Body<"/v1/kv/{key}", "GET">[number];

export type Value =
  | { kind: "text"; text: string; bytes: number }
  /** Bytes that are no text in UTF-8. */
  | { kind: "binary"; data: Uint8Array<ArrayBuffer>; bytes: number };

/** `base64`: as the API has it; null for none. */
export function valueOf(base64: string | null): Value {
  const data = Uint8Array.from(atob(base64 ?? ""), (character) => character.charCodeAt(0));
  const bytes = data.length;
  try {
    // A mark of the byte order is part of the value.
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const text = decoder.decode(data);
    return text.includes("\u0000")
      ? { kind: "binary", data, bytes }
      : { kind: "text", text, bytes };
  } catch {
    return { kind: "binary", data, bytes };
  }
}

/** Lines of sixteen bytes. */
export function hexLines(data: Uint8Array, linesMax: number): string[] {
  const count = Math.min(linesMax, Math.ceil(data.length / 16));
  return Array.from({ length: count }, (_, line) => {
    const row = [...data.subarray(line * 16, line * 16 + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const shown = row.map((byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·"));
    const place = (line * 16).toString(16).padStart(6, "0");
    return `${place}  ${hex.padEnd(47)}  ${shown.join("")}`;
  });
}

/**
 * Of a key, or of a folder, below the API's root; null where no URL can name it, because it has a segment of dots: that
 * would be another one.
 */
export function keyPath(key: string): string | null {
  const segments = key.split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) return null;
  return `v1/kv/${segments.map(encodeURIComponent).join("/")}`;
}

export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** How a JSON text is indented, for whoever asks for that; null where it is none. */
export function formattedJson(text: string): string | null {
  try {
    // Numbers stay as they are written: only blanks between tokens change.
    JSON.parse(text);
    return indented(text);
  } catch {
    return null;
  }
}

function indented(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g) ?? [];
  let depth = 0;
  let out = "";
  const line = (): string => `\n${"  ".repeat(depth)}`;
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + (next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const isEmpty = tokens[at - 1] === "{" || tokens[at - 1] === "[";
      out += (isEmpty ? "" : line()) + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  }
  return out;
}

/** What ends its lines; null where that is not the same everywhere, which a field for text would make it. */
export function lineEnd(text: string): "\n" | "\r\n" | null {
  const unix = text.replaceAll("\r\n", "\n");
  if (unix.includes("\r")) return null;
  if (unix === text) return "\n";
  return unix.replaceAll("\n", "\r\n") === text ? "\r\n" : null;
}

const flagsMax = 2n ** 64n - 1n;

export function areFlags(text: string): boolean {
  return /^\d{1,20}$/.test(text) && BigInt(text) <= flagsMax;
}
