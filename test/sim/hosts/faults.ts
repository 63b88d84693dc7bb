// What strikes simulated machines: each fault at a time and place of the seed's choosing, and undone some time later.

import { lanPoolObject } from "../../../durable/platform/topology.ts";
import { edgeFaults } from "./edge-faults.ts";
import type { HostProcess } from "./host-process.ts";
import { datacenter } from "./server-process.ts";
import type { World } from "./world.ts";

export type Fault = (world: World, forMs: number) => string;

const faults: Record<string, Fault> = {
  "crash of a server": (world, forMs) => {
    const server = anyServer(world);
    server.crash();
    world.queue.after(forMs, () => {
      if (server.machine.isDown) server.start();
    });
    return server.machine.name;
  },
  "stop of a server": (world, forMs) => {
    const { machine } = anyServer(world);
    machine.stop();
    world.queue.after(forMs, () => machine.goOn());
    return machine.name;
  },
  "stop of the leader": (world, forMs) => {
    const server = leaderOf(world) ?? anyServer(world);
    server.machine.stop();
    world.queue.after(forMs, () => server.machine.goOn());
    return server.machine.name;
  },
  "a server is cut off": (world, forMs) => {
    const { machine } = anyServer(world);
    for (const other of world.machines) {
      world.wire.cut(machine, other);
      world.wire.cut(other, machine);
    }
    world.queue.after(forMs, () => world.wire.heal());
    return machine.name;
  },
  "the leader is cut off from servers": (world, forMs) => {
    const server = leaderOf(world) ?? anyServer(world);
    for (const other of world.servers) {
      if (other === server) continue;
      world.wire.cut(server.machine, other.machine);
      world.wire.cut(other.machine, server.machine);
    }
    world.queue.after(forMs, () => world.wire.heal());
    return server.machine.name;
  },
  "one direction is cut": (world, forMs) => {
    const [from, to] = [anyServer(world).machine, anyServer(world).machine];
    if (from !== to) world.wire.cut(from, to);
    world.queue.after(forMs, () => world.wire.heal());
    return `${from.name} > ${to.name}`;
  },
  "an agent is cut off from a server": (world, forMs) => {
    const { machine } = anyServer(world);
    const agent = world.agents[world.random.integer(0, world.agents.length)];
    if (agent) {
      world.wire.cut(agent.machine, machine);
      world.wire.cut(machine, agent.machine);
    }
    world.queue.after(forMs, () => world.wire.heal());
    return `${agent?.machine.name} from ${machine.name}`;
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
  "a slow disk": (world, forMs) => {
    const server = anyServer(world);
    world.slowDisks.add(server);
    world.queue.after(forMs, () => world.slowDisks.delete(server));
    return server.machine.name;
  },
  "a write fails": (world) => {
    const server = anyServer(world);
    server.disk.failIn = world.random.integer(1, 30);
    return `${server.machine.name}, in ${server.disk.failIn} transactions`;
  },
  "a disk is lost": (world, forMs) => {
    const [server, ...others] = shuffled(world);
    const isSafe = world.lastWipeMs + 40_000 < world.queue.now;
    // One of three may be lost, while the others are well and have what it had.
    if (!server || !isSafe || others.some(({ machine }) => !machine.isUp)) return "nobody";
    // Whoever lost a disk before has been taken in anew: another loss would leave no majority for ever.
    if (others.some(({ id }) => votersOf.get(world)?.has(id) !== true)) return "nobody";
    if (world.machines.some((machine) => world.wire.lastCutMs.get(machine) === Infinity))
      return "nobody";
    world.lastWipeMs = world.queue.now;
    server.wipe();
    world.queue.after(forMs, () => {
      if (server.machine.isDown) server.start();
    });
    return server.machine.name;
  },
  "a server leaves": (world, forMs) => {
    const server = anyServer(world);
    // Of a group that has one less, no disk may be lost.
    if (!server.machine.isUp || world.lastWipeMs + 40_000 >= world.queue.now) return "nobody";
    world.lastWipeMs = world.queue.now;
    const { life } = server.machine;
    const ended = (): void => {
      if (server.machine.life !== life) return;
      // Its agent ends when it has left, also where that took longer than the faults last.
      server.crash();
      world.queue.after(world.isHealed ? 0 : forMs, () => {
        if (server.machine.isDown) server.start();
      });
    };
    void server.serve("/rpc/leave", "").then(ended, ended);
    return server.machine.name;
  },
  "a clock steps": (world) => {
    const machine = world.machines[world.random.integer(0, world.machines.length)];
    const stepMs = Math.round((world.random.next() - 0.5) * 8_000);
    if (machine) machine.clockMs += stepMs;
    return `${machine?.name} by ${stepMs} ms`;
  },
  "a slow agent": (world, forMs) => {
    const agent = world.agents[world.random.integer(0, world.agents.length)];
    const endMs = world.queue.now + forMs;
    const falter = (): void => {
      if (world.queue.now > endMs || world.isHealed) return;
      agent?.machine.stop();
      world.queue.after(100 + world.random.next() * 900, () => {
        agent?.machine.goOn();
        world.queue.after(50, falter);
      });
    };
    falter();
    return agent?.machine.name ?? "";
  },
  "memory is lost": (world) => {
    const server = anyServer(world);
    server.forget(server.object);
    return server.machine.name;
  },
  "a pool's memory is lost": (world) => {
    const server = anyServer(world);
    server.forget(lanPoolObject(datacenter));
    return server.machine.name;
  },
};

function anyServer(world: World): HostProcess {
  return world.servers[world.random.integer(0, world.servers.length)] as HostProcess;
}

function shuffled(world: World): HostProcess[] {
  const first = world.random.integer(0, world.servers.length);
  return [...world.servers.slice(first), ...world.servers.slice(0, first)];
}

/** Which server was last seen to lead; refreshed by {@link watchLeader}. */
const leaders = new WeakMap<World, string>();
/** Who voted when the leader was last asked. */
const votersOf = new WeakMap<World, Set<string>>();

/** The part that matters here of what a server says of itself. */
interface Status {
  role: string;
  configuration: { members: { id: string; voter: boolean }[] };
}

export function leaderOf(world: World): HostProcess | undefined {
  const id = leaders.get(world);
  return world.servers.find((server) => server.id === id);
}

/** Asks every server now and then who leads. */
export function watchLeader(world: World): void {
  // What is asked keeps a deployment's objects awake.
  world.queue.after(world.isEdge ? 15_000 : 500, () => {
    for (const server of world.servers) {
      if (!server.machine.isUp) continue;
      void server.serve("/rpc/status", "").then(
        ({ body }) => {
          const { role, configuration } = JSON.parse(String(body)) as Status;
          if (role !== "leader") return;
          leaders.set(world, server.id);
          const voters = configuration.members.filter(({ voter }) => voter);
          votersOf.set(world, new Set(voters.map(({ id }) => id)));
        },
        () => undefined,
      );
    }
    watchLeader(world);
  });
}

/** Strikes `options.faults` times within the turmoil; counts what it injected. */
export function injectFaults(world: World, injected: Map<string, number>): void {
  const { faults: count, turmoilMs } = world.options;
  const known = world.isEdge ? edgeFaults : faults;
  const names = Object.keys(known);
  for (let n = 0; n < count; n++) {
    const atMs = 5_000 + world.random.next() * (turmoilMs - 5_000);
    const forMs = 500 + world.random.next() ** 2 * 25_000;
    const name = names[world.random.integer(0, names.length)] as string;
    world.queue.at(atMs, () => {
      const where = (known[name] as Fault)(world, forMs);
      injected.set(name, (injected.get(name) ?? 0) + 1);
      world.note("FAULT", `${name}: ${where} for ${Math.round(forMs)} ms`);
    });
  }
}

/** Everything is well again. */
export function heal(world: World): void {
  world.note("world", "healed");
  world.isHealed = true;
  world.wire.heal();
  world.slowDisks.clear();
  world.quietUntilMs = 0;
  for (const server of world.hosts) {
    server.disk.failIn = Number.POSITIVE_INFINITY;
    server.machine.goOn();
    if (server.machine.isDown) server.start();
  }
  for (const agent of world.agents) {
    agent.machine.goOn();
    if (agent.machine.isDown) agent.start();
  }
}
