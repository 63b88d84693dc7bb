// What happens to the agents of a simulated datacenter, by chance.

import type { MeshAgent } from "../../support/swim-mesh.ts";
import type { Agent } from "./agent.ts";
import type { GossipWorld } from "./world.ts";

/** Agents whose process has ended for longer than it takes to notice, and how long that took. */
export interface Deaths {
  noticedMs: number[];
  missed: string[];
}

const deathMs = 100_000;

type Fault = (world: GossipWorld, deaths: Deaths) => void;

export const faults: Record<string, Fault> = {
  /** A host is gone without a word. */
  vanish: (world, deaths) => die(world, deaths, true),
  kill: (world, deaths) => die(world, deaths, false),
  /** As a busy host pauses, or a stopped process. */
  pause: (world) => {
    const agent = world.some();
    agent?.pause(1_000 + world.random.next() * 14_000);
  },
  hang: (world) => world.some()?.pause(90_000),
  /** Its way to the pool is cut, and others reach it. */
  cutFromPool: (world) => {
    const agent = world.some();
    if (agent) cutFor(world, agent, 20_000 + world.random.next() * 60_000);
  },
  partition: (world) => {
    const left = new Set(world.mesh.agents.filter(() => world.random.next() < 0.4));
    block(world, (from, to) => left.has(from) !== left.has(to));
  },
  oneWay: (world) => {
    const [mute] = [world.random.integer(0, world.mesh.agents.length)];
    const deaf = world.mesh.agents[mute];
    block(world, (from, to) => from === deaf && to !== deaf);
  },
  loss: (world) => {
    world.mesh.loss = [0, 0.05, 0.3][world.random.integer(0, 3)] ?? 0;
  },
  /** A deploy, or a restart of the server's: every socket is lost. */
  deploy: (world) => {
    for (const agent of world.agents) agent.dropSocket();
  },
  /** Every agent's process is replaced. */
  restartAll: (world) => {
    for (const agent of world.agents.slice(1)) {
      if (!agent.isRunning || agent.mesh.isPaused) continue;
      agent.end({ isSilent: false });
      world.mesh.queue.after(500 + world.random.next() * 2_000, () => agent.start());
    }
  },
};

function die(world: GossipWorld, deaths: Deaths, isSilent: boolean): void {
  const agent = world.some();
  if (!agent) return;
  const { name } = agent;
  const diedMs = world.nowMs;
  world.failedMs.delete(name);
  agent.end({ isSilent });
  world.mesh.queue.after(deathMs, () => {
    const failedMs = world.failedMs.get(name);
    if (failedMs === undefined) deaths.missed.push(`${name}, dead at ${Math.round(diedMs)} ms`);
    else deaths.noticedMs.push(failedMs - diedMs);
    agent.start();
  });
}

function cutFor(world: GossipWorld, agent: Agent, ms: number): void {
  const { life } = agent.mesh;
  agent.isCut = true;
  world.mesh.queue.after(ms, () => {
    if (agent.mesh.life !== life) return;
    agent.isCut = false;
    agent.cutMs = world.nowMs;
  });
}

/** For half a minute. */
function block(world: GossipWorld, blocks: (from: MeshAgent, to: MeshAgent) => boolean): void {
  world.mesh.passes = (from, to) => !blocks(from, to);
  world.meshCutMs = world.nowMs + 30_000;
  world.mesh.queue.after(30_000, () => {
    world.mesh.passes = () => true;
  });
}
