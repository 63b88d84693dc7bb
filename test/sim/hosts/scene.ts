// What scenarios on simulated hosts share: a datacenter that has started, who leads it, and time to pass.

import type { HostProcess } from "./host-process.ts";
import { type HostOptions, type Trace, World } from "./world.ts";

/** Three servers and two agents that know each other, unless `options` says otherwise. */
export async function startedWorld(
  options: Partial<HostOptions> = {},
  trace: Trace | null = null,
): Promise<World> {
  const defaults = { seed: 1, servers: 3, agents: 2, delayMaxMs: 2, diskMaxMs: 2 };
  const world = new World({ ...defaults, faults: 0, turmoilMs: 0, ...options }, trace);
  for (const host of world.hosts) host.start();
  await world.pass(3_000);
  for (const agent of world.agents) agent.start();
  await world.pass(2_000);
  return world;
}

export interface Status {
  role: string;
  leader: string | null;
  configuration: { members: { id: string; name: string; voter: boolean }[] };
}

export async function statusOf(server: HostProcess): Promise<Status> {
  const { body } = await server.serve("/rpc/status", "");
  return JSON.parse(String(body)) as Status;
}

export async function leaderIn(world: World): Promise<HostProcess> {
  for (const server of world.servers) {
    if (!server.machine.isUp) continue;
    if ((await statusOf(server)).role === "leader") return server;
  }
  throw new Error("nobody leads");
}

/** Lets time pass until `work` is done. */
export async function settle<Value>(
  world: World,
  work: Promise<Value> | undefined,
): Promise<Value | undefined> {
  if (!work) return undefined;
  const done: Value[] = [];
  const failures: unknown[] = [];
  void work.then(
    (value) => done.push(value),
    (failure: unknown) => failures.push(failure),
  );
  while (done.length + failures.length === 0) await world.pass(5);
  if (failures.length > 0) throw failures[0];
  return done[0];
}
