// What a name asks for. Labels are scanned from the right for the first word that tells the kind of lookup; what is
// left of it names the thing, what is right of it may be one label, a datacenter (Consul's DNS rules, §1).

import { addressOfHex, addressOfReverseName } from "./address.ts";

export type Lookup =
  | { kind: "node"; node: string; datacenter: string }
  | { kind: "service"; service: string; tag: string; datacenter: string; by: ServiceWay }
  | { kind: "query"; query: string; datacenter: string }
  /** `address` null: a label too short or too long for one, which exists without records. */
  | { kind: "addr"; address: string | null }
  | { kind: "reverse"; address: string | null }
  /** In the zone, but nothing that exists. */
  | { kind: "invalid" }
  /** Outside every zone. */
  | { kind: "foreign" };

/** Instances of a service, what Connect reaches it by, or the ingress gateways that let in what is meant for it. */
export type ServiceWay = "name" | "connect" | "ingress";

export interface Zones {
  domain: string;
  altDomain: string;
  datacenter: string;
}

const kinds = new Set(["service", "connect", "ingress", "node", "query", "addr"]);

/** The zone that `name` lies in, or null. The longer of two that fit wins. */
export function zoneOf(name: string, { domain, altDomain }: Zones): string | null {
  const lower = name.toLowerCase();
  const [zone] = [domain, altDomain]
    .filter((zone) => zone !== "" && (lower === zone || lower.endsWith(`.${zone}`)))
    .toSorted((a, b) => b.length - a.length);
  return zone ?? null;
}

/** `type` matters because a `_service` label implies `.service` only in SRV questions. */
export function parseName(name: string, type: string, zones: Zones): Lookup {
  const lower = name.toLowerCase();
  if (lower.endsWith(".arpa")) return { kind: "reverse", address: addressOfReverseName(lower) };
  const zone = zoneOf(lower, zones);
  if (zone === null) return { kind: "foreign" };
  const labels = lower === zone ? [] : lower.slice(0, -zone.length - 1).split(".");
  const at = labels.findLastIndex(
    (label) => kinds.has(label) || (type === "SRV" && label.startsWith("_")),
  );
  if (at < 0) return { kind: "invalid" };
  const implied = !kinds.has(labels[at] ?? "");
  const parts = labels.slice(0, implied ? at + 1 : at);
  const suffix = labels.slice(at + 1);
  if (suffix.length > 1) return { kind: "invalid" };
  const datacenter = suffix[0] ?? zones.datacenter;
  return lookupOf(implied ? "service" : (labels[at] ?? ""), parts, datacenter);
}

function lookupOf(kind: string, parts: readonly string[], datacenter: string): Lookup {
  const last = parts.at(-1);
  if (last === undefined) return { kind: "invalid" };
  if (kind === "addr") return addressLookup(parts, last);
  if (kind === "node") return { kind, node: parts.join("."), datacenter };
  if (kind === "query") return { kind, query: parts.join("."), datacenter };
  if (kind === "ingress" || kind === "connect") {
    return { kind: "service", service: last, tag: "", datacenter, by: kind };
  }
  return serviceLookup(parts, datacenter);
}

function addressLookup(parts: readonly string[], label: string): Lookup {
  const address = addressOfHex(label);
  const fits = label.length === 8 || label.length === 32;
  if (parts.length > 1 || (fits && address === null)) return { kind: "invalid" };
  return { kind: "addr", address };
}

/** `tag.with.dots.web`, or RFC 2782's `_web._tag`, where `_tcp` stands for no tag. */
function serviceLookup(parts: readonly string[], datacenter: string): Lookup {
  const [first = "", second = ""] = parts;
  if (parts.length === 2 && first.startsWith("_") && second.startsWith("_")) {
    const tag = second === "_tcp" ? "" : second.slice(1);
    return { kind: "service", service: first.slice(1), tag, datacenter, by: "name" };
  }
  const service = parts.at(-1) ?? "";
  const tag = parts.slice(0, -1).join(".");
  return { kind: "service", service, tag, datacenter, by: "name" };
}
