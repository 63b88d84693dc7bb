// As many agents as a deployment may have, on its real objects: pools of sockets and the servers that they tell. Time
// is virtual; what passes between objects, and what they write, is counted.

import { afterEach, expect, test } from "vitest";

import { lanPoolObject, lanPoolOf } from "../../../durable/platform/topology.ts";
import { gossipPingIntervalMs } from "../../../src/core/gossip/liveness.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { encodeRequests, linkPing } from "../../../src/link/protocol.ts";
import { ObjectDatacenter } from "../../support/object-datacenter.ts";

const pools = 8;
let dc: ObjectDatacenter;

afterEach(() => dc.host.stop());

/** Names of nodes whose `serfHealth` has this status. */
async function members(status: string): Promise<string[]> {
  const checks = await dc.read<{ Node: string; CheckID: string }[]>("health.state", {
    state: status,
  });
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
  const pool = lanPoolOf(name, dc.settings, "dc1");
  const member = encodeURIComponent(
    JSON.stringify({ name, id: uuidOf(name), address: "10.0.0.1" }),
  );
  const socket = await dc.host.connect(pool, `/gossip?member=${member}`);
  const frames: string[] = [];
  socket.addEventListener("message", ({ data }) => void frames.push(String(data)));
  socket.accept?.();
  return { name, pool: pool.name, socket, frames };
}

/** What it was before is printed beside it. */
function heapMb(): number {
  return process.memoryUsage().heapUsed / 1e6;
}

test("a thousand agents that join at once are a few rounds of the leader", async () => {
  dc = new ObjectDatacenter({ datacenter: { servers: 3, pools } });
  await dc.lead();
  const logBefore = dc.rowsWritten("dc1/server/1");
  await Promise.all(names(1_000).map(join));
  await dc.time.pass(1_000);
  expect(await members("passing")).toEqual(expect.arrayContaining(names(1_000)));
  const told = dc.count("/rpc/members");
  const rounds = dc.count("/rpc/raft") / 2;
  console.log(
    `1,000 joins at once: ${told} calls to the leader, ${rounds} calls to each follower, ` +
      `${dc.rowsWritten("dc1/server/1") - logBefore} rows at one of them`,
  );
  // Each pool tells of those who joined in one turn, and of those who joined meanwhile.
  expect(told).toBeLessThanOrEqual(2 * pools + 6);
  expect(rounds).toBeLessThanOrEqual(3 * pools);

  // What the agents register then goes through whichever server they are linked to.
  dc.calls.length = 0;
  const { socket, replies } = await dc.link(1);
  for (const [id, Node] of names(1_000).entries()) {
    const Service = { ID: "web", Service: "web", Port: 80 };
    const registration = { Node, Address: "10.0.0.1", Service, SkipNodeUpdate: true };
    socket.send(
      encodeRequests([{ id, write: { type: "catalog.register", registration } } as never]),
    );
  }
  await dc.time.pass(2_000);
  expect(replies.filter((one) => "value" in one)).toHaveLength(1_000);
  const forwarded = dc.count("/rpc/forward");
  const appends = dc.count("/rpc/raft") / 2;
  console.log(`1,000 registrations: ${forwarded} forwarded lists, ${appends} calls a follower`);
  expect(forwarded).toBeLessThanOrEqual(6);
  expect(appends).toBeLessThanOrEqual(12);
});

test("10,000 agents: spread evenly, each a socket and nothing more, through joining and a deploy", async () => {
  const count = 10_000;
  dc = new ObjectDatacenter({ datacenter: { servers: 1, pools } });
  await dc.lead();
  const before = heapMb();
  let agents: Agent[] = [];
  for (const name of names(count)) agents.push(await join(name));
  await dc.time.pass(2_000);
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
  dc.calls.length = 0;
  for (const [at, { socket }] of agents.entries()) {
    socket.close(1006, "");
    if (at % 100 === 0) await dc.time.pass(20);
  }
  agents = [];
  for (const name of names(count)) agents.push(await join(name));
  for (let pings = 0; pings < 4; pings++) {
    for (const { socket } of agents) socket.send(linkPing);
    await dc.time.pass(gossipPingIntervalMs);
  }
  const again = poolRows() - rows;
  console.log(
    `a deploy: ${(again / count).toFixed(1)} rows an agent, ` +
      `${dc.count("/rpc/members")} calls to the leader`,
  );
  expect((await members("critical")).filter((name) => name.startsWith("host-"))).toEqual([]);
  expect(dc.count("/rpc/members")).toBe(0);
  expect(again).toBeLessThanOrEqual(4 * count);
  expect(dc.warnings).toEqual([]);
}, 30_000);

function sizesOf(agents: readonly Agent[]): number[] {
  const sizes = new Map<string, number>();
  for (const { pool } of agents) sizes.set(pool, (sizes.get(pool) ?? 0) + 1);
  return [...sizes.values()];
}

function callsByObject(): Map<string, number> {
  const calls = new Map<string, number>();
  for (const { to } of dc.calls) calls.set(to, (calls.get(to) ?? 0) + 1);
  return calls;
}

function poolRows(): number {
  let rows = 0;
  for (let n = 0; n < pools; n++) rows += dc.rowsWritten(lanPoolObject("dc1", n).name);
  return rows;
}
