// Networks, in the notation of CIDR.

import { BlockList } from "node:net";
import ipaddr from "ipaddr.js";

/** `networks`: addresses with a length, checked before. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** Also an address of IPv4 inside IPv6, and one that names its interface. */
export function within(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return false;
  const plain = ipaddr.process(bare);
  return list.check(plain.toString(), plain.kind());
}
