// TLS between servers, and from agents to servers: what whoever connects shows and believes. Plain data, so that it may
// go to the thread of the servers; whose certificate may be which server's is decided here for both ends.

/** What a certificate of a server must be for: `server.DATACENTER.DOMAIN`. */
export interface ServerNaming {
  datacenter: string;
  /** Without dots at its ends. */
  domain: string;
}

export interface PeerTls {
  /** Certificates in PEM: whom to believe. */
  ca: string[];
  /** PEM: what to show; null for nothing. */
  pair: { cert: string; key: string } | null;
  /** In Node's words. */
  minVersion: string;
  /** In OpenSSL's words; "" for its own choice. */
  ciphers: string;
  /** Told the other end where no name is demanded of it; "" for none. */
  serverName: string;
  /** Null: any certificate of the authority will do. */
  naming: ServerNaming | null;
}

/** Calls that servers of other datacenters make, too. */
const callsAbroad = [
  "/rpc/authority",
  "/rpc/federate",
  "/rpc/replication",
  "/rpc/replication-news",
  "/rpc/requests",
] as const;
/** Nothing else is called in another datacenter: there the certificates of this one's servers would not do. */
export type CallAbroad = (typeof callsAbroad)[number];

export const linkAbroad = "/rpc/link";

const abroad: ReadonlySet<string> = new Set([...callsAbroad, linkAbroad]);

export function isFromAbroad(path: string): boolean {
  return abroad.has(path);
}

/**
 * Whether a certificate with these DNS names is that of a server which may make, or answer, the call at `path`: one of
 * this datacenter, or of any where they talk to each other.
 */
export function isServersName(
  names: readonly string[],
  path: string,
  { datacenter, domain }: ServerNaming,
): boolean {
  return names.some((name) => {
    const lower = name.toLowerCase();
    if (lower === `server.${datacenter}.${domain}`.toLowerCase()) return true;
    if (!isFromAbroad(path)) return false;
    const [role, dc = "", ...rest] = lower.split(".");
    return role === "server" && dc !== "" && rest.join(".") === domain.toLowerCase();
  });
}

/** What stands between commas, which count for nothing inside quotes. */
const entryPattern = /(?:"(?:[^"\\]|\\.)*"|[^",])+/g;

/**
 * The DNS names in Node's line of alternative names; those that it had to quote are none of a server. Certificates of
 * Connect are no server's, whatever names they have.
 */
export function dnsNames(alternatives: string | undefined): string[] {
  const entries = entriesOf(alternatives);
  if (entries.some((entry) => /^"?URI:"?spiffe:/i.test(entry))) return [];
  return entries.flatMap((entry) => (/^DNS:[^"]*$/.test(entry) ? [entry.slice(4)] : []));
}

function entriesOf(alternatives: string | undefined): string[] {
  return [...(alternatives ?? "").matchAll(entryPattern)].map(([entry]) => entry.trim());
}

/** Whether it is one of Connect's, of a service: those let nobody in as an agent. */
export function isOfService(alternatives: string | undefined): boolean {
  return entriesOf(alternatives).some((entry) => /^"?URI:"?spiffe:\/\/[^/]*\/ns\//i.test(entry));
}

/** Options of node:tls for a connection on which the call at `path` is made. */
export function connectionOptions(tls: PeerTls, path: string) {
  const { naming, serverName } = tls;
  const expected = naming && `server.${naming.datacenter}.${naming.domain}`;
  const servername = expected !== null && !isFromAbroad(path) ? expected : serverName;
  return {
    ca: tls.ca,
    ...tls.pair,
    minVersion: tls.minVersion as "TLSv1.2",
    ...(tls.ciphers !== "" && { ciphers: tls.ciphers }),
    ...(servername !== "" && { servername }),
    checkServerIdentity: (
      _host: string,
      { subjectaltname }: { subjectaltname?: string | undefined },
    ): Error | undefined => {
      const names = dnsNames(subjectaltname);
      if (!naming || isServersName(names, path, naming)) return undefined;
      const shown = names.join(", ");
      return new Error(`x509: certificate is valid for ${shown}, not ${expected ?? ""}`);
    },
  };
}
