// A platform may deliver a call twice, and fire an alarm twice. Here it does so always, between all objects of a
// datacenter, the second time at once or later: nothing happens twice.

import { afterEach, beforeEach, expect, test } from "vitest";

import { EdgeAgentObject } from "../../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type Answer,
  type HostedObject,
  noOperatorFiles,
  noOutside,
  type ObjectAddress,
  type Platform,
} from "../../../durable/platform/platform.ts";
import { lanPoolObject, serverObject } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { encodeRequests, type LinkReply, type ReadAnswer } from "../../../src/link/protocol.ts";
import { decodeServerFrame } from "../../../src/link/server-frame.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const startMs = Date.parse("2026-11-01T00:00:00Z");
/** What a Worker asks reaches its object once: nobody sends it again. */
const once = "/rpc/requests";

const settings = {
  DEFAULT_DC: "dc1",
  DATACENTERS: { dc1: { servers: 3 } },
  ACL: { defaultPolicy: "allow", keyListPolicy: false, masterToken: "" },
} as const;

class Twice extends ObjectHost {
  /** How much later the second delivery is, in ms; 0: at once. */
  laterMs = 0;
  /** Deliveries of each path. */
  readonly delivered = new Map<string, number>();

  override async handle(...request: Parameters<ObjectHost["handle"]>): Promise<Answer> {
    const [, path] = request;
    if (path === once) return await super.handle(...request);
    this.delivered.set(path, (this.delivered.get(path) ?? 0) + 2);
    const again = (): Promise<unknown> => super.handle(...request).catch(() => undefined);
    if (this.laterMs === 0) void again();
    else time.timers.set(() => void again(), this.laterMs);
    return await super.handle(...request);
  }
}

/** An object whose alarm is fired twice, and a third time after that. */
function wokenTwice(object: HostedObject): HostedObject {
  const alarm = object.alarm.bind(object);
  object.alarm = async () => {
    await Promise.all([alarm(), alarm()]);
    await alarm();
  };
  return object;
}

let time: VirtualTime;
let host: Twice;
let warnings: string[];

beforeEach(() => {
  time = new VirtualTime();
  warnings = [];
  const stores = new MemoryStores();
  host = new Twice({
    timers: time.timers,
    soon: (run) => void setImmediate(run),
    nowMs: () => startMs + time.nowMs(),
    random: Math.random,
    openStore: () => stores.open(),
    build: (address, platform) => wokenTwice(buildObject(address, platform)),
    outside: noOutside,
    operatorFiles: noOperatorFiles,
    post: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: (level, line) => {
      if (level !== "info") warnings.push(line);
    },
  });
});

afterEach(() => host.stop());

function buildObject({ kind }: ObjectAddress, platform: Platform): HostedObject {
  if (kind === "server") return new ServerObject(platform, settings);
  if (kind === "lanPool") return new LanPoolObject(platform, settings);
  return new EdgeAgentObject(platform, settings);
}

async function ask(n: number, request: object): Promise<LinkReply> {
  const body = encodeRequests([{ id: 1, ...request } as never]);
  const answering = host.call(serverObject("dc1", n), once, body, null);
  await time.pass(500);
  const frame = decodeServerFrame(String((await answering).body));
  const [reply] = "replies" in frame ? frame.replies : [];
  if (!reply) throw new Error("no reply");
  return reply;
}

async function write(n: number, command: object): Promise<LinkReply> {
  return await ask(n, { write: command as Command });
}

/** Of the leader's log. */
async function logLength(): Promise<number> {
  const reply = await ask(0, { status: true });
  const { raft } = (reply as unknown as { value: { raft: { lastLogIndex: number } } }).value;
  return raft.lastLogIndex;
}

async function read<Body>(op: string, args: object): Promise<Body> {
  const reply = (await ask(2, { read: op, args })) as ReadAnswer;
  return JSON.parse(reply.body ?? "null") as Body;
}

test.each([0, 30, 2_000])(
  "calls and alarms that come twice change nothing the second time, %i ms later",
  async (laterMs) => {
    await write(0, { type: "kv.set", key: "warm", value: "", flags: "0" });
    host.laterMs = laterMs;
    const session = { ID: crypto.randomUUID(), Node: "server-0", Name: "s", LockDelay: 0 };
    const behavior = { Behavior: "release", TTL: "10s", NodeChecks: [], ServiceChecks: [] };
    await write(1, { type: "session.create", session: { ...session, ...behavior } });
    await time.pass(3_000);
    const entries = await logLength();
    for (const n of [0, 1, 2]) {
      const lock = { type: "kv.lock", key: "lock", value: "", flags: "0", session: session.ID };
      await write(n, lock);
      await write(n, { type: "kv.set", key: `at-${n}`, value: "", flags: "0" });
    }
    await time.pass(3_000);
    expect((await logLength()) - entries).toBe(6);
    const member = encodeURIComponent(
      JSON.stringify({ name: "host", id: crypto.randomUUID(), address: "10.0.0.1" }),
    );
    (await host.connect(lanPoolObject("dc1"), `/gossip?member=${member}`)).accept?.();
    await time.pass(3_000);
    type Entry = { CreateIndex: number; ModifyIndex: number; LockIndex: number };
    for (const n of [0, 1, 2]) {
      const [entry] = await read<Entry[]>("kv.get", { key: `at-${n}` });
      expect(entry?.ModifyIndex, `at-${n}`).toBe(entry?.CreateIndex);
    }
    const checks = await read<{ Status: string; CreateIndex: number; ModifyIndex: number }[]>(
      "health.node",
      { node: "host" },
    );
    expect(checks).toMatchObject([{ Status: "passing" }]);
    expect(checks[0]?.ModifyIndex).toBe(checks[0]?.CreateIndex);
    expect(warnings).toEqual([]);
    console.log(
      `delivered twice, ${laterMs} ms later: ` +
        [...host.delivered].map(([path, count]) => `${path} ×${count}`).join(", "),
    );
  },
);
