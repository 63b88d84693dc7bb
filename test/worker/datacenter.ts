// A datacenter inside workerd, as tests see it: servers as stubs, requests as on the link.

import { env } from "cloudflare:workers";

import type { ObjectAddress } from "../../durable/platform/platform.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { edgeAgentObject, lanPoolObject, serverObject } from "../../durable/platform/topology.ts";
import type { Command } from "../../src/core/state/commands.ts";
import {
  encodeRequests,
  type LinkReply,
  type LinkRequest,
  type ReadAnswer,
} from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";

export const datacenter = env.DEFAULT_DC;
/** Secret of the token that may do everything in tests (vitest.config.ts). */
export const administrator = env.ACL?.masterToken ?? "";

export interface ServerStatus {
  role: string;
  term: number;
  leader: string | null;
  commitIndex: number;
  appliedIndex: number;
}

export function server(n: number): DurableObjectStub {
  return stub(serverObject(datacenter, n));
}

export function pool(): DurableObjectStub {
  return stub(lanPoolObject(datacenter));
}

export function edgeAgent(): DurableObjectStub {
  return stub(edgeAgentObject(datacenter));
}

function stub(address: ObjectAddress): DurableObjectStub {
  return new StubObjects(env).stub(address);
}

export async function ask(n: number, request: LinkRequest): Promise<LinkReply> {
  const response = await server(n).fetch("http://server/rpc/requests", {
    method: "POST",
    body: encodeRequests([request]),
  });
  const frame = decodeServerFrame(await response.text());
  const reply = "replies" in frame ? frame.replies[0] : undefined;
  if (!reply) throw new Error(`server ${n} answered ${response.status}`);
  return reply;
}

export async function write(n: number, command: Command): Promise<LinkReply> {
  return await ask(n, { id: 1, write: command });
}

export async function put(n: number, key: string, value: string): Promise<LinkReply> {
  return await write(n, { type: "kv.set", key, value: btoa(value), flags: "0" });
}

/** The value of a key; null when it is missing. */
export async function get(
  n: number,
  key: string,
  consistency: "default" | "consistent" | "stale" = "default",
): Promise<string | null> {
  const reply = await ask(n, { id: 1, read: "kv.get", args: { key }, consistency });
  const { body } = reply as ReadAnswer;
  if (body === null || body === undefined) return null;
  const [entry] = JSON.parse(body) as { Value: string | null }[];
  return entry?.Value == null ? "" : atob(entry.Value);
}

export async function status(n: number): Promise<ServerStatus> {
  const response = await server(n).fetch("http://server/rpc/status", { method: "POST" });
  return await response.json();
}

/** Polls until `condition` holds. */
export async function until(condition: () => Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${limitMs} ms`);
    await scheduler.wait(10);
  }
}

/** A call that the Worker makes for /v1/agent/*. */
export async function agentCall(method: string, ...args: unknown[]): Promise<void> {
  const response = await edgeAgent().fetch("http://agent/call", {
    method: "POST",
    body: JSON.stringify({ method, args }),
  });
  const { error } = await response.json<{ error?: { message: string } }>();
  if (error) throw new Error(error.message);
}

/** Joins the pool as a host agent does, and stays. */
export async function gossip(member: {
  name: string;
  id: string;
  address: string;
}): Promise<WebSocket> {
  const query = encodeURIComponent(JSON.stringify(member));
  return await open(pool(), `http://pool/gossip?member=${query}`);
}

/** Links to a server as a host agent does, and stays. */
export async function link(n: number): Promise<WebSocket> {
  return await open(server(n), "http://server/link");
}

async function open(stub: DurableObjectStub, url: string): Promise<WebSocket> {
  const response = await stub.fetch(url, { headers: { Upgrade: "websocket" } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: status ${response.status}`);
  socket.accept();
  return socket;
}
