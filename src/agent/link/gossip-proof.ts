// How an agent shows that it knows the gossip key (`encrypt`) without sending it: a code over what it asks for, which
// for gossip names the member, so that neither can be changed or used again on the way. What then travels in the
// socket is encrypted by TLS or not at all.

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

import { gossipProofHeader } from "../../link/protocol.ts";

/** Clocks of hosts may differ by so much, in ms. */
const skewMsMax = 300_000;
const seenSweepSize = 4_096;

/** The header's value for a request of `target`, its path and query. */
export function gossipProof(key: string, target: string, nowMs: number): string {
  const stamp = `${nowMs}.${randomUUID()}`;
  return `${stamp}.${codeOf(key, stamp, target)}`;
}

/** The header that opens `target` to who knows the key; none without a key. */
export function proofHeaders(key: string, target: string, nowMs: number): Record<string, string> {
  return key === "" ? {} : { [gossipProofHeader]: gossipProof(key, target, nowMs) };
}

function codeOf(key: string, stamp: string, target: string): string {
  return createHmac("sha256", key).update(`${stamp} ${target}`).digest("base64url");
}

function isSame(given: Buffer, code: string): boolean {
  const wanted = Buffer.from(code);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

export class GossipProofs {
  readonly #keys: () => readonly string[];
  /** Stamps that were shown, and when they would be too old anyway. */
  readonly #seen = new Map<string, number>();

  /** `keys`: those that open, at each time; never none. */
  constructor(keys: () => readonly string[]) {
    this.#keys = keys;
  }

  /** Why `proof` does not open `target`; null when it does, which it does once. */
  refusal(proof: string | string[] | undefined, target: string, nowMs: number): string | null {
    if (typeof proof !== "string") return "the gossip key is missing (encrypt)";
    const [atMs = "", nonce = "", code = ""] = proof.split(".");
    const stamp = `${atMs}.${nonce}`;
    const given = Buffer.from(code);
    const isKnown = this.#keys().some((key) => isSame(given, codeOf(key, stamp, target)));
    if (!isKnown) return "the gossip key is wrong (encrypt)";
    if (!(Math.abs(nowMs - Number(atMs)) <= skewMsMax)) {
      return "the clocks of agent and server differ by more than 5 minutes";
    }
    if (this.#seen.has(stamp)) return "this proof of the gossip key was used before";
    this.#remember(stamp, Number(atMs) + skewMsMax, nowMs);
    return null;
  }

  #remember(stamp: string, untilMs: number, nowMs: number): void {
    if (this.#seen.size >= seenSweepSize) {
      for (const [old, endsMs] of this.#seen) if (endsMs < nowMs) this.#seen.delete(old);
    }
    this.#seen.set(stamp, untilMs);
  }
}
