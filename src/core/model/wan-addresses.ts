// `translate_wan_addrs`: nodes and services of another datacenter at the addresses that they have outside of it
// (Consul 1.8's TranslateAddress).

import type { Node, NodeService, ServiceAddress } from "./types.ts";

type Tagged<Address> = Readonly<Record<string, Address>> | null;

/** With what is tagged for the WAN in the place of what is tagged for the LAN. */
function wanTags<Address>(tagged: Tagged<Address>): Record<string, Address> | null {
  if (!tagged) return null;
  const found = { ...tagged };
  for (const family of ["ipv4", "ipv6"]) {
    const far = tagged[`wan_${family}`];
    if (far !== undefined) found[`lan_${family}`] = far;
  }
  return found;
}

/** As DNS looks at a node, which chooses among its addresses by the type of a question. */
export function nodeFromAfar(node: Node): Node {
  const { TaggedAddresses: tagged } = node;
  return { ...node, Address: tagged?.["wan"] ?? node.Address, TaggedAddresses: wanTags(tagged) };
}

/** The same for an instance of a service. */
export function serviceFromAfar(service: NodeService): NodeService {
  const { TaggedAddresses: tagged } = service;
  const far = tagged?.["wan"];
  return {
    ...service,
    Address: far?.Address ?? service.Address,
    Port: far?.Port ?? service.Port,
    TaggedAddresses: wanTags(tagged),
  };
}

/** The one address that HTTP answers: the newer family's first. */
export function farAddress(address: string, tagged: Tagged<string>): string {
  const tags = wanTags(tagged);
  return tags?.["lan_ipv6"] || tags?.["lan_ipv4"] || tags?.["wan"] || address;
}

export function farServiceAddress(address: string, tagged: Tagged<ServiceAddress>): string {
  const tags = wanTags(tagged);
  const chosen = tags?.["lan_ipv6"] ?? tags?.["lan_ipv4"] ?? tags?.["wan"];
  return chosen?.Address || address;
}

export function farPort(port: number, tagged: Tagged<ServiceAddress>): number {
  return tagged?.["wan"]?.Port ?? port;
}
