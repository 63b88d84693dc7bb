// User events on simulated hosts: they reach every agent once, whatever happens to sockets, pools and servers on the
// way. Times are simulated.

import { afterEach, expect, test } from "vitest";

import type { UserEvent } from "../../../src/core/model/user-event.ts";
import type { AgentProcess } from "./agent-process.ts";
import { DeployedObject } from "./deployment.ts";
import { leaderIn, settle, startedWorld } from "./scene.ts";
import type { World } from "./world.ts";

let world: World;
let fired = 0;

afterEach(() => world.close());

function event(Name: string): UserEvent {
  const ID = `${String(++fired).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const filters = { NodeFilter: "", ServiceFilter: "", TagFilter: "" };
  return { ID, Name, Payload: "", ...filters, Version: 1, LTime: 0 };
}

async function fire(agent: AgentProcess | undefined, name: string): Promise<void> {
  await settle(world, agent?.cluster?.fireEvent(event(name), {}));
}

function heard(): string[][] {
  return world.agents.map((agent) => agent.heard);
}

test.each(["lan", "edge"] as const)("every agent has it within a second (%s)", async (preset) => {
  world = await startedWorld({ agents: 12, ...(preset === "edge" && { preset: "edge" }) });
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  await fire(world.agents[7], "b");
  await world.pass(1_000);
  expect(heard()).toEqual(world.agents.map(() => ["a", "b"]));
});

test("a pool that slept has its members' sockets, and what it said before", async () => {
  world = await startedWorld({ preset: "edge", agents: 4 });
  await fire(world.agents[0], "a");
  const pool = world.deployed.find(({ object }) => object.kind === "lanPool");
  const before = (pool as DeployedObject).slept;
  await world.pass(900_000);
  expect((pool as DeployedObject).slept).toBeGreaterThan(before);
  await fire(world.agents[1], "b");
  await world.pass(1_000);
  expect(heard()).toEqual(world.agents.map(() => ["a", "b"]));
});

test("where nothing is fired nobody wakes: an idle deployment sleeps as before", async () => {
  world = await startedWorld({ preset: "edge" });
  await fire(world.agents[0], "a");
  await world.pass(60_000);
  const edge = world.deployed.find(({ object }) => object.kind === "edgeAgent");
  const { slept } = edge as DeployedObject;
  await world.pass(3_600_000);
  // Who has nothing to do is constructed by nobody.
  expect((edge as DeployedObject).slept).toBe(slept);
});

test("an agent that was cut off has what it missed when it is back, and nothing twice", async () => {
  world = await startedWorld({ agents: 3 });
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  const [lost] = world.agents;
  for (const { machine } of world.servers) {
    world.wire.cut(lost?.machine as never, machine);
    world.wire.cut(machine, lost?.machine as never);
  }
  await world.pass(60_000);
  await fire(world.agents[1], "b");
  await fire(world.agents[2], "c");
  await world.pass(1_000);
  expect(lost?.heard).toEqual(["a"]);
  world.wire.heal();
  await world.pass(60_000);
  expect(heard()).toEqual(world.agents.map(() => ["a", "b", "c"]));
});

test("an agent that starts anew hears of nothing old, and of everything new", async () => {
  world = await startedWorld({ agents: 2 });
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  world.agents[1]?.crash();
  await world.pass(30_000);
  world.agents[1]?.start();
  await world.pass(5_000);
  await fire(world.agents[0], "b");
  await world.pass(1_000);
  expect(heard()).toEqual([["a", "b"], ["b"]]);
});

test("a deployment loses all sockets, and no event", async () => {
  world = await startedWorld({ preset: "edge", agents: 5 });
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  const pool = world.deployed.find(({ object }) => object.kind === "lanPool");
  pool?.reset();
  await fire(world.agents[1], "b");
  await world.pass(60_000);
  expect(heard()).toEqual(world.agents.map(() => ["a", "b"]));
});

test("pools of servers that could not reach each other come to have the same", async () => {
  world = await startedWorld({ agents: 6 });
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  // All were at one server: half of them look for another one, the others come back to it.
  const [first] = world.servers;
  const moved = world.agents.slice(3);
  for (const agent of world.agents.slice(0, 3)) agent.crash();
  first?.crash();
  await world.pass(6_000);
  first?.start();
  await world.pass(2_000);
  for (const agent of world.agents.slice(0, 3)) agent.start();
  await world.pass(5_000);
  const away = moved.find(({ server }) => server !== first?.machine.name);
  const here = world.agents.find(({ server }) => server === first?.machine.name);
  expect([away, here]).not.toContain(undefined);
  for (const other of world.servers.slice(1)) {
    world.wire.cut(first?.machine as never, other.machine);
    world.wire.cut(other.machine, first?.machine as never);
  }
  await fire(here, "b");
  await fire(away, "c");
  await world.pass(2_000);
  expect(here?.heard).not.toContain("c");
  world.wire.heal();
  await world.pass(60_000);
  for (const agent of world.agents)
    expect(agent.heard.filter((name) => name !== "a").toSorted()).toEqual(["b", "c"]);
});

test("a server that was down when it was fired tells the agents that come to it", async () => {
  world = await startedWorld({ agents: 4 });
  const leader = await leaderIn(world);
  const [down] = world.servers.filter((server) => server !== leader);
  down?.crash();
  await world.pass(10_000);
  await fire(world.agents[0], "a");
  await world.pass(1_000);
  down?.start();
  await world.pass(10_000);
  for (const server of world.servers) if (server !== down) server.crash();
  await world.pass(20_000);
  for (const server of world.servers) if (server !== down) server.start();
  await world.pass(20_000);
  await fire(world.agents[3], "b");
  await world.pass(5_000);
  expect(heard()).toEqual(world.agents.map(() => ["a", "b"]));
});
