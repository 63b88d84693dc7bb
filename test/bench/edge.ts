// What a request costs at the Worker's own URL: a read there, beside the least that a Worker which asks a Durable
// Object can do, on the same runtime.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { freePort, isRefused } from "../support/free-ports.ts";
import { load } from "./load.ts";
import type { Agent } from "./processes.ts";
import { prepare } from "./rows.ts";
import { inDirectory, proconsul, withAgents } from "./subjects.ts";

const connections = 32;
const durationMs = Number(process.env.BENCH_SECONDS ?? 4) * 1_000;

const bareWorker = `
import { DurableObject } from "cloudflare:workers";
export class Bare extends DurableObject {
  fetch() { return new Response("hello"); }
}
export default { fetch: (request, env) => env.BARE.get(env.BARE.idFromName("x")).fetch(request) };
`;

/** Answers a second. */
export async function workerUrl(): Promise<{ ours: number; bareHop: number }> {
  return await inDirectory(async (directory) => {
    const bareHop = await bareHopPerSecond(directory);
    const programs = await proconsul.cluster(directory);
    const ours = await withAgents(programs, async (agents) => {
      const [agent] = agents as [Agent];
      await prepare(agent);
      return await perSecond(agent.program.ports.server, "/v1/kv/bench/{n}?stale");
    });
    return { ours, bareHop };
  });
}

async function bareHopPerSecond(directory: string): Promise<number> {
  const port = await freePort();
  const file = join(directory, "bare.capnp");
  writeFileSync(file, bareConfig(port));
  writeFileSync(join(directory, "bare.js"), bareWorker);
  const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };
  const child: ChildProcess = spawn(binary, ["serve", file], { stdio: "ignore" });
  try {
    while (child.exitCode === null && (await isRefused(port))) await pause(5);
    return await perSecond(port, "/");
  } finally {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
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

async function perSecond(port: number, path: string): Promise<number> {
  const task = { kind: "http", host: "127.0.0.1", method: "GET", spread: 1_000, body: "" } as const;
  return (await load({ ...task, port, connections, durationMs, path })).perSecond;
}
