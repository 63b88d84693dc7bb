// Whether a request may come from a browser that was lured here: by a page of a foreign origin, or by a name that was
// made to point at this machine (DNS rebinding). Consul 1.8 has no such guard. Programs are never in its way: a name
// is held against a request only when a browser could be behind it.

export interface GuardedListener {
  /** Nobody but this machine reaches it, so its names are known. */
  loopbackOnly: boolean;
  nodeName: string;
  /** DNS domain, without dots at the ends. */
  domain: string;
  /** Names that were allowed, which admits them as origin, too. */
  allowedHosts: readonly string[];
}

/** A header's value, null when it is absent. */
type HeaderOf = (name: string) => string | null;

/** Why the request must not go on; null when it may. */
export function browserRefusal(header: HeaderOf, listener: GuardedListener): string | null {
  const host = hostName(header("host") ?? "");
  const origin = header("origin");
  if (origin !== null && !isOwnOrigin(origin, host, listener)) {
    return `Origin "${origin}" is foreign; to allow its host, add it to http_config.allowed_hosts`;
  }
  if (!listener.loopbackOnly) return null;
  // An address cannot be made to point elsewhere, and no browser leaves the header out.
  if (host === "" || isAddress(host) || isKnownName(host, listener)) return null;
  if (!maybeBrowser(header)) return null;
  return `Host "${host}" is not known here; to allow it, add it to http_config.allowed_hosts`;
}

function isOwnOrigin(origin: string, host: string, listener: GuardedListener): boolean {
  const name = /^[a-z][a-z0-9+.-]*:\/\/(\[[^\]]*\]|[^/:]*)(?::\d+)?$/i.exec(origin)?.[1];
  if (name === undefined) return false;
  const from = name.toLowerCase();
  return from === host || isLoopbackAddress(from) || isKnownName(from, listener);
}

function isKnownName(name: string, listener: GuardedListener): boolean {
  const { nodeName, domain, allowedHosts } = listener;
  return (
    name === "localhost" ||
    name === nodeName.toLowerCase() ||
    name.endsWith(`.${domain}`) ||
    allowedHosts.some((allowed) => allowed.toLowerCase() === name)
  );
}

/** Sent by browsers only; some privacy tools empty them. */
const browserHeaders = ["origin", "referer", "accept-language"] as const;
const fetchHeaders = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"];

function maybeBrowser(header: HeaderOf): boolean {
  if ([...browserHeaders, ...fetchHeaders].some((name) => header(name) !== null)) return true;
  return /mozilla\/|opera\//i.test(header("user-agent") ?? "");
}

/** In lower case, without its port; an IPv6 address keeps its brackets. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, "").toLowerCase();
}

function isAddress(name: string): boolean {
  return /^\[[0-9a-f:.%]+\]$/.test(name) || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

function isLoopbackAddress(name: string): boolean {
  return name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
