// One fault at a time on simulated hosts, and what its victims see of it. Times are simulated.

import { afterEach, describe, expect, test, vi } from "vitest";

import type { LinkCluster } from "../../../src/link/cluster.ts";
import type { AgentProcess } from "./agent-process.ts";
import { Client, type Told } from "./clients.ts";
import type { Machine } from "./machine.ts";
import { checkHistory } from "./run.ts";
import { checkReplicas } from "./judge.ts";
import type { HostProcess } from "./host-process.ts";
import { leaderIn, settle as settled, startedWorld, statusOf } from "./scene.ts";
import type { HostOptions, World } from "./world.ts";

let world: World;

afterEach(() => world.close());

async function datacenter(options: Partial<HostOptions> = {}): Promise<World> {
  world = await startedWorld(options);
  return world;
}

async function leader(): Promise<HostProcess> {
  return await leaderIn(world);
}

async function settle<Value>(work: Promise<Value> | undefined): Promise<Value | undefined> {
  return await settled(world, work);
}

async function healthOf(name: string): Promise<string | undefined> {
  const { cluster } = world.agents[0] ?? {};
  const reply = await settle(cluster?.read("health.node", { node: name }, {}));
  const checks = JSON.parse(reply?.body ?? "[]") as { CheckID: string; Status: string }[];
  return checks.find(({ CheckID }) => CheckID === "serfHealth")?.Status;
}

function clients(told: Told[]): Client[] {
  return world.agents.flatMap((agent) => [0, 1, 2].map((n) => new Client(world, agent, n, told)));
}

describe("when the leader dies", () => {
  test.each([1, 2, 3, 4, 5, 6])("no write at a follower fails (seed %i)", async (seed) => {
    await datacenter({ seed });
    const dying = await leader();
    const told: Told[] = [];
    for (const agent of world.agents) {
      // Linked to followers: what they cannot answer, they forward.
      while (agent.server === dying.machine.name) {
        dying.machine.stop();
        await world.pass(4_000);
        dying.machine.goOn();
        await world.pass(1_000);
      }
    }
    const killed = await leader();
    if (world.agents.some((agent) => agent.server === killed.machine.name)) return;
    for (const client of clients(told)) client.start();
    await world.pass(1_000);
    killed.crash();
    await world.pass(9_000);
    expect(told.length).toBeGreaterThan(50);
    expect(told.filter(({ error }) => error !== null)).toEqual([]);
  });

  test("a stopped one that goes on takes nobody's health with it", async () => {
    await datacenter();
    const stopped = await leader();
    stopped.machine.stop();
    await world.pass(20_000);
    stopped.machine.goOn();
    await world.pass(15_000);
    await checkReplicas(world);
    for (const { name } of world.machines)
      expect([name, await healthOf(name)]).toEqual([name, "passing"]);
  });
});

test("requests of an agent whose server hangs are answered by another one within 4 s", async () => {
  await datacenter();
  const [agent] = world.agents;
  const hung = world.servers.find(({ machine }) => machine.name === agent?.server);
  hung?.machine.stop();
  const startedMs = world.queue.now;
  const reply = await settle(
    agent?.cluster?.read("kv.get", { key: "a" }, { consistency: "stale" }),
  );
  expect(reply).toBeDefined();
  expect(world.queue.now - startedMs).toBeLessThan(4_000);
  expect(agent?.server).not.toBe(hung?.machine.name);
});

test("a server that lost its disk takes its own place, and one more may die", async () => {
  await datacenter();
  const dead = world.servers.find((server) => server.machine.name !== world.agents[0]?.server);
  dead?.wipe();
  await world.pass(5_000);
  dead?.start();
  await world.pass(15_000);
  const { configuration } = await statusOf(await leader());
  expect(configuration.members.map(({ id, voter }) => `${id} ${voter}`).toSorted()).toEqual(
    world.servers.map(({ id }) => `${id} true`).toSorted(),
  );
  await checkReplicas(world);
  const other = world.servers.find(
    ({ machine }) =>
      machine.name !== dead?.machine.name && machine.name !== world.agents[0]?.server,
  );
  other?.crash();
  await world.pass(3_000);
  const told: Told[] = [];
  const [client] = clients(told);
  expect((await settle(client?.put("a")))?.error).toBeNull();
});

describe("founding a datacenter", () => {
  test.each([
    ["one expects three, two say nothing", [3, 0, 0]],
    ["all expect three", [3, 3, 3]],
    ["one bootstraps, two join", [1, 0, 0]],
  ])("%s: one group of three", async (_how, expects) => {
    await datacenter({ expects, agents: 1 });
    await world.pass(10_000);
    const { configuration } = await statusOf(await leader());
    expect(configuration.members.filter(({ voter }) => voter)).toHaveLength(3);
    await checkReplicas(world);
    for (const { name } of world.machines) {
      expect([name, await healthOf(name)]).toEqual([name, "passing"]);
    }
  });

  test.each([
    ["nobody expects anything", [0, 0, 0]],
    ["they expect different numbers", [3, 2, 0]],
    ["more are expected than there are", [4, 4, 4]],
  ])("%s: nobody founds", async (_how, expects) => {
    await datacenter({ expects, agents: 0 });
    await world.pass(10_000);
    for (const server of world.servers) {
      const { role, configuration } = await statusOf(server);
      expect([role, configuration.members]).toEqual(["follower", []]);
    }
  });
});

test("an agent that is killed is called failed within 20 s, and passing again when it is back", async () => {
  await datacenter();
  const killed = world.agents[1];
  const name = killed?.machine.name ?? "";
  killed?.crash();
  await world.pass(20_000);
  expect(await healthOf(name)).toBe("critical");
  killed?.start();
  await world.pass(5_000);
  expect(await healthOf(name)).toBe("passing");
});

test("an agent that falls silent without closing its socket is called failed within 60 s", async () => {
  await datacenter();
  const silent = world.agents[1];
  const name = silent?.machine.name ?? "";
  silent?.machine.stop();
  await world.pass(60_000);
  expect(await healthOf(name)).toBe("critical");
  silent?.machine.goOn();
  await world.pass(10_000);
  expect(await healthOf(name)).toBe("passing");
});

test("a thousand members that join at once reach the catalog in a few round trips", async () => {
  await datacenter({ agents: 1 });
  const leading = await leader();
  const facts = Array.from({ length: 1_000 }, (_, n) => ({
    name: `host-${n}`,
    id: `00000000-0000-4000-a000-${String(n).padStart(12, "0")}`,
    address: "10.0.2.1",
    status: "alive",
  }));
  const calls = world.servers
    .filter((server) => server !== leading)
    .map((server) => vi.spyOn(server, "serve"));
  await settle(leading.serve("/rpc/members", JSON.stringify(facts)));
  const appends = calls.map(
    ({ mock }) => mock.calls.filter(([path]) => path === "/rpc/raft").length,
  );
  for (const count of appends) expect(count).toBeLessThanOrEqual(5);
  expect(await healthOf("host-999")).toBe("passing");
});

test("agents of a large datacenter compare themselves with the catalog more rarely", async () => {
  await datacenter({ agents: 1, seed: 3 });
  const leading = await leader();
  const many = Array.from({ length: 4_096 }, (_, n) => ({
    ...{ name: `host-${n}`, address: "10.0.2.1", status: "alive" },
    id: `00000000-0000-4000-a000-${String(n).padStart(12, "0")}`,
  }));
  await settle(leading.serve("/rpc/members", JSON.stringify(many)));
  // The sync that learns it is over within two minutes; the next ones are up to seven minutes apart.
  await world.pass(120_000);
  const reads = vi.spyOn(world.agents[0]?.cluster as LinkCluster, "read");
  await world.pass(30 * 60_000);
  const syncs = reads.mock.calls.filter(([op]) => op === "catalog.node-services").length;
  expect(syncs).toBeGreaterThan(2);
  expect(syncs).toBeLessThan(15);
});

test("a leader that only its clients can reach does not answer default reads from its past", async () => {
  await datacenter();
  const [near, far] = world.agents;
  const isolated = world.servers.find(({ machine }) => machine.name === near?.server);
  // Whoever serves the near agent is to lead, and the far agent is to be served by another.
  for (let turns = 0; (await leader()) !== isolated; turns++) {
    expect(turns).toBeLessThan(20);
    const other = await leader();
    other.machine.stop();
    await world.pass(4_000);
    other.machine.goOn();
    await world.pass(2_000);
  }
  // The far agent looks for another server first.
  world.wire.cut(far?.machine as Machine, isolated?.machine);
  world.wire.cut(isolated?.machine, far?.machine as Machine);
  await world.pass(15_000);
  expect(far?.server).not.toBe(isolated?.machine.name);
  for (const { machine } of world.servers) {
    if (machine === isolated?.machine) continue;
    for (const [from, to] of [
      [isolated?.machine, machine],
      [near?.machine, machine],
    ]) {
      world.wire.cut(from as Machine, to as Machine);
      world.wire.cut(to as Machine, from as Machine);
    }
  }
  const told: Told[] = [];
  const writer = new Client(world, far as AgentProcess, 0, told);
  const reader = new Client(world, near as AgentProcess, 0, told);
  for (let round = 0; round < 150; round++) {
    if (round % 5 === 0) void writer.put("a");
    void reader.get("a", "default");
    await world.pass(20);
  }
  await world.pass(12_000);
  checkHistory(told);
  const answered = told.filter(({ kind, error }) => kind === "put" && error === null);
  expect(answered.length).toBeGreaterThan(10);
});
