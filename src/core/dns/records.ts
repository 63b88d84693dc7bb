// What an answer is made of, before it becomes a packet. Names are without the final dot, as the codec has them.

export type RecordType = "A" | "AAAA" | "SRV" | "TXT" | "CNAME" | "PTR" | "NS" | "SOA";

export interface SrvData {
  priority: number;
  weight: number;
  port: number;
  target: string;
}

export interface SoaData {
  mname: string;
  rname: string;
  serial: number;
  refresh: number;
  retry: number;
  expire: number;
  minimum: number;
}

export interface DnsRecord {
  name: string;
  type: RecordType;
  ttl: number;
  data: string | SrvData | SoaData;
}

export type Rcode = "NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED";

export interface Answer {
  rcode: Rcode;
  /** False for names outside the zone. */
  authoritative: boolean;
  /** Claims recursion although no recursor is configured (Consul does so for addresses it does not know). */
  recursionAvailable?: boolean;
  /** It may be another one for another client. */
  forClient?: true;
  answers: DnsRecord[];
  authorities: DnsRecord[];
  additionals: DnsRecord[];
}

export function emptyAnswer(rcode: Rcode): Answer {
  return { rcode, authoritative: true, answers: [], authorities: [], additionals: [] };
}

/** Consul writes TTLs in whole seconds. */
export function ttlSeconds(ttlMs: number): number {
  return Math.floor(ttlMs / 1_000);
}

/**
 * A node's metadata pair as the text of a TXT record (RFC 1464): backquotes are quoted with a backquote, and so are `=`
 * in the key and spaces at its ends. Keys that begin with `rfc1035-` stand for raw text.
 */
export function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith("rfc1035-")) return value;
  const quoted = key.replaceAll("`", "``").replaceAll("=", "`=");
  const spaced = quoted
    .replace(/^[ \t]+/, (spaces) => spaces.replaceAll(/[ \t]/g, "`$&"))
    .replace(/[ \t]+$/, (spaces) => spaces.replaceAll(/[ \t]/g, "`$&"));
  return `${spaced}=${value.replaceAll("`", "``")}`;
}
