// Where servers may be reached: this process's own, or those that were named to join. One is used until it fails,
// then the next; new ones may be added at any time.

import { joinHostPort } from "../../core/lib/host-port.ts";

export class ServerList {
  #urls: string[];
  #at = 0;

  /** `urls`: `ws://host:port` or `wss://host`. */
  constructor(urls: readonly string[]) {
    this.#urls = [...urls];
  }

  get empty(): boolean {
    return this.#urls.length === 0;
  }

  get size(): number {
    return this.#urls.length;
  }

  current(): string | null {
    return this.#urls[this.#at] ?? null;
  }

  /** The current one could not be used. */
  next(): void {
    this.#at = (this.#at + 1) % Math.max(1, this.#urls.length);
  }

  add(urls: readonly string[]): void {
    this.#urls = [...new Set([...this.#urls, ...urls])];
  }
}

/** Whether what is joined is a deployment: there are several servers behind its one URL, and an ocean before it. */
export function isDeployment(address: string): boolean {
  return /^https?:\/\//.test(address);
}

/** `host:port`, or the URL of a deployment as it is. */
export function withPort(address: string, port: number): string {
  if (isDeployment(address)) return address;
  if (/^\[.*\]:\d+$|^[^:]+:\d+$/.test(address)) return address;
  return joinHostPort(address.replace(/^\[(.*)\]$/, "$1"), port);
}

/**
 * What `-join` and `-retry-join` accept: `host`, `host:port`, an IPv6 address with or without brackets, or the URL of
 * a deployment.
 */
export function joinUrl(address: string, defaultPort: number): string {
  if (isDeployment(address)) return address.replace(/^http/, "ws").replace(/\/+$/, "");
  return `ws://${withPort(address, defaultPort)}`;
}
