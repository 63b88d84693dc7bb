// Which addresses an agent binds and advertises. Files may hold templates of go-sockaddr.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { ConfigError } from "./errors.ts";
import { networkList } from "./networks.ts";
import { listProblems } from "./parse.ts";
import type { HostAddress } from "./sockaddr/interfaces.ts";
import { expandTemplate, TemplateError } from "./sockaddr/template.ts";

export type { HostAddress };

/** The addresses of this host's interfaces. */
export function hostAddresses(): HostAddress[] {
  const defaultInterface = defaultRoute();
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address, family, cidr }) => ({
      interface: name,
      address,
      family,
      isDefault: name === defaultInterface,
      ...(cidr !== null && { bits: Number(cidr.slice(cidr.indexOf("/") + 1)) }),
    })),
  );
}

/** The interface that the kernel sends by where no route says otherwise; "" where it does not tell. */
function defaultRoute(): string {
  try {
    const routes = readFileSync("/proc/net/route", "utf8").split("\n").slice(1);
    const rows = routes.map((route) => route.split("\t"));
    return rows.find(([, destination]) => destination === "00000000")?.[0] ?? "";
  } catch {
    return "";
  }
}

/** RFC 1918, RFC 6598, and what Consul was seen to take as well: link-local and two blocks of RFC 6890. */
const privateNetworks = networkList([
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
]);

export function privateAddresses(host: readonly HostAddress[]): string[] {
  return host
    .filter(({ address, family }) => family === "IPv4" && privateNetworks.check(address))
    .map(({ address }) => address);
}

/** The space-separated addresses that `text` names, templates filled in. Throws ConfigError. */
export function expandAddresses(key: string, text: string, host: readonly HostAddress[]): string[] {
  try {
    return expandTemplate(text, host)
      .split(/\s+/)
      .filter((part) => part !== "");
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ConfigError(listProblems([`${key}: ${error.message}`]));
  }
}

/** An IP address without brackets, or null. */
export function ipAddress(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? null : bare;
}

export function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

const nearRanges = new Set(["loopback", "private", "carrierGradeNat", "linkLocal", "uniqueLocal"]);

/**
 * Loopback, link-local and what {@link privateAddresses} takes for private, also those of IPv4 inside IPv6: nobody far
 * away has them.
 */
export function isNear(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return false;
  const plain = ipaddr.process(bare);
  return nearRanges.has(plain.range()) || privateNetworks.check(plain.toString(), plain.kind());
}

export function isLoopback(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === "loopback";
}
