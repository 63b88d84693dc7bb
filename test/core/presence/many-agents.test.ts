// As many agents as a deployment may have, on its real objects: pools of sockets and the servers that they tell. Time
// is virtual; what passes between objects, and what they write, is counted.

import { beforeEach, expect, test } from "vitest";

import { EdgeAgentObject } from "../../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  noOperatorFiles,
  noOutside,
  type ObjectAddress,
  type Platform,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject, lanPoolOf, serverObject } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import { gossipPingIntervalMs } from "../../../src/core/gossip/liveness.ts";
import type { Sql } from "../../../src/core/lib/sql.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { encodeRequests, linkPing, type LinkReply } from "../../../src/link/protocol.ts";
import { decodeServerFrame } from "../../../src/link/server-frame.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const startMs = Date.parse("2026-11-01T00:00:00Z");
const pools = 8;

/** Every call between objects, by the object that it reaches and its path. */
class CountingHost extends ObjectHost {
  readonly calls: { to: string; path: string; bytes: number }[] = [];

  override async handle(
    ...request: Parameters<ObjectHost["handle"]>
  ): ReturnType<ObjectHost["handle"]> {
    const [{ name }, path, body] = request;
    this.calls.push({ to: name, path, bytes: body.length });
    return await super.handle(...request);
  }

  count(path: string): number {
    return this.calls.filter((call) => call.path === path).length;
  }
}

let time: VirtualTime;
let host: CountingHost;
let settings: Settings;
/** By the object's name. */
let databases: Map<string, Sql>;
let warnings: string[];

beforeEach(() => {
  time = new VirtualTime();
  databases = new Map();
  warnings = [];
  settings = {
    DEFAULT_DC: "dc1",
    DATACENTERS: { dc1: { servers: 3, pools } },
    ACL: { defaultPolicy: "allow", keyListPolicy: false, masterToken: "" },
  };
  const stores = new MemoryStores();
  host = new CountingHost({
    timers: time.timers,
    soon: (run) => void setImmediate(run),
    nowMs: () => startMs + time.nowMs(),
    random: Math.random,
    openStore: () => stores.open(),
    build: (address, platform) => {
      databases.set(address.name, platform.sql);
      return buildObject(address, platform);
    },
    outside: noOutside,
    operatorFiles: noOperatorFiles,
    post: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: (level, line) => {
      if (level !== "info") warnings.push(line);
    },
  });
});

function buildObject({ kind }: ObjectAddress, platform: Platform): HostedObject {
  if (kind === "server") return new ServerObject(platform, settings);
  if (kind === "lanPool") return new LanPoolObject(platform, settings);
  return new EdgeAgentObject(platform, settings);
}

/** Rows that an object has written since it was constructed. */
function rowsWritten(name: string): number {
  return databases.get(name)?.exec<{ n: number }>("SELECT total_changes() AS n")[0]?.n ?? 0;
}

async function ask(request: object): Promise<LinkReply | undefined> {
  const { body } = await host.call(serverObject("dc1", 0), "/rpc/requests", frameOf(request), null);
  const frame = decodeServerFrame(String(body));
  return "replies" in frame ? frame.replies[0] : undefined;
}

function frameOf(request: object): string {
  return encodeRequests([{ id: 1, ...request } as never]);
}

/** Names of nodes whose `serfHealth` has this status. */
async function members(status: string): Promise<string[]> {
  const reply = await ask({ read: "health.state", args: { state: status } });
  if (!reply || !("body" in reply)) throw new Error(JSON.stringify(reply));
  const { body } = reply;
  const checks = JSON.parse(body ?? "[]") as { Node: string; CheckID: string }[];
  return checks.filter(({ CheckID }) => CheckID === "serfHealth").map(({ Node }) => Node);
}

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `host-${n}`);

function uuidOf(name: string): string {
  return `00000000-0000-4000-8000-${name.slice("host-".length).padStart(12, "0")}`;
}

interface Agent {
  name: string;
  pool: string;
  socket: LinkSocket;
  frames: string[];
}

async function join(name: string): Promise<Agent> {
  const pool = lanPoolOf(name, settings, "dc1");
  const member = encodeURIComponent(
    JSON.stringify({ name, id: uuidOf(name), address: "10.0.0.1" }),
  );
  const socket = await host.connect(pool, `/gossip?member=${member}`);
  const frames: string[] = [];
  socket.addEventListener("message", ({ data }) => void frames.push(String(data)));
  socket.accept?.();
  return { name, pool: pool.name, socket, frames };
}

async function lead(): Promise<void> {
  void ask({ write: { type: "kv.set", key: "warm", value: "", flags: "0" } });
  await time.pass(3_000);
  host.calls.length = 0;
}

/** What it was before is printed beside it. */
function heapMb(): number {
  return process.memoryUsage().heapUsed / 1e6;
}

test("a thousand agents that join at once are a few rounds of the leader", async () => {
  await lead();
  const logBefore = rowsWritten("dc1/server/1");
  await Promise.all(names(1_000).map(join));
  await time.pass(1_000);
  expect(await members("passing")).toEqual(expect.arrayContaining(names(1_000)));
  const told = host.count("/rpc/members");
  const rounds = host.count("/rpc/raft") / 2;
  console.log(
    `1,000 joins at once: ${told} calls to the leader, ${rounds} calls to each follower, ` +
      `${rowsWritten("dc1/server/1") - logBefore} rows at one of them`,
  );
  // Each pool tells of those who joined in one turn, and of those who joined meanwhile.
  expect(told).toBeLessThanOrEqual(2 * pools + 6);
  expect(rounds).toBeLessThanOrEqual(3 * pools);

  // What the agents register then goes through whichever server they are linked to.
  host.calls.length = 0;
  const link = await host.connect(serverObject("dc1", 1), "/link");
  let registered = 0;
  link.addEventListener("message", ({ data }) => {
    const frame = decodeServerFrame(String(data));
    if ("replies" in frame) registered += frame.replies.filter((one) => "value" in one).length;
  });
  link.accept?.();
  for (const [id, Node] of names(1_000).entries()) {
    const Service = { ID: "web", Service: "web", Port: 80 };
    const registration = { Node, Address: "10.0.0.1", Service, SkipNodeUpdate: true };
    link.send(encodeRequests([{ id, write: { type: "catalog.register", registration } } as never]));
  }
  await time.pass(2_000);
  expect(registered).toBe(1_000);
  const forwarded = host.count("/rpc/forward");
  const appends = host.count("/rpc/raft") / 2;
  console.log(`1,000 registrations: ${forwarded} forwarded lists, ${appends} calls a follower`);
  expect(forwarded).toBeLessThanOrEqual(6);
  expect(appends).toBeLessThanOrEqual(12);
  host.stop();
});

test("10,000 agents: spread evenly, each a socket and nothing more, through joining and a deploy", async () => {
  const count = 10_000;
  settings.DATACENTERS["dc1"] = { servers: 1, pools };
  await lead();
  const before = heapMb();
  let agents: Agent[] = [];
  for (const name of names(count)) agents.push(await join(name));
  await time.pass(2_000);
  expect((await members("passing")).filter((name) => name.startsWith("host-"))).toHaveLength(count);

  const sizes = sizesOf(agents);
  const calls = callsByObject();
  const rows = poolRows();
  const frameBytes = agents.flatMap(({ frames }) => frames).join("").length;
  console.log(
    `10,000 agents on ${pools} pools: ${Math.min(...sizes)} to ${Math.max(...sizes)} each, ` +
      `${(rows / count).toFixed(1)} rows and ${(frameBytes / count).toFixed(0)} B each to join, ` +
      `at most ${Math.max(...calls.values())} calls to one object, ` +
      `heap ${before.toFixed(0)} → ${heapMb().toFixed(0)} MB for all of it`,
  );
  expect(sizes).toHaveLength(pools);
  expect(Math.max(...sizes)).toBeLessThan((1.15 * count) / pools);
  expect(Math.min(...sizes)).toBeGreaterThan((0.85 * count) / pools);
  for (const { frames } of agents) expect(frames).toHaveLength(1);
  // A member's row, the fact for the leader, and its end.
  expect(rows).toBeLessThanOrEqual(3 * count + 10 * pools);

  // A deploy drops every socket within a few seconds; all come back.
  host.calls.length = 0;
  for (const [at, { socket }] of agents.entries()) {
    socket.close(1006, "");
    if (at % 100 === 0) await time.pass(20);
  }
  agents = [];
  for (const name of names(count)) agents.push(await join(name));
  for (let pings = 0; pings < 4; pings++) {
    for (const { socket } of agents) socket.send(linkPing);
    await time.pass(gossipPingIntervalMs);
  }
  const again = poolRows() - rows;
  console.log(
    `a deploy: ${(again / count).toFixed(1)} rows an agent, ` +
      `${host.count("/rpc/members")} calls to the leader`,
  );
  expect((await members("critical")).filter((name) => name.startsWith("host-"))).toEqual([]);
  expect(host.count("/rpc/members")).toBe(0);
  expect(again).toBeLessThanOrEqual(4 * count);
  expect(warnings).toEqual([]);
  host.stop();
}, 30_000);

function sizesOf(agents: readonly Agent[]): number[] {
  const sizes = new Map<string, number>();
  for (const { pool } of agents) sizes.set(pool, (sizes.get(pool) ?? 0) + 1);
  return [...sizes.values()];
}

function callsByObject(): Map<string, number> {
  const calls = new Map<string, number>();
  for (const { to } of host.calls) calls.set(to, (calls.get(to) ?? 0) + 1);
  return calls;
}

function poolRows(): number {
  let rows = 0;
  for (let n = 0; n < pools; n++) rows += rowsWritten(lanPoolObject("dc1", n).name);
  return rows;
}
