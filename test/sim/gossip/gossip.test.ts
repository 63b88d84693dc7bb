// Gossip by seed: whatever happens to agents and their ways to each other and to the pool, nobody who is well is called
// failed, and the dead are noticed. Any failure prints its seed.

import { expect, test } from "vitest";

import { membersMax } from "../../../src/core/gossip/swim/members.ts";
import { Mesh, type MeshAgent } from "../../support/swim-mesh.ts";
import { type GossipResult, median, runGossip } from "./run.ts";

const minute = 60_000;

test("50 agents: the first seeds; `npm run sim -- --gossip` runs more", async () => {
  const runs: GossipResult[] = [];
  for (let seed = 1; seed <= 4; seed++) runs.push(await runGossip(seed));
  const noticed = runs.flatMap(({ noticedMs }) => noticedMs);
  const bytes = runs.flatMap(({ bytesPerMinute }) => bytesPerMinute);
  console.log(
    `${noticed.length} deaths: noticed after ${(median(noticed) / 1_000).toFixed(1)} s (median), ` +
      `${(Math.max(...noticed) / 1_000).toFixed(1)} s at most; under faults an agent's datagrams are ` +
      `${(median(bytes) / 1_000).toFixed(1)} kB a minute`,
  );
  expect(noticed.length).toBeGreaterThan(10);
});

test("10,000 agents: the dead are found, nobody else is complained of, and one costs what one of 50 does", () => {
  const [seed, count, dead] = [3, 10_000, 20];
  // They know as many as they ever do, so that this is about being there, not about joining all at once.
  const mesh = new Mesh({ seed, agents: count, introduced: 2 * membersMax });
  mesh.run(minute);
  for (const agent of mesh.agents) agent.bytes = 0;
  mesh.run(minute);
  const idle = mesh.agents.map(({ bytes }) => bytes);
  mesh.loss = 0.05;
  const victims = Array.from({ length: dead }, (_, n) => mesh.agents[n * 300 + 7] as MeshAgent);
  for (const victim of victims) mesh.crash(victim);
  // Each is probed three times a minute on average, and in one minute of twenty not at all.
  mesh.run(4 * minute);
  const complaints = mesh.running.flatMap(({ unreachable }) => unreachable);
  const known = mesh.running.map(({ swim }) => swim?.membership.count ?? 0);
  console.log(
    `10,000 agents: ${median(idle)} B a minute each (median), ${Math.max(...idle)} B at most; ` +
      `${complaints.length} complaints of ${dead} dead; each knows ${Math.min(...known)} others or more`,
  );
  const names = victims.map(({ name }) => name).toSorted();
  expect([...new Set(complaints)].toSorted(), `seed ${seed}`).toEqual(names);
  expect(Math.max(...known)).toBeLessThanOrEqual(membersMax + 1);
  // Six probes, its own and those of others, with the names and addresses that so many have.
  expect(median(idle)).toBeLessThan(1_500);
});

test("one seed gives one history", async () => {
  const small = { agents: 20, minutes: 5 };
  expect(await runGossip(77, small)).toEqual(await runGossip(77, small));
});
