// The zone itself: SOA and NS (Consul's DNS rules, §4). Any name in the zone gets these answers for these types.

import type { CheckServiceNode } from "../model/types.ts";
import { familyOf } from "./address.ts";
import type { ResolveContext } from "./context.ts";
import { zoneOf } from "./name.ts";
import type { Resolution } from "./needs.ts";
import { type Answer, type DnsRecord, emptyAnswer, ttlSeconds } from "./records.ts";
import { healthyInstances } from "./service-records.ts";

const nameServersMax = 3;
const validLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Of the zone that the name lies in: a name under the second zone has that one's. */
export function soaRecord(name: string, { settings, nowSeconds }: ResolveContext): DnsRecord {
  const { soa } = settings;
  const domain = zoneOf(name, settings) ?? settings.domain;
  return {
    name: domain,
    type: "SOA",
    ttl: soa.minTtlSeconds,
    data: {
      mname: `ns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: nowSeconds,
      refresh: soa.refreshSeconds,
      retry: soa.retrySeconds,
      expire: soa.expireSeconds,
      minimum: soa.minTtlSeconds,
    },
  };
}

export function* apexAnswer(type: "SOA" | "NS", name: string, context: ResolveContext): Resolution {
  const { datacenter } = context.settings;
  const wanted = { service: "consul", tag: "", datacenter, by: "name" } as const;
  const found = yield { need: "service", ...wanted };
  const instances = "instances" in found ? healthyInstances(found.instances, false) : [];
  const servers = pickServers(zoneOf(name, context.settings) ?? "", instances, context);
  const answer: Answer = {
    ...emptyAnswer("NOERROR"),
    additionals: servers.map(({ glue }) => glue),
  };
  const names = servers.map(({ ns }) => ns);
  if (type === "NS") return { ...answer, answers: names };
  return { ...answer, answers: [soaRecord(name, context)], authorities: names };
}

function pickServers(
  zone: string,
  instances: readonly CheckServiceNode[],
  { settings, random }: ResolveContext,
): { ns: DnsRecord; glue: DnsRecord }[] {
  const ttl = ttlSeconds(settings.nodeTtlMs);
  const usable = instances.filter(
    ({ Node: node }) => validLabel.test(node.Node) && familyOf(node.Address) !== null,
  );
  const picked: CheckServiceNode[] = [];
  const rest = [...usable];
  while (picked.length < nameServersMax && rest.length > 0) {
    picked.push(...rest.splice(random.integer(0, rest.length), 1));
  }
  return picked.map(({ Node: node }) => {
    const target = `${node.Node}.node.${settings.datacenter}.${settings.domain}`;
    const type = familyOf(node.Address) === "ipv4" ? "A" : "AAAA";
    return {
      ns: { name: zone, type: "NS", ttl, data: target },
      glue: { name: target, type, ttl, data: node.Address },
    };
  });
}
