// How long an answer may be kept, by the records in it.

import { decode } from "@leichtgewicht/dns-packet";

const rcodeNoError = 0;
const rcodeNameError = 3;

interface Timed {
  type: string;
  ttl?: number;
  data?: unknown;
}

/**
 * RFC 8484 §5.1: the smallest TTL of the answers; where something is denied, what the SOA says of that (RFC 2308 §5),
 * its own TTL or its minimum, whichever is less. 0: not at all. Throws for what is no message.
 */
export function lifetimeSeconds(reply: Uint8Array): number {
  const { flags = 0, answers, authorities } = decode(reply);
  const rcode = flags & 15;
  if (rcode !== rcodeNoError && rcode !== rcodeNameError) return 0;
  const ttls = records(answers).map(({ ttl }) => ttl ?? 0);
  if (ttls.length === 0 || rcode === rcodeNameError) {
    ttls.push(
      ...records(authorities)
        .filter(({ type }) => type === "SOA")
        .map(negativeTtl),
    );
  }
  return ttls.length === 0 ? 0 : Math.min(...ttls);
}

function negativeTtl({ ttl = 0, data }: Timed): number {
  return Math.min(ttl, (data as { minimum?: number }).minimum ?? 0);
}

function records(section: unknown): Timed[] {
  return (section ?? []) as Timed[];
}

/** `isPrivate`: somebody else, who asks the same, may get another answer. */
export function cacheControl(seconds: number, isPrivate: boolean): string {
  if (seconds <= 0) return "no-store";
  return isPrivate ? `private, max-age=${seconds}` : `max-age=${seconds}`;
}
