// What autopilot does with a group of simulated hosts, and what operators are told. Times are simulated.

import { afterEach, expect, test } from "vitest";

import type { GroupHealth } from "../../../src/core/model/autopilot.ts";
import type { HostProcess } from "./host-process.ts";
import { leaderIn, settle, startedWorld, statusOf } from "./scene.ts";
import { World } from "./world.ts";

let world: World;

afterEach(() => world.close());

async function namesIn(): Promise<string[]> {
  const { configuration } = await statusOf(await leaderIn(world));
  return configuration.members.map(({ name, voter }) => (voter ? name : `(${name})`)).toSorted();
}

async function health(): Promise<GroupHealth> {
  const { cluster } = world.agents[0] ?? {};
  const found = await settle(world, cluster?.autopilotHealth({}));
  if (!found) throw new Error("there is no agent");
  return found;
}

async function followers(): Promise<HostProcess[]> {
  const leads = await leaderIn(world);
  return world.servers.filter((server) => server !== leads && server.machine.isUp);
}

async function transfer(id: string): Promise<string> {
  const { cluster } = world.agents[0] ?? {};
  try {
    await settle(world, cluster?.transferLeadership(id, {}));
    return "done";
  } catch (failure) {
    return (failure as Error).message;
  }
}

/** Three servers, and a fourth that is not there yet. */
async function threeOfFour(): Promise<HostProcess> {
  world = new World(
    {
      ...{ seed: 3, servers: 4, agents: 1, delayMaxMs: 2, diskMaxMs: 2, faults: 0, turmoilMs: 0 },
      expects: [3, 3, 3, 0],
      stabilizationMs: 10_000,
    },
    null,
  );
  const [newcomer] = world.servers.slice(3);
  for (const server of world.servers.slice(0, 3)) server.start();
  await world.pass(3_000);
  for (const agent of world.agents) agent.start();
  await world.pass(2_000);
  return newcomer as HostProcess;
}

test("a dead server leaves the group when another one has taken its place, and not before", async () => {
  const newcomer = await threeOfFour();
  const [dead] = await followers();
  dead?.crash();
  await world.pass(30_000);
  expect(await namesIn()).toEqual(["server-0", "server-1", "server-2"]);
  newcomer.start();
  await world.pass(5_000);
  // It has no vote before it was healthy for ServerStabilizationTime.
  expect(await namesIn()).toEqual(["(server-3)", "server-0", "server-1", "server-2"]);
  await world.pass(25_000);
  const alive = world.servers
    .filter((server) => server !== dead)
    .map(({ machine }) => machine.name);
  expect(await namesIn()).toEqual(alive.toSorted());
  expect(await health()).toMatchObject({ Healthy: true, FailureTolerance: 1 });
});

test("health follows a server that dies and comes back", async () => {
  world = await startedWorld();
  const before = await health();
  expect(before).toMatchObject({ Healthy: true, FailureTolerance: 1 });
  const [victim] = await followers();
  victim?.crash();
  await world.pass(8_000);
  const during = await health();
  expect(during).toMatchObject({ Healthy: false, FailureTolerance: 0 });
  const name = victim?.machine.name ?? "";
  const found = during.Servers.find(({ Name }) => Name === name);
  expect(found).toMatchObject({ Healthy: false, SerfStatus: "failed", LastContact: -1 });
  victim?.start();
  await world.pass(5_000);
  const after = await health();
  expect(after).toMatchObject({ Healthy: true, FailureTolerance: 1 });
  // It is new to health; the others are as they were.
  const since = (of: GroupHealth, server: string) =>
    of.Servers.find(({ Name }) => Name === server)?.StableSince;
  const [other] = await followers().then((all) => all.filter((one) => one !== victim));
  expect(since(after, name)).not.toBe(since(before, name));
  expect(since(after, other?.machine.name ?? "")).toBe(since(before, other?.machine.name ?? ""));
});

test.each(["lan", "edge"] as const)(
  "leadership is handed over where asked (%s)",
  async (preset) => {
    world = await startedWorld(preset === "edge" ? { preset: "edge" } : {});
    const { configuration } = await statusOf(await leaderIn(world));
    const first = (await leaderIn(world)).machine.name;
    const heir = configuration.members.find(({ name }) => name !== first);
    expect(await transfer(heir?.id ?? "")).toBe("done");
    expect((await leaderIn(world)).machine.name).toBe(heir?.name);
    expect(await transfer("nobody")).toBe('id "nobody" was not found in the Raft configuration');
    expect(await transfer(heir?.id ?? "")).toBe("cannot transfer leadership to itself");
    expect(await transfer("")).toBe("done");
    expect((await leaderIn(world)).machine.name).not.toBe(heir?.name);
  },
);

test("a deployment that is idle is healthy all the same", async () => {
  world = await startedWorld({ preset: "edge" });
  await world.pass(1_200_000);
  expect(await health()).toMatchObject({ Healthy: true, FailureTolerance: 1 });
});

/** As an agent's `leave` asks its own server. */
async function leave(server: HostProcess): Promise<string> {
  const answer = await settle(world, server.serve("/rpc/leave", ""));
  return String(answer?.body);
}

async function catalogNames(): Promise<string[]> {
  const { cluster } = world.agents[0] ?? {};
  const read = await settle(world, cluster?.read("catalog.nodes", {}, { consistency: "default" }));
  return (JSON.parse(read?.body ?? "[]") as { Node: string }[]).map(({ Node }) => Node).toSorted();
}

test("servers leave one by one until the last, which stays, and come back with their data", async () => {
  world = await startedWorld();
  const all = ["server-0", "server-1", "server-2"];
  const leading = await leaderIn(world);
  expect(await leave(leading)).toBe("true");
  leading.crash();
  await world.pass(3_000);
  const two = all.filter((name) => name !== leading.machine.name);
  expect(await namesIn()).toEqual(two);
  expect(await catalogNames()).toEqual(
    [...world.agents.map((one) => one.machine.name), ...two].toSorted(),
  );
  const [second] = await followers();
  expect(await leave(second as HostProcess)).toBe("true");
  second?.crash();
  await world.pass(3_000);
  const last = await leaderIn(world);
  expect(await namesIn()).toEqual([last.machine.name]);
  expect(await leave(last)).toBe("false");
  expect(await namesIn()).toEqual([last.machine.name]);
  leading.start();
  second?.start();
  await world.pass(60_000);
  expect(await namesIn()).toEqual(all);
});

test("a server that was replaced while it was away comes back, though it has a log", async () => {
  const newcomer = await threeOfFour();
  const [dead] = await followers();
  dead?.crash();
  await world.pass(30_000);
  newcomer.start();
  await world.pass(60_000);
  expect(await namesIn()).not.toContain(dead?.machine.name);
  dead?.start();
  await world.pass(60_000);
  expect(await namesIn()).toEqual(["server-0", "server-1", "server-2", "server-3"]);
});

test("a log tells who comes back, and who is a stranger", async () => {
  const newcomer = await threeOfFour();
  const server = { id: newcomer.id, name: "stranger", address: "10.9.9.9:8300" };
  const introduced = { server, datacenter: "dc1", empty: false, bootstrapExpect: 0, known: [] };
  const welcome = async (
    clusterId: string | null,
  ): Promise<{ clusterId: string; removal?: object }> => {
    const asked = (await leaderIn(world)).serve(
      "/rpc/introduce",
      JSON.stringify({ ...introduced, clusterId }),
    );
    return JSON.parse(String((await settle(world, asked))?.body)) as { clusterId: string };
  };
  const stranger = await welcome("another");
  expect(stranger).not.toHaveProperty("removal");
  expect(await welcome(null)).not.toHaveProperty("removal");
  expect(await welcome(stranger.clusterId)).toHaveProperty("removal.term");
  await world.pass(5_000);
  expect(await namesIn()).toEqual(["server-0", "server-1", "server-2"]);
});
