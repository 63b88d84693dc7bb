// Runs the resolver of core/dns against a cluster: answers what it needs to know with reads. Shared by the agent's
// DNS server and by DNS over HTTPS at the edge.

import type { Found, Need, ReverseName } from "./core/dns/needs.ts";
import type { CheckServiceNode, HealthCheck, Node } from "./core/model/types.ts";
import { nodeFromAfar, serviceFromAfar } from "./core/model/wan-addresses.ts";
import type { DnsRecord } from "./core/dns/records.ts";
import { type ErrorCode, ServiceError } from "./core/model/errors.ts";
import type { Cluster, ReadOptions, ReadReply } from "./ports/cluster.ts";

export interface DnsSource {
  cluster: Cluster;
  /** Node of the answering agent: what `_agent` means in a prepared query. */
  agent: string;
  /** Own datacenter of an agent that answers others' addresses in the WAN; absent: it answers what they say. */
  translatesFrom?: string | undefined;
  /** Consistency, staleness and token of every read. */
  options: ReadOptions;
  /** Told of everything that has to be known. */
  onNeed?(need: Need): void;
  /** Told of every answer used, so that whoever keeps the result knows when it is out of date. */
  onRead?(reply: ReadReply): void;
  /** Addresses of a host outside the zones; none without recursors. */
  host(name: string): Promise<DnsRecord[]>;
  /** A recursor's reply to the message that is being answered. Absent without recursors. */
  recurse?(): Promise<Uint8Array>;
}

/** Drives a resolution to its end. */
export async function drive<Result>(
  resolution: Generator<Need, Result, Found>,
  source: DnsSource,
): Promise<Result> {
  let step = resolution.next();
  while (!step.done) step = resolution.next(await find(step.value, source));
  return step.value;
}

export async function find(need: Need, source: DnsSource): Promise<Found> {
  source.onNeed?.(need);
  try {
    if (need.need === "host") return { records: await source.host(need.name) };
    if (need.need === "recursion") {
      const message = await source.recurse?.();
      return message ? { message } : { failure: "unreachable" };
    }
    if (need.need === "query") return await executedQuery(need, source);
    if (need.need === "reverse") return { reverse: await reverseName(need.address, source) };
    const options = { ...source.options, dc: need.datacenter };
    if (need.need === "node") {
      const reply = await source.cluster.read("catalog.node", { node: need.node }, options);
      source.onRead?.(reply);
      const held = JSON.parse(reply.body ?? "null") as { Node: Node } | null;
      const found = held?.Node ?? null;
      return { node: found && isFar(need.datacenter, source) ? nodeFromAfar(found) : found };
    }
    const args = { service: need.service, ...(need.tag === "" ? {} : { tags: [need.tag] }) };
    const reply = await source.cluster.read(instanceReads[need.by], args, options);
    source.onRead?.(reply);
    const instances = JSON.parse(reply.body ?? "[]") as CheckServiceNode[];
    return { instances: seen(instances, need.datacenter, source) };
  } catch (failure) {
    const isAbsent = failure instanceof ServiceError && absent.has(failure.code);
    return { failure: isAbsent ? "absent" : "unreachable" };
  }
}

function isFar(datacenter: string, { translatesFrom }: DnsSource): boolean {
  return translatesFrom !== undefined && datacenter !== translatesFrom;
}

/** Instances of a datacenter as they are reached from the agent's. */
function seen(
  instances: CheckServiceNode[],
  datacenter: string,
  source: DnsSource,
): CheckServiceNode[] {
  if (!isFar(datacenter, source)) return instances;
  return instances.map(({ Node: node, Service: service, Checks }) => {
    return { Node: nodeFromAfar(node), Service: serviceFromAfar(service), Checks };
  });
}

const absent: ReadonlySet<ErrorCode> = new Set(["no-path-to-datacenter", "not-found"]);

/** Asked anew each time: its order is drawn each time. */
async function executedQuery(
  { query, datacenter: dc, ip, seed }: Extract<Need, { need: "query" }>,
  source: DnsSource,
): Promise<Found> {
  const { cluster, agent } = source;
  const { cached: _cached, ...options } = source.options;
  const args = { query, seed, agent, ip };
  const { body } = await cluster.read("query.execute", args, { ...options, dc });
  const { Service, DNS, Datacenter, Nodes } = JSON.parse(body ?? "null") as {
    Service: string;
    DNS: { TTL: string };
    Datacenter: string;
    Nodes: (Omit<CheckServiceNode, "Checks"> & { Checks: HealthCheck[] | null })[];
  };
  const found = Nodes.map((node) => ({ ...node, Checks: node.Checks ?? [] }));
  const instances = seen(found, Datacenter, source);
  const executed = { service: Service, ttl: DNS.TTL, datacenter: Datacenter, instances };
  return { executed };
}
const instanceReads = {
  name: "health.service",
  connect: "health.connect",
  ingress: "health.ingress",
} as const;

/** One read; never from a followed view, which lags behind a write by a moment, and which every address would want. */
async function reverseName(
  address: string,
  { cluster, options: { cached: _cached, ...options } }: DnsSource,
): Promise<ReverseName | null> {
  const { body } = await cluster.read("catalog.reverse", { address }, options);
  return body === null ? null : (JSON.parse(body) as ReverseName);
}
