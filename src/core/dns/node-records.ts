// The records of a node (Consul's DNS rules, §2.1).

import { familyOf } from "./address.ts";
import { type DnsRecord, metaText, ttlSeconds } from "./records.ts";
import type { DnsSettings } from "./settings.ts";
import type { Node } from "../model/types.ts";

/**
 * The address that a question of `type` prefers: the one tagged with a family that it takes, the newer one first, else
 * the plain one.
 */
export function taggedAddress(
  type: string,
  address: string,
  tagged: Readonly<Record<string, string>> | null,
): string {
  const newer = type === "A" ? "" : tagged?.lan_ipv6;
  const older = type === "AAAA" ? "" : tagged?.lan_ipv4;
  return newer || older || address;
}

/** One TXT record for each metadata pair. */
export function nodeTexts(name: string, node: Node, ttl: number): DnsRecord[] {
  return Object.entries(node.Meta ?? {}).map(([key, value]) => ({
    name,
    type: "TXT",
    ttl,
    data: metaText(key, value),
  }));
}

export interface NodeRecords {
  answers: DnsRecord[];
  additionals: DnsRecord[];
  /** Set when the node's address is a host name. */
  host: string | null;
}

export function nodeRecords(
  name: string,
  type: string,
  node: Node,
  settings: DnsSettings,
): NodeRecords {
  const ttl = ttlSeconds(settings.nodeTtlMs);
  const texts = nodeTexts(name, node, ttl);
  if (type === "TXT") return { answers: texts, additionals: [], host: null };
  if (type !== "A" && type !== "AAAA" && type !== "ANY") {
    return { answers: [], additionals: [], host: null };
  }
  const address = taggedAddress(type, node.Address, node.TaggedAddresses);
  const family = familyOf(address);
  const answers: DnsRecord[] = [];
  if (family === null) {
    answers.push({ name, type: "CNAME", ttl, data: address.replace(/\.$/, "") });
  } else {
    const own = family === "ipv4" ? "A" : "AAAA";
    if (type === "ANY" || type === own) answers.push({ name, type: own, ttl, data: address });
  }
  if (type === "ANY") answers.push(...texts);
  const additionals = type !== "ANY" && settings.nodeMetaTxt ? texts : [];
  return { answers, additionals, host: family === null ? address.replace(/\.$/, "") : null };
}
