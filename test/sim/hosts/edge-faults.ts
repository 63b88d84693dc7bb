// What strikes a deployment. Its platform loses no disk and keeps its clocks in step, but takes an object's memory
// whenever it likes, ends all objects at once with every deploy, and cannot always reach one from another.

import type { DeployedObject } from "./deployment.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

type Fault = (world: World, forMs: number) => string;

export const edgeFaults: Record<string, Fault> = {
  "a deploy": (world) => {
    for (const placed of world.deployed) placed.reset();
    return "all objects";
  },
  "an object is reset": (world) => {
    const placed = anyObject(world);
    placed.reset();
    return placed.machine.name;
  },
  "an object cannot be run": (world, forMs) => {
    const placed = anyObject(world);
    placed.crash();
    world.queue.after(forMs, () => {
      if (placed.machine.isDown) placed.start();
    });
    return placed.machine.name;
  },
  "memory is lost": (world) => {
    const placed = anyObject(world);
    placed.forget(placed.object);
    return placed.machine.name;
  },
  "all memory is lost": (world) => {
    for (const placed of world.deployed) placed.forget(placed.object);
    return "all objects";
  },
  "an object stalls": (world, forMs) => {
    const { machine } = anyObject(world);
    machine.stop();
    world.queue.after(forMs, () => machine.goOn());
    return machine.name;
  },
  "an object is cut off": (world, forMs) => {
    const { machine } = anyObject(world);
    cutOff(world, machine, world.machines);
    world.queue.after(forMs, () => world.wire.heal());
    return machine.name;
  },
  "one direction is cut": (world, forMs) => {
    const [from, to] = [anyObject(world).machine, anyObject(world).machine];
    if (from !== to) world.wire.cut(from, to);
    world.queue.after(forMs, () => world.wire.heal());
    return `${from.name} > ${to.name}`;
  },
  "an agent is cut off": (world, forMs) => {
    const agent = world.agents[world.random.integer(0, world.agents.length)];
    if (agent) cutOff(world, agent.machine, world.machines);
    world.queue.after(forMs, () => world.wire.heal());
    return agent?.machine.name ?? "";
  },
  "crash of an agent": (world, forMs) => {
    const agent = world.agents[world.random.integer(0, world.agents.length)];
    agent?.crash();
    world.queue.after(forMs, () => {
      if (agent?.machine.isDown) agent.start();
    });
    return agent?.machine.name ?? "";
  },
  "stop of an agent": (world, forMs) => {
    const agent = world.agents[world.random.integer(0, world.agents.length)];
    agent?.machine.stop();
    world.queue.after(forMs, () => agent?.machine.goOn());
    return agent?.machine.name ?? "";
  },
  "slow storage": (world, forMs) => {
    const placed = anyObject(world);
    world.slowDisks.add(placed);
    world.queue.after(forMs, () => world.slowDisks.delete(placed));
    return placed.machine.name;
  },
  "a write fails": (world) => {
    const { disk, machine } = anyObject(world);
    disk.failIn = world.random.integer(1, 30);
    return `${machine.name}, in ${disk.failIn} transactions`;
  },
  "nobody asks": (world, forMs) => {
    // Longer than it takes to fall asleep.
    world.quietUntilMs = world.queue.now + world.idleMs + forMs;
    return "all objects";
  },
};

function anyObject(world: World): DeployedObject {
  return world.deployed[world.random.integer(0, world.deployed.length)] as DeployedObject;
}

function cutOff(world: World, machine: Machine, others: readonly Machine[]): void {
  for (const other of others) {
    if (other === machine) continue;
    world.wire.cut(machine, other);
    world.wire.cut(other, machine);
  }
}
