// Who is who: names of objects, identities of servers, and which peer is an object of this very Worker.

import type { Env } from "./env.ts";
import type { PeerAddress, StubOf } from "../raft/transport.ts";

const serverPort = 8_300;

/** Name of the object that is server `n` of a datacenter. */
export function serverObjectName(dc: string, n: number): string {
  return `${dc}/server/${n}`;
}

export function parseServerObjectName(name: string): { dc: string; n: number } {
  const match = /^(.+)\/server\/(\d+)$/.exec(name);
  if (!match) throw new Error(`${name} is not the name of a server object`);
  return { dc: match[1] as string, n: Number(match[2]) };
}

/** How many servers of `dc` are objects of this Worker. */
export function serverCount(env: Env, dc: string): number {
  return env.HOST ? env.HOST.servers.length : (env.DATACENTERS[dc]?.servers ?? 0);
}

/** Servers that make up a datacenter when it is new. */
export function serversExpected(env: Env, dc: string): number {
  return env.HOST ? env.HOST.bootstrapExpect : serverCount(env, dc);
}

/**
 * Id, node name and address of server `n`. A host agent chooses them for its own servers. On Cloudflare the id is
 * the object's own, in the form of a UUID, and the address an unroutable one that is the same everywhere.
 */
export function serverIdentity(env: Env, dc: string, n: number): PeerAddress {
  const hosted = env.HOST?.servers[n];
  if (hosted) return hosted;
  const hash = env.SERVER.idFromName(serverObjectName(dc, n)).toString();
  return {
    id: uuidOf(hash),
    name: `server-${n}`,
    address: `240.0.0.${n + 1}:${serverPort}`,
  };
}

/** The node that owns services registered at the Worker's URL; its address, too, is unroutable. */
export function edgeNode(env: Env, dc: string): PeerAddress {
  const hash = env.EDGE_AGENT.idFromName(edgeAgentName(dc)).toString();
  return { id: uuidOf(hash), name: "edge", address: "240.0.0.254" };
}

export function edgeAgentStub(env: Env, dc: string): DurableObjectStub {
  return env.EDGE_AGENT.get(env.EDGE_AGENT.idFromName(edgeAgentName(dc)));
}

function edgeAgentName(dc: string): string {
  return `${dc}/agent/0`;
}

export function lanPoolName(dc: string): string {
  return `${dc}/lan/0`;
}

function uuidOf(hash: string): string {
  const starts = [0, 8, 12, 16, 20];
  const ends = [8, 12, 16, 20, 32];
  return starts.map((start, at) => hash.slice(start, ends[at])).join("-");
}

export function serverStub(env: Env, dc: string, n: number): DurableObjectStub {
  const name = serverObjectName(dc, n);
  if (env.HOST) return env.SERVER.get(env.SERVER.idFromName(name));
  const hints = env.DATACENTERS[dc]?.hints ?? [];
  const hint = hints[n % Math.max(1, hints.length)];
  return env.SERVER.get(env.SERVER.idFromName(name), hint ? { locationHint: hint } : {});
}

/** Gives fresh stubs for peers that live in this Worker, null for all others. */
export function stubsOf(env: Env, dc: string): StubOf {
  const numbers = new Map<string, number>();
  for (let n = 0; n < serverCount(env, dc); n++) numbers.set(serverIdentity(env, dc, n).id, n);
  return ({ id }) => {
    const n = numbers.get(id);
    return n === undefined ? null : serverStub(env, dc, n);
  };
}
