// Blocking queries on simulated hosts: whatever a server forgets or replaces, who waits hears of a change at once.

import { afterEach, expect, test } from "vitest";

import { serverObject } from "../../../durable/platform/topology.ts";
import type { LinkCluster } from "../../../src/link/cluster.ts";
import { encodeRequests } from "../../../src/link/protocol.ts";
import { leaderIn, settle, startedWorld } from "./scene.ts";
import { datacenter, type ServerProcess } from "./server-process.ts";
import type { World } from "./world.ts";

let world: World;

afterEach(() => world.close());

const key = "a";

function cluster(): LinkCluster {
  return world.agents[0]?.cluster as LinkCluster;
}

async function put(text: string, at = key): Promise<void> {
  const command = { type: "kv.set", key: at, value: btoa(text), flags: "0" } as const;
  await settle(world, cluster().write(command, {}));
}

async function index(): Promise<number> {
  return (await settle(world, cluster().read("kv.get", { key }, {})))?.index ?? 0;
}

test("a server that lost its memory is asked again, and wakes who waits there", async () => {
  world = await startedWorld({ agents: 1 });
  await put("1");
  const minIndex = await index();
  const bodies: (string | null)[] = [];
  void cluster()
    .read("kv.get", { key }, { minIndex, waitMs: 600_000 })
    .then(({ body }) => bodies.push(body));
  await world.pass(1_000);
  const home = world.servers.find(({ machine }) => machine.name === world.agents[0]?.server);
  home?.forget(serverObject(datacenter, 0));
  await world.pass(3_000);
  await put("2");
  await world.pass(1_000);
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toContain(btoa("2"));
});

/** Of a link that this test holds by itself. */
async function askOverLink(server: ServerProcess, frames: string[]): Promise<void> {
  const near = world.agents[0]?.machine;
  if (!near) throw new Error("there is no agent");
  const socket = await settle(world, server.dial(near, "/link", 1_000));
  socket?.addEventListener("message", ({ data }) => frames.push(String(data)));
  const args = { key };
  socket?.accept?.();
  socket?.send(
    encodeRequests([{ id: 1, read: "kv.get", args, consistency: "stale", minIndex: 2 }]),
  );
}

test("a snapshot that takes the place of the state wakes who waits there", async () => {
  world = await startedWorld({ agents: 1 });
  // So many that the log is compacted: a newcomer needs a snapshot.
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 500 }, async (_, n) => await put("x", `k${n}`)));
  }
  await put("1");
  await world.pass(2_000);
  const leading = await leaderIn(world);
  const wiped = world.servers.find(
    (server) => server !== leading && server.machine.name !== world.agents[0]?.server,
  ) as ServerProcess;
  wiped.wipe();
  await world.pass(5_000);
  for (const { machine } of world.servers) {
    if (machine === wiped.machine) continue;
    world.wire.cut(machine, wiped.machine);
    world.wire.cut(wiped.machine, machine);
  }
  wiped.start();
  const frames: string[] = [];
  await askOverLink(wiped, frames);
  await world.pass(3_000);
  const answers = (): string[] => frames.filter((frame) => frame.includes(btoa("1")));
  expect(frames.some((frame) => frame.includes('"waiting":true'))).toBe(true);
  expect(answers()).toEqual([]);
  world.wire.heal();
  await world.pass(15_000);
  expect(answers()).toHaveLength(1);
});
