// How DNS answers, by Consul's configuration keys (dns_config and its neighbours). The defaults are Consul's.

export interface DnsSettings {
  /** Datacenter of the answering agent. */
  datacenter: string;
  /** Primary zone, without dots at the ends. */
  domain: string;
  /** Second zone; "" for none. */
  altDomain: string;
  nodeTtlMs: number;
  /** Service name, `prefix*` or `*` to TTL. */
  serviceTtlMs: Readonly<Record<string, number>>;
  onlyPassing: boolean;
  /** A and AAAA answers for a service at most; 0 for no limit. */
  aRecordLimit: number;
  /** Answers over UDP without EDNS at most, and never more than 8. */
  udpAnswerLimit: number;
  /** Sets TC when an answer was trimmed. */
  enableTruncate: boolean;
  /** Names are written out each time. */
  disableCompression: boolean;
  /** A and AAAA answers for a node carry its metadata as additional TXT records. */
  nodeMetaTxt: boolean;
  soa: {
    readonly refreshSeconds: number;
    readonly retrySeconds: number;
    readonly expireSeconds: number;
    readonly minTtlSeconds: number;
  };
  /** Names outside the zones are passed on. */
  hasRecursors: boolean;
}

export const defaultDnsSettings: Omit<DnsSettings, "datacenter"> = {
  domain: "consul",
  altDomain: "",
  nodeTtlMs: 0,
  serviceTtlMs: {},
  onlyPassing: false,
  aRecordLimit: 0,
  udpAnswerLimit: 3,
  enableTruncate: false,
  disableCompression: false,
  nodeMetaTxt: true,
  soa: { refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 86_400, minTtlSeconds: 0 },
  hasRecursors: false,
};

/** TTL of a service: its own, else that of the longest matching `prefix*`, else 0. */
export function serviceTtlMs(settings: DnsSettings, service: string): number {
  const exact = settings.serviceTtlMs[service];
  if (exact !== undefined) return exact;
  const [longest] = Object.keys(settings.serviceTtlMs)
    .filter((pattern) => pattern.endsWith("*") && service.startsWith(pattern.slice(0, -1)))
    .toSorted((a, b) => b.length - a.length);
  return longest === undefined ? 0 : (settings.serviceTtlMs[longest] ?? 0);
}
