// Who is who: names of objects, identities of servers, and which peer is an object of this very deployment.

import { withoutRoot } from "../../src/core/model/ca-configuration.ts";
import type { ObjectAddress, Objects } from "./platform.ts";
import type { Settings } from "./settings.ts";
import { shardOf } from "./shard.ts";

/** A server as its peers know it. */
export interface PeerAddress {
  id: string;
  name: string;
  /** `ip:port` */
  address: string;
}

const serverPort = 8_300;

export function serverObject(dc: string, n: number): ObjectAddress {
  return { kind: "server", name: `${dc}/server/${n}` };
}

export function parseServerObjectName(name: string): { dc: string; n: number } {
  const match = /^(.+)\/server\/(\d+)$/.exec(name);
  if (!match) throw new Error(`${name} is not the name of a server object`);
  return { dc: match[1] as string, n: Number(match[2]) };
}

/** One of the objects that together are the agent at the Worker's URL. The first also keeps what is the node's. */
export function edgeAgentObject(dc: string, n = 0): ObjectAddress {
  return { kind: "edgeAgent", name: `${dc}/agent/${n}` };
}

export function parseEdgeAgentObjectName(name: string): { dc: string; n: number } {
  const match = /^(.+)\/agent\/(\d+)$/.exec(name);
  if (!match) throw new Error(`${name} is not the name of an edge agent object`);
  return { dc: match[1] as string, n: Number(match[2]) };
}

export function edgeAgentCount(settings: Settings, dc: string): number {
  return settings.DATACENTERS[dc]?.agents ?? 1;
}

/**
 * Which of them keeps a service: by its id, where a sidecar goes with its service. Services that were registered when
 * there were fewer stay in the first.
 */
export function edgeAgentOf(serviceId: string, count: number): number {
  return shardOf(serviceId.replace(/-sidecar-proxy$/, ""), count);
}

export interface CheckerName {
  dc: string;
  /** Number of the EdgeAgent whose checks it runs. */
  shard: number;
  region: string;
}

export function checkerObject(dc: string, shard: number, region: string): ObjectAddress {
  return { kind: "checker", name: `${dc}/checker/${shard}/${region}` };
}

export function parseCheckerObjectName(name: string): CheckerName {
  const match = /^(.+)\/checker\/(\d+)\/(.+)$/.exec(name);
  if (!match) throw new Error(`${name} is not the name of a checker object`);
  const [, dc = "", shard = "", region = ""] = match;
  return { dc, shard: Number(shard), region };
}

/** From where checks are run; one place that the platform chooses, unless the deployer names some. */
export function checkerRegions(settings: Settings, dc: string): readonly string[] {
  const named = settings.DATACENTERS[dc]?.checkers ?? [];
  return settings.HOST || named.length === 0 ? ["any"] : [...new Set(named)];
}

export function lanPoolObject(dc: string, n = 0): ObjectAddress {
  return { kind: "lanPool", name: `${dc}/lan/${n}` };
}

/** A host has one pool; on Cloudflare agents are spread over as many as its deployer wishes, by their node's name. */
export function lanPoolCount(settings: Settings, dc: string): number {
  return settings.HOST ? 1 : (settings.DATACENTERS[dc]?.pools ?? 1);
}

/** The pool that the agent of a node belongs to. */
export function lanPoolOf(node: string, settings: Settings, dc: string): ObjectAddress {
  return lanPoolObject(dc, shardOf(node, lanPoolCount(settings, dc)));
}

/** The datacenter that the others copy. */
export function primaryOf(settings: Settings): string {
  return settings.PRIMARY_DC ?? settings.DEFAULT_DC;
}

/**
 * What settings mean in one of their datacenters: first tokens and first entries are the primary's, and so are the root
 * certificates of a deployment, with their key and their trust domain.
 */
export function settingsOf(settings: Settings, dc: string): Settings {
  const primary = primaryOf(settings);
  if (dc === primary) return settings;
  const { ACL, CONNECT, CONFIG_ENTRIES: _entries, ...own } = settings;
  return {
    ...own,
    ...(ACL && { ACL: { ...ACL, masterToken: "", primary } }),
    // Servers of one's own have a configuration for each datacenter.
    ...(CONNECT && { CONNECT: own.HOST ? CONNECT : { config: withoutRoot(CONNECT.config ?? {}) } }),
  };
}

/** How many servers of `dc` are objects of this deployment; 0 for a datacenter that is not part of it. */
export function serverCount(settings: Settings, dc: string): number {
  if (settings.HOST) return dc === settings.DEFAULT_DC ? settings.HOST.servers.length : 0;
  return Object.hasOwn(settings.DATACENTERS, dc) ? (settings.DATACENTERS[dc]?.servers ?? 0) : 0;
}

/** Servers that make up a datacenter when it is new. */
export function serversExpected(settings: Settings, dc: string): number {
  return settings.HOST ? settings.HOST.bootstrapExpect : serverCount(settings, dc);
}

/**
 * Id, node name and address of server `n`. A host agent chooses them for its own servers. On Cloudflare the id is
 * the object's own, in the form of a UUID, and the address an unroutable one that is the same everywhere.
 */
export function serverIdentity(
  settings: Settings,
  objects: Objects,
  dc: string,
  n: number,
): PeerAddress {
  const hosted = settings.HOST?.servers[n];
  if (hosted) return hosted;
  return {
    id: uuidOf(objects.idOf(serverObject(dc, n))),
    name: `server-${n}`,
    address: `240.0.0.${n + 1}:${serverPort}`,
  };
}

/** The node that owns services registered at the Worker's URL; its address, too, is unroutable. */
export function edgeNode(objects: Objects, dc: string): PeerAddress {
  return {
    id: uuidOf(objects.idOf(edgeAgentObject(dc))),
    name: "edge",
    address: "240.0.0.254",
  };
}

function uuidOf(hash: string): string {
  const starts = [0, 8, 12, 16, 20];
  const ends = [8, 12, 16, 20, 32];
  return starts.map((start, at) => hash.slice(start, ends[at])).join("-");
}

/** Gives the object of a peer that belongs to this deployment, null for all others. */
export function ownObjects(
  settings: Settings,
  objects: Objects,
  dc: string,
): (peer: PeerAddress) => ObjectAddress | null {
  const numbers = new Map<string, number>();
  for (let n = 0; n < serverCount(settings, dc); n++) {
    numbers.set(serverIdentity(settings, objects, dc, n).id, n);
  }
  return ({ id }) => {
    const n = numbers.get(id);
    return n === undefined ? null : serverObject(dc, n);
  };
}
