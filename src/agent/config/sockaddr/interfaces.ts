// Addresses of this host's interfaces, and how go-sockaddr looks at them: which networks are private, what orders them,
// what is known of one. Lists come in the order of the interfaces, and sorting keeps that order where nothing is said.

import type { BlockList } from "node:net";
import ipaddr from "ipaddr.js";

import { networkList } from "../networks.ts";

export interface HostAddress {
  interface: string;
  address: string;
  family: "IPv4" | "IPv6";
  /** Length of the network's prefix; that of the address itself when unknown. */
  bits?: number;
  /** The interface of the default route. */
  isDefault?: boolean;
}

/** What functions of templates refuse. */
export class SockaddrError extends Error {
  override name = "SockaddrError";
}

const networksByRfc: Readonly<Record<string, readonly string[]>> = {
  "1918": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  "2544": ["198.18.0.0/15"],
  "3849": ["2001:db8::/32"],
  "3927": ["169.254.0.0/16"],
  "4193": ["fc00::/7"],
  "4291": ["::/128", "::1/128", "fe80::/10", "ff00::/8"],
  "5737": ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"],
  "6598": ["100.64.0.0/10"],
  "6890": [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
    ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"],
    ...["198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::1/128", "::/128"],
    // Without IPv4 inside IPv6, which a list takes for IPv4 itself.
    ...["64:ff9b::/96", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"],
    ...["fc00::/7", "fe80::/10"],
  ],
};

/** What RFC 6890 says no router forwards. */
const notForwarded = networkList([
  ...["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24"],
  ...["198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::1/128", "::/128"],
  ...["2001:db8::/32", "fe80::/10"],
]);

const rfcBlocks = new Map(
  Object.entries(networksByRfc).map(([rfc, networks]) => [rfc, networkList(networks)]),
);

function familyOf({ family }: HostAddress): "ipv4" | "ipv6" {
  return family === "IPv4" ? "ipv4" : "ipv6";
}

function lies(one: HostAddress, list: BlockList): boolean {
  return list.check(one.address, familyOf(one));
}

export function isOfRfc(one: HostAddress, rfc: string): boolean {
  const list = rfcBlocks.get(rfc);
  if (list) return lies(one, list);
  throw new SockaddrError(
    `unable to lookup RFC number ${JSON.stringify(rfc)}: unsupported RFC ${rfc}`,
  );
}

export function isInNetwork(one: HostAddress, network: string): boolean {
  const [, address = "", bits = ""] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const width = address.includes(":") ? 128 : 32;
  if (!ipaddr.isValid(address) || Number(bits) > width) {
    throw new SockaddrError(`unable to create an IP address from ${JSON.stringify(network)}`);
  }
  return lies(one, networkList([`${address}/${bits === "" ? width : bits}`]));
}

type Flags = Readonly<Record<string, (one: HostAddress) => boolean>>;

const interfaceFlags: Flags = {
  // The system lists none that are down.
  up: () => true,
  loopback: ({ address }) => rangeOf(address) === "loopback",
};

const addressFlags: Flags = {
  forwardable: (one) => !lies(one, notForwarded),
  "global unicast": ({ address }) => !["linkLocal", "loopback"].includes(rangeOf(address)),
  "link-local unicast": ({ address }) => rangeOf(address) === "linkLocal",
};

/** `flags` as `up|forwardable`: all of those of the interface, or all of those of the address. */
export function hasFlags(one: HostAddress, flags: string): boolean {
  const names = flags.toLowerCase().split("|");
  const unknown = names.find((name) => !(name in interfaceFlags || name in addressFlags));
  if (unknown !== undefined) {
    throw new SockaddrError(`Unknown interface flag: ${JSON.stringify(unknown)}`);
  }
  return [interfaceFlags, addressFlags].some((group) => {
    const wanted = names.flatMap((name) => group[name] ?? []);
    return wanted.length > 0 && wanted.every((is) => is(one));
  });
}

function bare(address: string): string {
  return address.replace(/%.*$/, "");
}

function rangeOf(address: string): string {
  return ipaddr.parse(bare(address)).range();
}

/** The address as a number. */
export function numberOf({ address }: HostAddress): bigint {
  const bytes = ipaddr.parse(bare(address)).toByteArray();
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function widthOf({ family }: HostAddress): number {
  return family === "IPv4" ? 32 : 128;
}

export function prefixOf(one: HostAddress): number {
  return one.bits ?? widthOf(one);
}

/** How many addresses its network has. */
export function sizeOf(one: HostAddress): bigint {
  return 1n << BigInt(widthOf(one) - prefixOf(one));
}

export function networkOf(one: HostAddress): bigint {
  return numberOf(one) & ~(sizeOf(one) - 1n);
}

/** `value` as an address of the family of `one`. */
export function addressText(one: HostAddress, value: bigint): string {
  const wrapped = BigInt.asUintN(widthOf(one), value);
  const bytes = Array.from({ length: widthOf(one) / 8 }, (_, at) =>
    Number((wrapped >> BigInt(widthOf(one) - 8 * (at + 1))) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

type Order = (left: HostAddress, right: HostAddress) => number;

const byNumber = (left: bigint, right: bigint): number =>
  left < right ? -1 : Number(left > right);

const orders: Readonly<Record<string, Order>> = {
  address: (left, right) => typeOrder(left, right) || byNumber(numberOf(left), numberOf(right)),
  default: (left, right) => Number(right.isDefault ?? false) - Number(left.isDefault ?? false),
  name: (left, right) => byText(left.interface, right.interface),
  private: (left, right) => Number(isOfRfc(right, "6890")) - Number(isOfRfc(left, "6890")),
  // The largest network is the least specific and comes first.
  size: (left, right) => byNumber(sizeOf(right), sizeOf(left)),
  type: typeOrder,
  port: () => 0,
};

function typeOrder(left: HostAddress, right: HostAddress): number {
  return byText(left.family, right.family);
}

function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** `by`: names in order of their weight, each with `+` or `-` before it or neither: `type,-size`. */
export function sorted(list: readonly HostAddress[], by: string): HostAddress[] {
  const wanted = by.split(",").map((word): Order => {
    const name = word.replace(/^[+-]/, "");
    const order = Object.hasOwn(orders, name) ? orders[name] : undefined;
    if (!order) throw new SockaddrError(`unknown sort type: ${JSON.stringify(name)}`);
    return word.startsWith("-") ? (left, right) => order(right, left) : order;
  });
  return list.toSorted((left, right) => {
    for (const order of wanted) {
      const difference = order(left, right);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

const attributes: Readonly<Record<string, (one: HostAddress) => string>> = {
  address: ({ address }) => address,
  host: ({ address }) => address,
  name: (one) => one.interface,
  type: ({ family }) => family,
  string: (one) => `${one.address}/${prefixOf(one)}`,
  mask_bits: (one) => String(prefixOf(one)),
  size: (one) => String(sizeOf(one)),
  network: (one) => addressText(one, networkOf(one)),
  netmask: (one) => addressText(one, -sizeOf(one)),
  broadcast: (one) => addressText(one, networkOf(one) + sizeOf(one) - 1n),
  first_usable: (one) => addressText(one, networkOf(one) + (sizeOf(one) > 2n ? 1n : 0n)),
  last_usable: (one) =>
    addressText(one, networkOf(one) + sizeOf(one) - (sizeOf(one) > 2n ? 2n : 1n)),
};

export function attribute(one: HostAddress, name: string): string {
  const read = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (!read) throw new SockaddrError(`unsupported attribute name ${JSON.stringify(name)}`);
  return read(one);
}
