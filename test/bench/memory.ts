// Resident memory, all processes of an agent together: before the first request, after a restart on
// a data directory with 10,000 services, and the most there was while those were registered and
// written to.

import { setTimeout as pause } from "node:timers/promises";

import { load } from "./load.ts";
import { Agent } from "./processes.ts";
import { request } from "./rows.ts";
import { inDirectory, type Subject, withAgents } from "./subjects.ts";

const services = 10_000;
const parallel = 32;
const settleMs = 1_500;

export interface MemoryFigures {
  /** `agent -dev` before the first request. */
  idle: number;
  restarted: number;
  peak: number;
}

/** In MB. */
export async function memory(subject: Subject): Promise<MemoryFigures> {
  const idle = await restingMegabytes(new Agent(await subject.dev()));
  return await inDirectory(async (directory) => {
    const program = await subject.kept(directory);
    const peak = await withAgents([program], async ([agent]) => {
      await fill(agent as Agent);
      await load({
        ...{ kind: "http", host: "127.0.0.1", port: program.ports.http, connections: 64 },
        ...{ method: "PUT", path: "/v1/kv/bench/{n}", spread: 1_000, body: "{n}".padEnd(64, "x") },
        durationMs: 2_000,
      });
      return (agent as Agent).residentMegabytes("VmHWM");
    });
    return { idle, restarted: await restingMegabytes(new Agent(program)), peak };
  });
}

async function restingMegabytes(agent: Agent): Promise<number> {
  try {
    await agent.listening();
    await pause(settleMs);
    return agent.residentMegabytes("VmRSS");
  } finally {
    await agent.stop();
  }
}

async function fill(agent: Agent): Promise<void> {
  let next = 0;
  const register = async (): Promise<void> => {
    while (next < services) {
      const n = next++;
      const body = {
        Node: `node-${n % 500}`,
        Address: "10.2.0.1",
        Service: { Service: `service-${n % 100}`, ID: `instance-${n}`, Port: n % 60_000 },
      };
      await request(agent, "PUT", "/v1/catalog/register", JSON.stringify(body));
    }
  };
  await Promise.all(Array.from({ length: parallel }, register));
}
