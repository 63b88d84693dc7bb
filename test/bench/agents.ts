// Client agents of one server: how long a hundred take to join at once, how soon all know that one was killed, and what
// one costs while nothing happens.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { canMakeNetworks, HostNetwork, type NetworkHost } from "../support/namespaces.ts";
import { Agent } from "./processes.ts";
import { agentName, inDirectory, type Subject } from "./subjects.ts";
import { type Effort, type Row, toConsul, type Trial } from "./trials.ts";

const few = 5;
const many = 100;
/** So many are asked what they know: more would be measuring how fast a hundred can be asked. */
const witnessesMax = 5;
const settleMs = 10_000;
const limitMs = 120_000;
const pollMs = 50;
const alive = 1;

const joined: Row = {
  ...{ name: "join-100", title: "99 agents join one server at once", unit: "ms" },
  reach: toConsul(1),
};
const deathOfFew: Row = {
  ...{ name: "death-5", title: "agent killed to known by all, 5 agents", unit: "ms" },
  reach: toConsul(1),
};
const deathOfMany: Row = {
  ...{ name: "death-100", title: "agent killed to known by all, 100 agents", unit: "ms" },
  reach: toConsul(1),
};
const idleCpu: Row = {
  ...{ name: "agent-cpu", title: "processor of an idle client agent", unit: "%" },
  reach: { atMost: 0.2 },
};
const idleMemory: Row = {
  ...{ name: "agent-memory", title: "private memory of an idle client agent", unit: "MB" },
  reach: { atMost: 30 },
};

const idleTraffic: Row = {
  ...{ name: "agent-traffic", title: "network of an idle client agent, 5 agents", unit: "kB/min" },
  reach: { atMost: 2 },
};

/** Each agent on a host of its own, so that what it sends and hears can be counted. */
export function trafficTrial({ idleMs }: Effort): Trial {
  return {
    rows: [idleTraffic],
    applies: (subject) => subject.isDatacenter && canMakeNetworks(),
    measure: async (subject, _wanted, report) => {
      const network = new HostNetwork();
      try {
        const hosts = Array.from({ length: few }, () => network.add());
        await withGroup(subject, hosts.length, hosts, async (agents) => {
          await joinAll(agents);
          await pause(settleMs);
          const { cable } = hosts[1] as NetworkHost;
          const before = bytesOn(cable);
          await pause(idleMs);
          report(idleTraffic.name, { value: ((bytesOn(cable) - before) / idleMs) * 60 });
        });
      } finally {
        network.remove();
      }
    },
  };
}

/** Sent and received, with all headers. */
function bytesOn(cable: string): number {
  const counted = (name: string): number =>
    Number(readFileSync(`/sys/class/net/${cable}/statistics/${name}_bytes`, "utf8"));
  return counted("rx") + counted("tx");
}

export function agentsTrial({ rounds, idleMs }: Effort): Trial {
  const measureFew: Trial["measure"] = async (subject, wanted, report) =>
    await withGroup(subject, few, [], async (agents) => {
      await joinAll(agents);
      await pause(settleMs);
      const client = agents[1] as Agent;
      if (wanted.has(idleCpu.name)) {
        const before = client.cpuSeconds();
        await pause(idleMs);
        report(idleCpu.name, { value: ((client.cpuSeconds() - before) / idleMs) * 100_000 });
      }
      report(idleMemory.name, { value: client.privateMegabytes() });
      if (!wanted.has(deathOfFew.name)) return;
      for (let n = 0; n < rounds; n++) report(deathOfFew.name, { value: await death(agents) });
    });
  const measureMany: Trial["measure"] = async (subject, wanted, report) =>
    await withGroup(subject, many, [], async (agents) => {
      report(joined.name, { value: await joinAll(agents) });
      if (!wanted.has(deathOfMany.name)) return;
      await pause(settleMs);
      for (let n = 0; n < rounds; n++) report(deathOfMany.name, { value: await death(agents) });
    });
  return {
    rows: [joined, deathOfFew, deathOfMany, idleCpu, idleMemory],
    applies: (subject) => subject.isDatacenter,
    measure: async (subject, wanted, report) => {
      const wants = (...rows: Row[]): boolean => rows.some(({ name }) => wanted.has(name));
      if (wants(deathOfFew, idleCpu, idleMemory)) await measureFew(subject, wanted, report);
      if (wants(joined, deathOfMany)) await measureMany(subject, wanted, report);
    },
  };
}

/** A server that leads, and clients that have not joined it. */
async function withGroup(
  subject: Subject,
  count: number,
  hosts: readonly NetworkHost[],
  use: (agents: Agent[]) => Promise<void>,
): Promise<void> {
  await inDirectory(async (directory) => {
    const agents = (await subject.agents(directory, count, hosts)).map(
      (program) => new Agent(program),
    );
    try {
      await agents[0]?.ready();
      // All of them on a few cores take their time to start.
      const deadlineMs = performance.now() + limitMs;
      await Promise.all(agents.map((agent) => agent.listening(deadlineMs - performance.now())));
      await use(agents);
    } finally {
      await Promise.all(agents.map((agent) => agent.stop()));
    }
  });
}

/** Ms until the server knows all of them. */
async function joinAll(agents: readonly Agent[]): Promise<number> {
  const [server, ...clients] = agents as [Agent, ...Agent[]];
  const startMs = performance.now();
  await Promise.all(clients.map((client) => join(client, server)));
  await until("all have joined", async () => {
    const statuses = [...(await membersOf(server)).values()];
    return statuses.filter((status) => status === alive).length === agents.length;
  });
  return performance.now() - startMs;
}

async function join(client: Agent, server: Agent): Promise<void> {
  const { ports, address = "127.0.0.1" } = server.program;
  await client.request("PUT", `/v1/agent/join/${address}:${ports.serf_lan}`);
}

/** Ms from the death of the last client to when none of those who are asked has it for alive. It comes back. */
async function death(agents: Agent[]): Promise<number> {
  const [server] = agents as [Agent, ...Agent[]];
  const at = agents.length - 1;
  const victim = agents[at] as Agent;
  const name = agentName(at);
  const witnesses = agents.slice(0, Math.min(witnessesMax, at));
  const startMs = performance.now();
  await victim.kill();
  await until("all know", async () => {
    const known = await Promise.all(witnesses.map(membersOf));
    return known.every((statuses) => statuses.get(name) !== alive);
  });
  const tookMs = performance.now() - startMs;
  const again = new Agent(victim.program);
  agents[at] = again;
  await again.listening();
  await join(again, server);
  await until("it is back", async () => (await membersOf(server)).get(name) === alive);
  await pause(settleMs);
  return tookMs;
}

async function membersOf(agent: Agent): Promise<Map<string, number>> {
  const { text } = await agent.request("GET", "/v1/agent/members");
  const members = JSON.parse(text) as { Name: string; Status: number }[];
  return new Map(members.map(({ Name, Status }) => [Name, Status]));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${limitMs} ms: ${what}`);
    await pause(pollMs);
  }
}
