// The records of a service's instances (Consul's DNS rules, §2.2).

import { aggregatedStatus, type HealthCheckStatus } from "./health.ts";
import { hexOfAddress } from "../lib/ip-address.ts";
import { familyOf } from "./address.ts";
import { nodeTexts, taggedAddress } from "./node-records.ts";
import type { DnsRecord } from "./records.ts";
import { ttlSeconds } from "./records.ts";
import type { DnsSettings } from "./settings.ts";
import type { CheckServiceNode, Node } from "../model/types.ts";

export interface ServiceRecords {
  answers: DnsRecord[];
  additionals: DnsRecord[];
  /** Host names that instances stand for, in place of addresses. */
  hosts: { owner: string; target: string; texts: DnsRecord[] }[];
}

/** Instances that may be answered: none with a critical check, or with `onlyPassing` none that is not passing. */
export function healthyInstances(
  instances: readonly CheckServiceNode[],
  onlyPassing: boolean,
): CheckServiceNode[] {
  return instances.filter(({ Checks }) =>
    Checks.every(({ Status }) => (onlyPassing ? Status === "passing" : Status !== "critical")),
  );
}

/** Address records for `name`, de-duplicated; instances of another family are left out. */
export function addressRecords(
  name: string,
  type: "A" | "AAAA" | "ANY",
  instances: readonly CheckServiceNode[],
  options: { settings: DnsSettings; ttlMs: number },
): ServiceRecords {
  const ttl = ttlSeconds(options.ttlMs);
  const found: ServiceRecords = { answers: [], additionals: [], hosts: [] };
  const seen = new Set<string>();
  const { aRecordLimit } = options.settings;
  for (const instance of instances) {
    const address = instanceAddress(instance, type);
    const family = familyOf(address);
    if (family === null) {
      found.hosts.push({ owner: name, target: address, texts: [] });
      continue;
    }
    const record = { name, type: family === "ipv4" ? "A" : "AAAA", ttl, data: address } as const;
    if ((type !== "ANY" && record.type !== type) || seen.has(address)) continue;
    seen.add(address);
    found.answers.push(record);
    if (aRecordLimit > 0 && found.answers.length >= aRecordLimit) break;
  }
  return found;
}

/** SRV records for `name`, with the addresses of their targets beside them. */
export function serverRecords(
  name: string,
  instances: readonly CheckServiceNode[],
  options: { settings: DnsSettings; ttlMs: number; datacenter: string },
): ServiceRecords {
  const ttl = ttlSeconds(options.ttlMs);
  const found: ServiceRecords = { answers: [], additionals: [], hosts: [] };
  const seen = new Set<string>();
  for (const instance of instances) {
    const { Node: node, Service: service } = instance;
    const key = `${node.Node} ${ownAddress(instance, "SRV")} ${service.Port}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const { target, record } = srvTarget(instance, options, ttl);
    const texts = nodeTextsOf(instance, options, ttl);
    const weight = srvWeight(instance);
    const data = { priority: 1, weight, port: service.Port, target };
    found.answers.push({ name, type: "SRV", ttl, data });
    if (record) found.additionals.push(record, ...texts);
    else found.hosts.push({ owner: target, target, texts });
  }
  return found;
}

/** Without a record of its address the target is a host name. */
function srvTarget(
  instance: CheckServiceNode,
  { settings, datacenter }: { settings: DnsSettings; datacenter: string },
  ttl: number,
): { target: string; record: DnsRecord | null } {
  const { Node: node } = instance;
  const address = instanceAddress(instance, "SRV");
  const family = familyOf(address);
  if (family === null) return { target: address.replace(/\.$/, ""), record: null };
  // The node's name only stands for the node's plain address.
  const isNode = ownAddress(instance, "SRV") === "" && address === node.Address;
  const target = isNode
    ? nodeName(node, settings, datacenter)
    : `${hexOfAddress(address)}.addr.${datacenter}.${settings.domain}`;
  const type = family === "ipv4" ? "A" : "AAAA";
  return { target, record: { name: target, type, ttl, data: address } };
}

/** Under the node's own name, whatever the target is called. */
function nodeTextsOf(
  { Node: node }: CheckServiceNode,
  { settings, datacenter }: { settings: DnsSettings; datacenter: string },
  ttl: number,
): DnsRecord[] {
  return settings.nodeMetaTxt ? nodeTexts(nodeName(node, settings, datacenter), node, ttl) : [];
}

function nodeName({ Node: node }: Node, { domain }: DnsSettings, datacenter: string): string {
  return `${node}.node.${datacenter}.${domain}`;
}

/** Weights follow the worst status of the instance's checks. */
function srvWeight({ Service: service, Checks: checks }: CheckServiceNode): number {
  const { Passing: passing, Warning: warning } = service.Weights ?? { Passing: 1, Warning: 1 };
  const status: HealthCheckStatus = aggregatedStatus(checks.map(({ Status }) => Status));
  if (status === "passing") return passing;
  return status === "warning" ? warning : 0;
}

function instanceAddress(instance: CheckServiceNode, type: string): string {
  const { Node: node } = instance;
  return ownAddress(instance, type) || taggedAddress(type, node.Address, node.TaggedAddresses);
}

/** The instance's own address, tagged or plain; "" when it is reached at its node's. */
function ownAddress({ Service: service }: CheckServiceNode, type: string): string {
  const tagged = service.TaggedAddresses;
  if (!tagged) return service.Address;
  const { lan_ipv4: older, lan_ipv6: newer } = tagged;
  return taggedAddress(type, service.Address, {
    lan_ipv4: older?.Address ?? "",
    lan_ipv6: newer?.Address ?? "",
  });
}
