// One question, one reply: the resolver of core/dns between the cluster, which knows our names, and recursors, which
// know the others.

import { answerMessage, servfail } from "../src/core/dns/message.ts";
import type { DnsSettings } from "../src/core/dns/settings.ts";
import { seededRandom } from "../src/core/lib/random.ts";
import { drive, type DnsSource } from "../src/dns-source.ts";
import type { Cluster } from "../src/ports/cluster.ts";
import type { HttpsRecursors } from "./recursors.ts";

export interface EdgeDnsParts {
  cluster: Cluster;
  settings: DnsSettings;
  /** Null: what is not ours is refused. */
  recursors: HttpsRecursors | null;
  /** Node that `_agent` means in prepared queries. */
  agent: string;
  /** "" when it is not known. */
  clientAddress: string;
  nowMs(): number;
  token?: string;
  /** Who asks showed something that others may not know: what is answered is for them alone. */
  isPrivate: boolean;
}

export interface Exchange {
  reply: Uint8Array<ArrayBuffer>;
  /** Others, who ask the same, may get another answer. */
  isPrivate: boolean;
  /** Seconds since it was made. */
  ageSeconds: number;
}

/** Null for what is no query. */
export async function exchange(
  message: Uint8Array,
  { cluster, settings, recursors, agent, clientAddress, nowMs, ...who }: EdgeDnsParts,
): Promise<Exchange | null> {
  const random = seededRandom(nowMs());
  const nowSeconds = Math.floor(nowMs() / 1_000);
  const context = { settings, random, nowSeconds, clientAddress };
  const token = who.token === undefined ? {} : { token: who.token };
  let { isPrivate } = who;
  let ageSeconds = 0;
  const source: DnsSource = {
    cluster,
    agent,
    options: { consistency: "stale", ...token },
    // A prepared query may put first what is near to who asks.
    onNeed: ({ need }) => (isPrivate ||= need === "query"),
    host: async (name) => (await recursors?.addresses(name)) ?? [],
    ...(recursors && {
      recurse: async () => {
        const forwarded = await recursors.forward(message);
        ({ ageSeconds } = forwarded);
        return forwarded.message;
      },
    }),
  };
  try {
    const reply = await drive(answerMessage(message, "encrypted", context), source);
    return reply && { reply: Uint8Array.from(reply), isPrivate, ageSeconds };
  } catch {
    return { reply: Uint8Array.from(servfail(message)), isPrivate, ageSeconds };
  }
}
