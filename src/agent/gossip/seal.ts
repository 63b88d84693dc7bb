// The seal of what agents send each other: AES-GCM under the primary gossip key, opened with any of the ring. What is
// opened names its sender's process and counts up, so that nothing is taken twice, and says when it was sealed.
//
//   1 byte mark | 12 bytes nonce: 8 drawn by the process, 4 counting | 16 bytes tag | sealed: 4 bytes seconds, the rest

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

import { ReplayWindows } from "./replay.ts";

/** So many bytes more than what is sealed. */
export const sealBytes = 33;

const sealedMark = 0x51;
const plainMark = 0x50;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;
const timeBytes = 4;
const counterMax = 2 ** 32 - 1;
/** Clocks of hosts may differ by so much, as with the proofs of the key. */
const skewSecondsMax = 300;

export interface SealParts {
  /** Base64; the first one seals. Empty: nothing is sealed. */
  keys(): readonly string[];
  verifyIncoming: boolean;
  verifyOutgoing: boolean;
  nowMs(): number;
}

/** `key`: the one that opened it; null for what was not sealed. */
export type Opened = { bytes: Buffer; key: string | null } | { why: string };

export class Seal {
  readonly #parts: SealParts;
  readonly #replays = new ReplayWindows();
  /** Keys as bytes, by what they are in base64. */
  readonly #raw = new Map<string, Buffer>();
  #process = randomBytes(8);
  #counter = 0;

  constructor(parts: SealParts) {
    this.#parts = parts;
  }

  /** As it leaves: sealed where there is a key, and sealing is not switched off. */
  close(bytes: Uint8Array): Buffer {
    const [key] = this.#parts.keys();
    if (key === undefined || !this.#parts.verifyOutgoing) {
      return Buffer.concat([Buffer.of(plainMark), bytes]);
    }
    return this.seal(bytes, key);
  }

  /** Under one key, whatever else is switched off. */
  seal(bytes: Uint8Array, key: string): Buffer {
    const mark = Buffer.of(sealedMark);
    const nonce = this.#nonce();
    const cipher = createCipheriv(algorithmOf(this.#bytesOf(key)), this.#bytesOf(key), nonce);
    cipher.setAAD(mark);
    const time = Buffer.alloc(timeBytes);
    time.writeUInt32BE(Math.floor(this.#parts.nowMs() / 1_000));
    const sealed = [cipher.update(time), cipher.update(bytes), cipher.final()];
    return Buffer.concat([mark, nonce, cipher.getAuthTag(), ...sealed]);
  }

  /** What arrived; or why it is none of an agent's that knows a key. */
  open(datagram: Uint8Array): Opened {
    const keys = this.#parts.keys();
    if (datagram[0] === plainMark) {
      const isExpected = keys.length === 0 || !this.#parts.verifyIncoming;
      if (!isExpected) return { why: "it is not encrypted" };
      return { bytes: Buffer.from(datagram.subarray(1)), key: null };
    }
    if (datagram[0] !== sealedMark || datagram.length < headBytes + timeBytes) {
      return { why: "it is no message of an agent" };
    }
    for (const key of keys) {
      const opened = this.#tryKey(datagram, this.#bytesOf(key));
      if (opened) return this.#checked(datagram.subarray(1, 1 + nonceBytes), opened, key);
    }
    const why =
      keys.length === 0 ? "it is encrypted, and this agent has no key" : "its key is unknown";
    return { why };
  }

  #tryKey(datagram: Uint8Array, key: Buffer): Buffer | null {
    const decipher = createDecipheriv(algorithmOf(key), key, datagram.subarray(1, 1 + nonceBytes));
    decipher.setAAD(datagram.subarray(0, 1));
    decipher.setAuthTag(datagram.subarray(1 + nonceBytes, headBytes));
    const opened = decipher.update(datagram.subarray(headBytes));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return opened;
  }

  #checked(nonce: Uint8Array, opened: Buffer, key: string): Opened {
    const seconds = Math.floor(this.#parts.nowMs() / 1_000);
    if (Math.abs(seconds - opened.readUInt32BE(0)) > skewSecondsMax) {
      return { why: "it is old, or the clocks differ by more than 5 minutes" };
    }
    const view = Buffer.from(nonce);
    const isNew = this.#replays.take(view.toString("base64", 0, 8), view.readUInt32BE(8));
    if (!isNew) return { why: "it has come before" };
    return { bytes: opened.subarray(timeBytes), key };
  }

  #nonce(): Buffer {
    if (this.#counter >= counterMax) {
      this.#process = randomBytes(8);
      this.#counter = 0;
    }
    this.#counter += 1;
    const nonce = Buffer.alloc(nonceBytes);
    this.#process.copy(nonce);
    nonce.writeUInt32BE(this.#counter, 8);
    return nonce;
  }

  #bytesOf(key: string): Buffer {
    const known = this.#raw.get(key);
    if (known) return known;
    const used = new Set(this.#parts.keys());
    for (const old of this.#raw.keys()) if (!used.has(old)) this.#raw.delete(old);
    const raw = Buffer.from(key, "base64");
    this.#raw.set(key, raw);
    return raw;
  }
}

type Algorithm = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";

function algorithmOf(key: Buffer): Algorithm {
  return `aes-${key.length * 8}-gcm` as Algorithm;
}
