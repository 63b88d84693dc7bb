// Sessions with a TTL on simulated hosts: never ended early, whoever leads and whatever was away, and ended in time.

import { afterEach, expect, test } from "vitest";

import { leaderIn, settle, startedWorld } from "./scene.ts";
import type { World } from "./world.ts";

let world: World;

afterEach(() => world.close());

const ttlMs = 10_000;
const id = "00000000-0000-4000-b000-000000000001";

async function createSession(): Promise<void> {
  const session = {
    ...{ ID: id, Name: "", Node: "agent-0", LockDelay: 0, Behavior: "release" },
    ...{ TTL: `${ttlMs / 1_000}s`, NodeChecks: [], ServiceChecks: null, Checks: null },
  };
  await settle(world, world.agents[0]?.cluster?.write({ type: "session.create", session }, {}));
}

async function lives(): Promise<boolean> {
  const read = world.agents[0]?.cluster?.read("session.info", { id }, {});
  const reply = await settle(world, read);
  return (JSON.parse(reply?.body ?? "[]") as unknown[]).length > 0;
}

async function renew(): Promise<void> {
  await settle(world, world.agents[0]?.cluster?.renewSession(id, {}));
}

test("one that nobody renews ends between one and two TTLs later", async () => {
  world = await startedWorld();
  await createSession();
  await world.pass(ttlMs);
  expect(await lives()).toBe(true);
  await world.pass(ttlMs + 500);
  expect(await lives()).toBe(false);
});

test("a new leader gives it two TTLs, and then ends it", async () => {
  world = await startedWorld();
  await createSession();
  await world.pass(1.5 * ttlMs);
  const killed = await leaderIn(world);
  killed.crash();
  await world.pass(1.5 * ttlMs);
  expect(await lives()).toBe(true);
  await world.pass(ttlMs);
  expect(await lives()).toBe(false);
});

test.each([1, 3])("an outage of all %i servers for a minute ends nobody's", async (servers) => {
  world = await startedWorld({ servers, agents: 1 });
  await createSession();
  for (const server of world.servers) server.crash();
  await world.pass(60_000);
  for (const server of world.servers) server.start();
  await world.pass(12_000);
  await renew();
  expect(await lives()).toBe(true);
  await world.pass(3 * ttlMs);
  expect(await lives()).toBe(false);
});

test("nor does a server that was stopped for a minute", async () => {
  world = await startedWorld({ servers: 1, agents: 1 });
  await createSession();
  const [server] = world.servers;
  server?.machine.stop();
  await world.pass(60_000);
  server?.machine.goOn();
  await world.pass(8_000);
  await renew();
  expect(await lives()).toBe(true);
});

test("renewed ones live through changes of leader", async () => {
  world = await startedWorld();
  await createSession();
  for (let round = 0; round < 4; round++) {
    const leading = await leaderIn(world);
    leading.machine.stop();
    for (let turn = 0; turn < 2; turn++) {
      await world.pass(6_000);
      await renew();
    }
    leading.machine.goOn();
    await world.pass(2_000);
    await renew();
  }
  expect(await lives()).toBe(true);
});
