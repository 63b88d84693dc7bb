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

export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
