// A server whose state is not what its log says: found out by the digests of 1,024 entries, and healed by a snapshot.

import { afterEach, expect, test } from "vitest";

import { serverObject } from "../../../durable/platform/topology.ts";
import { digestWindow } from "../../../src/core/state/digest.ts";
import type { AgentProcess } from "./agent-process.ts";
import { checkReplicas } from "./judge.ts";
import { leaderIn, settle, startedWorld } from "./scene.ts";
import { datacenter, type ServerProcess } from "./server-process.ts";
import type { World } from "./world.ts";

let world: World;

afterEach(() => world.close());

const address = serverObject(datacenter, 0);

async function write(count: number): Promise<void> {
  const { cluster } = world.agents[0] as AgentProcess;
  const value = btoa("same");
  if (!cluster) throw new Error("the agent is down");
  const writes = Array.from({ length: count }, (_, n) =>
    cluster.write({ type: "kv.set", key: n % 100 === 0 ? "a" : `k${n}`, value, flags: "0" }, {}),
  );
  await settle(world, Promise.all(writes));
}

/** It has lost the key "a", and will make it anew where others only change it. */
async function corrupt(server: ServerProcess): Promise<void> {
  await write(200);
  await world.pass(2_000);
  server.crash();
  server.disk.corrupt(address, "DELETE FROM kv WHERE key = 'a'");
  server.start();
  await world.pass(3_000);
}

function notes(pattern: RegExp): string[] {
  return world.notes.filter((line) => pattern.test(line));
}

test("a follower that differs from a majority says so, discards its state and comes to the same tables", async () => {
  world = await startedWorld();
  const leading = await leaderIn(world);
  const linked = world.agents[0]?.server;
  const wrong = world.servers.find(
    (server) => server !== leading && server.machine.name !== linked,
  ) as ServerProcess;
  await corrupt(wrong);
  await write(2 * digestWindow);
  await world.pass(10_000);
  expect(notes(/server-\d stops: the state differs from a majority's/)).toHaveLength(1);
  await checkReplicas(world);
});

test("a leader that differs hands over, and then does the same", async () => {
  world = await startedWorld();
  await corrupt(world.servers[1] as ServerProcess);
  const wrong = world.servers[1] as ServerProcess;
  // Whoever leads now stops until the wrong one does.
  for (let turns = 0; (await leaderIn(world)) !== wrong; turns++) {
    expect(turns).toBeLessThan(20);
    const other = await leaderIn(world);
    other.machine.stop();
    await world.pass(4_000);
    other.machine.goOn();
    await world.pass(2_000);
  }
  await write(2 * digestWindow);
  await world.pass(10_000);
  expect(notes(/server-1: .*server-1 stops: the state differs/)).toHaveLength(1);
  expect(await leaderIn(world)).not.toBe(wrong);
  await checkReplicas(world);
});

test("servers that agree say nothing", async () => {
  world = await startedWorld();
  await write(2 * digestWindow);
  await world.pass(5_000);
  expect(notes(/differ/)).toEqual([]);
});

test("of two voters nobody can say who is wrong: it is told, and both go on", async () => {
  world = await startedWorld({ servers: 2, agents: 1 });
  const wrong = world.servers.find(({ machine }) => machine.name !== world.agents[0]?.server);
  await corrupt(wrong as ServerProcess);
  await write(digestWindow);
  await world.pass(10_000);
  expect(notes(/differs in the 1024 entries .* no majority can say whose is right/)).toHaveLength(
    1,
  );
  expect(notes(/ stops: /)).toEqual([]);
});
