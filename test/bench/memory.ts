// Memory of an agent's processes: `agent -dev` before the first request, after a restart on a data directory with many
// services, and the most there was while those were registered and written to.

import { setTimeout as pause } from "node:timers/promises";

import { load } from "./load.ts";
import { Agent } from "./processes.ts";
import { inDirectory, withAgents } from "./subjects.ts";
import { type Effort, type Row, toConsul, type Trial } from "./trials.ts";

const parallel = 32;
const settleMs = 1_500;

const idle: Row = {
  ...{ name: "memory-idle", title: "private memory of agent -dev, never asked", unit: "MB" },
  reach: { atMost: 45 },
};
const peak: Row = {
  ...{ name: "memory-peak", title: "most resident while services are registered", unit: "MB" },
  reach: toConsul(1),
};
const restarted: Row = {
  ...{ name: "memory-restarted", title: "private memory, restarted on services", unit: "MB" },
  reach: toConsul(1),
};

export function memoryTrial({ services }: Effort): Trial {
  return {
    rows: [idle, peak, restarted],
    applies: (subject) => subject.isDatacenter,
    measure: async (subject, wanted, report) => {
      if (wanted.has(idle.name)) {
        report(idle.name, { value: await restingMegabytes(new Agent(await subject.dev())) });
      }
      if (!wanted.has(peak.name) && !wanted.has(restarted.name)) return;
      await inDirectory(async (directory) => {
        const program = await subject.kept(directory);
        await withAgents([program], async ([agent]) => {
          await fill(agent as Agent, services);
          await load({
            ...{
              kind: "http",
              token: "",
              host: "127.0.0.1",
              port: program.ports.http,
              connections: 64,
            },
            ...{ method: "PUT", path: "/v1/kv/bench/{n}", spread: 1_000 },
            ...{ body: "{n}".padEnd(64, "x"), durationMs: 2_000 },
          });
          report(peak.name, { value: (agent as Agent).peakMegabytes() });
        });
        report(restarted.name, { value: await restingMegabytes(new Agent(program)) });
      });
    },
  };
}

async function restingMegabytes(agent: Agent): Promise<number> {
  try {
    await agent.listening();
    await pause(settleMs);
    return agent.privateMegabytes();
  } finally {
    await agent.stop();
  }
}

async function fill(agent: Agent, services: number): Promise<void> {
  let next = 0;
  const register = async (): Promise<void> => {
    while (next < services) {
      const n = next++;
      const body = {
        Node: `node-${n % 500}`,
        Address: "10.2.0.1",
        Service: { Service: `service-${n % 100}`, ID: `instance-${n}`, Port: n % 60_000 },
      };
      await agent.request("PUT", "/v1/catalog/register", JSON.stringify(body));
    }
  };
  await Promise.all(Array.from({ length: parallel }, register));
}
