// Encoded answers, kept per question until what they were made of changes. A service's answers are shuffled, so several
// variants are kept and handed out in turn; a question is resolved anew until there are that many.

import type { ReadReply } from "../../ports/cluster.ts";

const questionsMax = 4_096;
const variantsMax = 8;
const idBytes = 2;
/** Bits of the flags that tell an answer which must not be kept: it carries a serial or a failure. */
const rcodeMask = 15;

interface Kept {
  variants: Uint8Array[];
  next: number;
  isCurrent(): boolean;
}

export class DnsAnswers {
  readonly #kept = new Map<string, Kept>();

  /** A reply to `message`, or null when one has to be made. */
  find(message: Uint8Array): Uint8Array | null {
    const key = keyOf(message);
    const kept = this.#kept.get(key);
    if (!kept) return null;
    if (!kept.isCurrent()) {
      this.#kept.delete(key);
      return null;
    }
    if (kept.variants.length < variantsMax) return null;
    const variant = kept.variants[kept.next++ % variantsMax] as Uint8Array;
    const reply = Uint8Array.from(variant);
    reply.set(message.subarray(0, idBytes));
    return reply;
  }

  /** Drops everything. */
  forget(): void {
    this.#kept.clear();
  }

  /** Keeps a reply that was made of `reads`, if it may be kept. */
  keep(message: Uint8Array, reply: Uint8Array, reads: readonly ReadReply[]): void {
    const followed = reads.length > 0 && reads.every(({ cache }) => cache !== undefined);
    const authorities = ((reply[8] ?? 0) << 8) | (reply[9] ?? 0);
    if (!followed || authorities > 0 || ((reply[3] ?? 0) & rcodeMask) !== 0) return;
    const key = keyOf(message);
    const isCurrent = (): boolean => reads.every(({ cache }) => cache?.isCurrent());
    if (!isCurrent()) return;
    const kept = this.#kept.get(key);
    if (kept?.isCurrent()) {
      kept.variants.push(reply);
      return;
    }
    if (this.#kept.size >= questionsMax) this.#kept.clear();
    this.#kept.set(key, { variants: [reply], next: 0, isCurrent });
  }
}

/** Everything of a message but its id. */
function keyOf(message: Uint8Array): string {
  let key = "";
  for (let at = idBytes; at < message.length; at++) {
    key += String.fromCharCode(message[at] as number);
  }
  return key;
}
