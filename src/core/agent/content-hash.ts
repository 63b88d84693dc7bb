// A stable 64-bit hash of a text, as 16 hex digits: what `X-Consul-Contenthash` carries and what
// tells an agent whether anything must be synced. Two FNV-1a lanes with different seeds and a final
// mix; not for secrets.

import { encodeJson, type JsonValue } from "../model/json.ts";

const prime = 0x0100_0193;

function lane(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), prime);
    hash = Math.imul(hash ^ (unit >>> 8), prime);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a_2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const hex = (word: number): string => word.toString(16).padStart(8, "0");

/** 16 hex digits. */
export function hashText(text: string): string {
  return hex(lane(text, 0x811c_9dc5)) + hex(lane(text, 0x5bd1_e995));
}

/** Hash of a JSON value that does not depend on the order of its keys. */
export function hashJson(value: JsonValue): string {
  return hashText(encodeJson(value));
}
