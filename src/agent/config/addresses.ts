// Which addresses an agent binds and advertises. Files may hold templates of go-sockaddr; the
// common ones are understood, every other is an error that says so.

import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { ConfigError } from "./errors.ts";

export interface HostAddress {
  interface: string;
  address: string;
  family: "IPv4" | "IPv6";
}

/** The addresses of this host's interfaces, loopback excepted. */
export function hostAddresses(): HostAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter((address) => !address.internal)
      .map(({ address, family }) => ({ interface: name, address, family })),
  );
}

/** RFC 1918, RFC 6598, and what Consul was seen to take as well: link-local and two blocks of RFC 6890. */
const privateNetworks: readonly [string, number][] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
];
const privateBlocks = new BlockList();
for (const [network, bits] of privateNetworks) privateBlocks.addSubnet(network, bits);

export function privateAddresses(host: readonly HostAddress[]): string[] {
  return host
    .filter(({ address, family }) => family === "IPv4" && privateBlocks.check(address))
    .map(({ address }) => address);
}

type Template = (host: readonly HostAddress[], argument: string) => string[];

const templates: Record<string, Template> = {
  GetPrivateIP: (host) => privateAddresses(host).slice(0, 1),
  GetPrivateIPs: privateAddresses,
  GetPublicIP: (host) => publicAddresses(host).slice(0, 1),
  GetPublicIPs: publicAddresses,
  GetInterfaceIP: (host, name) =>
    host
      .filter((entry) => entry.interface === name && entry.family === "IPv4")
      .map(({ address }) => address)
      .slice(0, 1),
};

function publicAddresses(host: readonly HostAddress[]): string[] {
  return host
    .filter(({ address, family }) => family === "IPv4" && !privateBlocks.check(address))
    .map(({ address }) => address);
}

/** The space-separated addresses that `text` names, templates filled in. */
export function expandAddresses(key: string, text: string, host: readonly HostAddress[]): string[] {
  const expanded = text.replaceAll(/\{\{(.*?)\}\}/g, (_whole, inside: string) => {
    const call = /^\s*(\w+)(?:\s+"([^"]*)")?\s*$/.exec(inside);
    const template =
      call && Object.hasOwn(templates, call[1] as string) ? templates[call[1] as string] : null;
    if (!template) {
      throw new ConfigError(`${key}: the template {{${inside}}} is not supported; give an address`);
    }
    return template(host, call?.[2] ?? "").join(" ");
  });
  return expanded.split(/\s+/).filter((part) => part !== "");
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
  return nearRanges.has(plain.range()) || privateBlocks.check(plain.toString(), plain.kind());
}

export function isLoopback(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === "loopback";
}

/** `networks`: addresses with a length, checked before. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

export function within(list: BlockList, address: string): boolean {
  if (!ipaddr.isValid(address.replace(/%.*$/, ""))) return false;
  const plain = ipaddr.process(address.replace(/%.*$/, ""));
  return list.check(plain.toString(), plain.kind());
}
