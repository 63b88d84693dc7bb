// Addresses as `host:port`, where an address of IPv6 is in brackets.

export interface HostPort {
  /** Without brackets; "" for any. */
  host: string;
  port: number;
}

/** Null without a port. */
export function splitHostPort(text: string): HostPort | null {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return port === undefined ? null : { host: bracketed ?? plain ?? "", port: Number(port) };
}

/** For addresses of ours, which have one. */
export function hostPortOf(text: string): HostPort {
  const parts = splitHostPort(text);
  if (parts === null) throw new Error(`no address with a port: ${text}`);
  return parts;
}

export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
