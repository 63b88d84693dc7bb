// Which addresses are on the public Internet. Whoever may register a check could otherwise make the edge ask what only
// machines inside may reach: this is the list of what is none of theirs (IANA's special-purpose registries).

import { bytesOfIpv4, bytesOfIpv6 } from "../../src/core/lib/ip-address.ts";

/** Of IPv4: private, shared (CGNAT), loopback, link-local with metadata, protocols, tests, 6to4, multicast. */
const reservedIpv4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"],
  ...["192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
].map((network) => parseNetwork(network, bytesOfIpv4));

/**
 * Of IPv6 only global unicast is public at all, which leaves out loopback, unspecified, unique local, link-local,
 * multicast, IPv4 in IPv6 (mapped, compatible) and NAT64; and of that not what leads back to IPv4 (Teredo, 6to4) or
 * nowhere.
 */
const globalIpv6 = parseNetwork("2000::/3", bytesOfIpv6);
const reservedIpv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map((network) =>
  parseNetwork(network, bytesOfIpv6),
);

interface Network {
  bytes: readonly number[];
  bits: number;
}

/** Null when the text is no address. */
export function isPublicAddress(address: string): boolean | null {
  const ipv4 = bytesOfIpv4(address);
  if (ipv4) return !reservedIpv4.some((network) => contains(network, ipv4));
  const ipv6 = bytesOfIpv6(address);
  if (!ipv6) return null;
  const isZoned = address.includes("%");
  const isGlobal = contains(globalIpv6, ipv6) && !isZoned;
  return isGlobal && !reservedIpv6.some((network) => contains(network, ipv6));
}

function parseNetwork(text: string, bytesOf: (address: string) => number[] | null): Network {
  const [address = "", bits = ""] = text.split("/");
  return { bytes: bytesOf(address) ?? [], bits: Number(bits) };
}

function contains({ bytes, bits }: Network, address: readonly number[]): boolean {
  const whole = Math.floor(bits / 8);
  for (let at = 0; at < whole; at++) if (bytes[at] !== address[at]) return false;
  const mask = (0xff << (8 - (bits % 8))) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}
