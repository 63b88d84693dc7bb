// What a request costs at the Worker's own URL: a read there, beside the least that a Worker which asks a Durable
// Object can do, on the same runtime.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { freePort } from "../support/free-ports.ts";
import { prepare, sampleOf } from "./load-rows.ts";
import type { HttpTask } from "./load.ts";
import { Agent } from "./processes.ts";
import { inDirectory, type Subject, withAgents } from "./subjects.ts";
import type { Effort, Row, Sample, Trial } from "./trials.ts";

const connections = 32;

const bareModule = `
import { DurableObject } from "cloudflare:workers";
export class Bare extends DurableObject {
  fetch() { return new Response("hello"); }
}
export default { fetch: (request, env) => env.BARE.get(env.BARE.idFromName("x")).fetch(request) };
`;

const bareHop = "bare Worker";

/** Not a datacenter: the least that there can be, asked in the same way. */
export const bareWorker: Subject = {
  name: bareHop,
  isDatacenter: false,
  worker: noDatacenter,
  cluster: noDatacenter,
  dev: noDatacenter,
  kept: noDatacenter,
  group: noDatacenter,
  agents: noDatacenter,
};

export function workerUrlTrial({ loadMs }: Effort): Trial {
  const row: Row = {
    ...{ name: "worker-url", title: "KV GET stale at the Worker's URL", unit: "/s" },
    reach: { times: 0.67, than: bareHop },
  };
  return {
    rows: [row],
    applies: (subject) => subject.worker !== null,
    measure: async (subject, _wanted, report) =>
      await inDirectory(async (directory) => {
        const sample = subject === bareWorker ? bareSample : workerSample;
        report(row.name, await sample(subject, directory, loadMs));
      }),
  };
}

async function workerSample(subject: Subject, directory: string, loadMs: number): Promise<Sample> {
  return await withAgents((await subject.worker?.(directory)) ?? [], async (agents) => {
    const [agent] = agents as [Agent];
    await prepare(agent);
    const port = agent.program.ports.edge;
    return await sampleOf(agents, task(port, "/v1/kv/bench/{n}?stale", loadMs));
  });
}

async function bareSample(_: Subject, directory: string, loadMs: number): Promise<Sample> {
  const port = await freePort();
  const file = join(directory, "bare.capnp");
  writeFileSync(file, bareConfig(port));
  writeFileSync(join(directory, "bare.js"), bareModule);
  const { default: command } = createRequire(import.meta.url)("workerd") as { default: string };
  const ports = { http: port, dns: 0, server: port, serf_lan: 0, serf_wan: 0, edge: 0 };
  const agent = new Agent({ command, args: ["serve", file], ports });
  try {
    await agent.listening();
    return await sampleOf([agent], task(port, "/", loadMs));
  } finally {
    await agent.stop();
  }
}

function noDatacenter(): Promise<never> {
  return Promise.reject(new Error("a bare Worker is no datacenter"));
}

function task(port: number, path: string, durationMs: number): HttpTask {
  const common = { kind: "http", host: "127.0.0.1", method: "GET", spread: 1_000 } as const;
  return { ...common, token: "", body: "", port, connections, durationMs, path };
}

function bareConfig(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "bare.js", esModule = embed "bare.js")],
  compatibilityDate = "2026-11-02",
  bindings = [(name = "BARE", durableObjectNamespace = "Bare")],
  durableObjectNamespaces = [(className = "Bare", uniqueKey = "bare", preventEviction = true)],
  durableObjectStorage = (inMemory = void),
);
`;
}
