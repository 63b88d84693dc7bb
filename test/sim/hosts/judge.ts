// What must hold of simulated hosts once everything is well again.

import { serverObject } from "../../../durable/platform/topology.ts";
import type { Client } from "./clients.ts";
import { datacenter, type ServerProcess } from "./server-process.ts";
import { Violation } from "../violation.ts";
import type { World } from "./world.ts";

const backAtWorkMs = 10_000;
const agreementMs = 30_000;
const catalogMs = 60_000;

/** Every agent is back at work: it writes, and reads what it wrote. */
export async function checkService(world: World, clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    const untilMs = world.queue.now + backAtWorkMs;
    let error: string | null = "nothing was tried";
    while (error !== null) {
      if (world.queue.now >= untilMs) {
        throw new Violation(`${client.name} is not back at work: ${error}`);
      }
      const put = await finished(world, client.put("a"));
      error = put.error;
      if (error === null) ({ error } = await finished(world, client.get("a", "default")));
      await world.pass(100);
    }
  }
}

/** Lets time pass until `work` is done. */
async function finished<Value>(world: World, work: Promise<Value>): Promise<Value> {
  const done: Value[] = [];
  void work.then((value) => done.push(value));
  for (let steps = 0; done.length === 0; steps++) {
    if (steps > 3_000) throw new Violation("a request was never answered");
    await world.pass(10);
  }
  return done[0] as Value;
}

/** All servers come to the same tables. */
export async function checkReplicas(world: World): Promise<void> {
  const untilMs = world.queue.now + agreementMs;
  for (;;) {
    const applied = await Promise.all(world.servers.map((server) => appliedIndex(world, server)));
    if (new Set(applied).size === 1) break;
    if (world.queue.now >= untilMs) throw new Violation(`applied differs: ${applied.join(", ")}`);
    await world.pass(250);
  }
  const [first, ...others] = world.servers.map((server) => ({ server, tables: dump(server) }));
  for (const { server, tables } of others) {
    if (tables !== first?.tables) {
      throw new Violation(
        `tables of ${server.machine.name} differ from ${first?.server.machine.name}'s`,
      );
    }
  }
}

/** Nobody who is well is called failed, and the catalog has what agents registered. */
export async function checkCatalog(world: World): Promise<void> {
  const untilMs = world.queue.now + catalogMs;
  for (;;) {
    const wrong = await catalogFaults(world);
    if (wrong.length === 0) return;
    if (world.queue.now >= untilMs) throw new Violation(`catalog: ${wrong.join("; ")}`);
    await world.pass(1_000);
  }
}

async function catalogFaults(world: World): Promise<string[]> {
  const [agent] = world.agents;
  const { cluster } = agent ?? {};
  if (!cluster) return ["no agent is up"];
  const [health, services] = await finished(
    world,
    Promise.all([
      cluster.read("health.state", { state: "any" }, {}),
      cluster.read("catalog.service", { service: "web" }, {}),
    ]).catch((failure: unknown) => {
      throw new Violation(`reading the catalog: ${String(failure)}`);
    }),
  );
  const checks = JSON.parse(health.body ?? "[]") as { Node: string; Status: string }[];
  const held = JSON.parse(services.body ?? "[]") as { Node: string; ServiceID: string }[];
  const members = world.machines.map(({ name }) => name);
  return [
    ...checks
      .filter(({ Status }) => Status !== "passing")
      .map(({ Node, Status }) => `${Node} is ${Status}`),
    ...members
      .filter((name) => !checks.some(({ Node }) => Node === name))
      .map((name) => `${name} is missing`),
    ...world.agents
      .filter(({ machine }) => !held.some(({ Node }) => Node === machine.name))
      .map(({ machine }) => `the service of ${machine.name} is missing`),
  ];
}

async function appliedIndex(world: World, server: ServerProcess): Promise<number> {
  const answer = await finished(world, server.serve("/rpc/status", ""));
  return (JSON.parse(String(answer.body)) as { appliedIndex: number }).appliedIndex;
}

/** Every replicated table of a server, as it would be read after a restart. */
function dump(server: ServerProcess): string {
  const { sql, close } = server.disk.open(serverObject(datacenter, 0));
  try {
    const tables = sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    );
    return tables
      .filter(
        ({ name }) =>
          !/^(raft_|session_deadlines|session_process|failed_since|_cf_|sqlite_)/.test(name),
      )
      .map(({ name }) => {
        const rows = sql.exec(`SELECT * FROM ${name} ORDER BY 1, 2`);
        return `${name}\n${rows.map((row) => JSON.stringify(row)).join("\n")}`;
      })
      .join("\n\n");
  } finally {
    close();
  }
}
