// Calls between objects by stubs, and to other hosts by the platform's fetch.

import type { LinkSocket } from "../../../src/link/client.ts";
import { withTimeout } from "../../../src/ports/timers.ts";
import {
  type Answer,
  type ObjectAddress,
  ObjectExhausted,
  ObjectOverloaded,
  type Objects,
} from "../platform.ts";
import type { Env } from "./env.ts";
import { parseCheckerObjectName } from "../topology.ts";
import { platformTimers } from "./timers.ts";

const connectTimeoutMs = 5_000;

export class StubObjects implements Objects {
  readonly #env: Env;
  /** By name: deriving one costs as much as parsing an address, and there are few objects. */
  readonly #ids = new Map<string, DurableObjectId>();

  constructor(env: Env) {
    this.#env = env;
  }

  async call(
    to: ObjectAddress,
    path: string,
    body: Uint8Array<ArrayBuffer> | string,
    timeoutMs: number | null,
  ): Promise<Answer> {
    // A fresh stub for each attempt: one that has failed stays broken.
    const request = this.stub(to).fetch(`http://object${path}`, { method: "POST", body });
    const answer = answerOf(request);
    return await (timeoutMs === null ? answer : inTime(answer, timeoutMs));
  }

  async post(
    url: string,
    headers: Record<string, string>,
    body: Uint8Array<ArrayBuffer> | string,
    timeoutMs: number,
  ): Promise<Answer> {
    return await inTime(answerOf(fetch(url, { method: "POST", headers, body })), timeoutMs);
  }

  async connect(to: ObjectAddress, pathAndQuery: string): Promise<LinkSocket> {
    const headers = { Upgrade: "websocket" };
    return await socketOf(this.stub(to).fetch(`http://object${pathAndQuery}`, { headers }));
  }

  async dial(url: string, headers: Record<string, string>): Promise<LinkSocket> {
    const upgrade = { headers: { ...headers, Upgrade: "websocket" } };
    return await socketOf(fetch(url.replace(/^ws/, "http"), upgrade));
  }

  idOf(address: ObjectAddress): string {
    return this.#idOf(address).toString();
  }

  /** For requests that are handed on as they are, sockets among them. */
  stub(to: ObjectAddress): DurableObjectStub {
    const hint = this.#locationHint(to);
    return this.#namespace(to).get(this.#idOf(to), hint ? { locationHint: hint } : {});
  }

  #idOf(address: ObjectAddress): DurableObjectId {
    const key = `${address.kind} ${address.name}`;
    const id = this.#ids.get(key) ?? this.#namespace(address).idFromName(address.name);
    this.#ids.set(key, id);
    return id;
  }

  #namespace({ kind }: ObjectAddress): DurableObjectNamespace {
    const { SERVER, LAN_POOL, EDGE_AGENT, CHECKER } = this.#env;
    return { server: SERVER, lanPool: LAN_POOL, edgeAgent: EDGE_AGENT, checker: CHECKER }[kind];
  }

  /** Servers have their places in `wrangler.toml`; a hint counts only when the object is first created. */
  #locationHint({ kind, name }: ObjectAddress): DurableObjectLocationHint | undefined {
    if (this.#env.HOST) return undefined;
    if (kind === "checker") return regionOf(name);
    if (kind !== "server") return undefined;
    const [dc = "", , n] = name.split("/");
    const hints = this.#env.DATACENTERS[dc]?.hints ?? [];
    return hints[Number(n) % Math.max(1, hints.length)];
  }
}

/** A Checker is named after the region from which it is to look. */
function regionOf(name: string): DurableObjectLocationHint | undefined {
  const { region } = parseCheckerObjectName(name);
  return region === "any" ? undefined : (region as DurableObjectLocationHint);
}

/** As the platform says it of an object that it reset; it has no code for it. */
const exhaustedText = /exceeded its (memory|CPU)/i;

async function answerOf(request: Promise<Response>): Promise<Answer> {
  const response = await request.catch((failure: unknown) => {
    const text = failure instanceof Error ? failure.message : String(failure);
    if ((failure as { overloaded?: unknown } | null)?.overloaded === true) {
      throw new ObjectOverloaded(text);
    }
    throw exhaustedText.test(text) ? new ObjectExhausted(text) : failure;
  });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

async function socketOf(request: Promise<Response>): Promise<LinkSocket> {
  const response = await inTime(request, connectTimeoutMs);
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: status ${response.status}`);
  return socket;
}

function inTime<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
  return withTimeout(platformTimers, work, timeoutMs, late);
}
