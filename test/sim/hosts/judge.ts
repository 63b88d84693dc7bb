// What must hold of simulated hosts once everything is well again.

import { heldPath } from "../../../durable/presence/pool-peers.ts";
import { encodeRequests, type LinkReply } from "../../../src/link/protocol.ts";
import { decodeServerFrame } from "../../../src/link/server-frame.ts";
import type { Cluster, ReadReply } from "../../../src/ports/cluster.ts";
import { edge } from "../../../src/core/raft/timing.ts";
import type { AgentProcess } from "./agent-process.ts";
import type { Client, Told } from "./clients.ts";
import type { WorkerProcess } from "./deployment.ts";
import { leaderOf } from "./faults.ts";
import { checkHolds, type Ledger, watchedKey, type Watcher } from "./tenants.ts";
import type { HostProcess } from "./host-process.ts";
import { Violation } from "../violation.ts";
import type { World } from "./world.ts";

const backAtWorkMs = 10_000;
/** Servers that talk all the time agree soon; a quiescent one that missed something learns it from its watchdog. */
const agreement = {
  hosted: { withinMs: 30_000, pollMs: 250 },
  deployed: { withinMs: edge.retryMaxMs * 3, pollMs: 60_000 },
};
const catalogMs = 60_000;
/** What a write of an ended process left behind is found by the next full comparison. */
const fullSyncMs = 130_000;

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
  const { withinMs, pollMs } = world.isEdge ? agreement.deployed : agreement.hosted;
  const untilMs = world.queue.now + withinMs;
  for (;;) {
    const wrong = await replicaFaults(world);
    if (wrong === null) return;
    if (world.queue.now >= untilMs) throw new Violation(wrong);
    // Whoever leads may have written something just then.
    await world.pass(pollMs);
  }
}

async function replicaFaults(world: World): Promise<string | null> {
  const applied = await Promise.all(world.servers.map((server) => appliedIndex(world, server)));
  if (new Set(applied).size > 1) return `applied differs: ${applied.join(", ")}`;
  const [first, ...others] = world.servers.map((server) => ({ server, tables: dump(server) }));
  for (const { server, tables } of others) {
    if (tables !== first?.tables) {
      const pair = `${server.machine.name} differ from ${first?.server.machine.name}'s`;
      return `tables of ${pair}:\n  ${difference(first?.tables ?? "", tables)}`;
    }
  }
  return null;
}

/** Lines that only one of them has. */
function difference(one: string, other: string): string {
  const [left, right] = [one, other].map((text) => text.split("\n"));
  const only = (lines: string[] = [], others: string[] = []): string[] =>
    lines.filter((line) => !others.includes(line));
  return [
    ...only(left, right).map((line) => `- ${line}`),
    ...only(right, left).map((line) => `+ ${line}`),
  ]
    .slice(0, 20)
    .join("\n  ");
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

const wellMs = 30_000;
/** A leader that has answered so long has had the time to take back what others said. */
const leaderMs = 15_000;
/** After a cut between servers: pools have found each other again, and verdicts are taken back. */
const healMs = 10_000;
const sampleMs = 1_000;
/** Rarely enough for objects to fall asleep in between. */
const edgeSampleMs = 12_000;

/** Now and then: nobody who was up, linked and uncut for 30 s is called failed. Notes what is wrong in `broken`. */
export function watchCatalog(world: World, broken: string[]): void {
  let leader = "";
  let sinceMs = 0;
  const body = encodeRequests([{ id: 1, read: "health.state", args: { state: "critical" } }]);
  const look = async (server: HostProcess): Promise<void> => {
    const answer = await server.serve("/rpc/requests", body);
    const frame = decodeServerFrame(String(answer.body)) as { replies: LinkReply[] };
    const [reply] = frame.replies;
    if (!reply || !("body" in reply)) return;
    const name = server.machine.name;
    if (leader !== name) sinceMs = world.queue.now;
    leader = name;
    if (world.queue.now - sinceMs < leaderMs) return;
    const checks = JSON.parse(reply.body ?? "[]") as { Node: string; CheckID: string }[];
    const failed = checks.filter(({ CheckID }) => CheckID === "serfHealth");
    for (const { Node } of failed) {
      if (!isWell(world, Node) || (await isHeldBeyondCut(world, Node))) continue;
      broken.push(`${seconds(world)} ${Node} is well, and called failed`);
    }
  };
  const sample = (): void => {
    const server = leaderOf(world);
    if (server?.machine.isUp) void look(server).catch(() => undefined);
    else leader = "";
    world.queue.after(world.isEdge ? edgeSampleMs : sampleMs, sample);
  };
  sample();
}

function seconds({ queue }: World): string {
  return (queue.now / 1e3).toFixed(3);
}

/**
 * Whether the server whose pool has this node's socket was cut off until a moment ago: then nobody could tell the
 * leader that the node is well.
 */
async function isHeldBeyondCut(world: World, name: string): Promise<boolean> {
  if (world.isEdge) return false;
  for (const server of world.servers) {
    const lastCutMs = world.wire.lastCutMs.get(server.machine) ?? Number.NEGATIVE_INFINITY;
    if (!server.machine.isUp || world.queue.now - lastCutMs > healMs) continue;
    const answer = await server.serve(heldPath, JSON.stringify([name]));
    if ((JSON.parse(String(answer.body)) as unknown[]).length > 0) return true;
  }
  return false;
}

function isWell(world: World, name: string): boolean {
  const machine = world.machines.find((one) => one.name === name);
  if (!machine?.isUp) return false;
  const lastCutMs = world.wire.lastCutMs.get(machine) ?? Number.NEGATIVE_INFINITY;
  const server = world.servers.find((one) => one.machine === machine);
  const sinceMs = Math.max(machine.upSinceMs, lastCutMs, server?.disk.failedMs ?? 0);
  return world.queue.now - sinceMs >= wellMs;
}

/** What was abandoned has expired, and what each agent has locally is what the catalog has of it. */
export async function checkTenants(world: World, ledger: Ledger): Promise<void> {
  const [agent] = world.agents;
  const reply = await finished(world, read(agent?.cluster, "session.list", {}));
  const alive = (JSON.parse(reply.body ?? "[]") as { ID: string }[]).map(({ ID }) => ID);
  for (const [id, sinceMs] of ledger.abandoned) {
    const agedMs = world.queue.now - sinceMs;
    if (agedMs > 30_000 && alive.includes(id)) throw new Violation(`session ${id} lives on`);
  }
  for (const one of world.agents) {
    await checkLocalState(world, one.machine.name, one.cluster, () => heldBy(one));
  }
  const [worker] = world.workers;
  if (worker) await checkLocalState(world, "edge", worker.cluster, () => heldAtEdge(worker));
  checkHolds(ledger);
  if (ledger.broken.length > 0) throw new Violation(ledger.broken.join("\n"));
}

/** What an agent has registered: ids of services, ids and statuses of checks. */
interface Held {
  services: readonly { ID: string }[];
  checks: readonly { CheckID: string; Status: string }[];
}

function heldBy({ services }: AgentProcess): Held {
  return { services: services?.services() ?? [], checks: services?.checks() ?? [] };
}

async function heldAtEdge({ agent }: WorkerProcess): Promise<Held> {
  const [services, checks] = await Promise.all([agent.services(), agent.checks()]);
  return { services, checks };
}

async function checkLocalState(
  world: World,
  name: string,
  cluster: Cluster | null,
  local: () => Held | Promise<Held>,
): Promise<void> {
  const untilMs = world.queue.now + fullSyncMs;
  for (;;) {
    const [services, checks] = await finished(
      world,
      Promise.all([
        read(cluster, "catalog.node", { node: name }),
        read(cluster, "health.node", { node: name }),
      ]),
    );
    const held = (JSON.parse(services.body ?? "{}") as { Services?: object }).Services ?? {};
    const written = JSON.parse(checks.body ?? "[]") as { CheckID: string; Status: string }[];
    const there = [
      ...Object.keys(held),
      ...written
        .filter(({ CheckID }) => CheckID !== "serfHealth")
        .map(({ CheckID, Status }) => `${CheckID} ${Status}`),
    ].toSorted();
    const own = await finished(world, Promise.resolve(local()));
    const here = [
      ...own.services.map(({ ID }) => ID),
      ...own.checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`),
    ].toSorted();
    if (there.join() === here.join()) return;
    if (world.queue.now >= untilMs) {
      throw new Violation(`${name} has ${here.join(", ")}; the catalog ${there.join(", ")}`);
    }
    await world.pass(500);
  }
}

async function read(
  cluster: Cluster | null | undefined,
  op: "session.list" | "catalog.node" | "health.node",
  args: Record<string, string>,
): Promise<ReadReply> {
  if (!cluster) throw new Violation("no agent is up");
  return await cluster.read(op, args, {});
}

/** A write wakes every watcher within a second. */
export async function checkWatchers(
  world: World,
  clients: readonly Client[],
  watchers: readonly Watcher[],
): Promise<void> {
  const [client] = clients;
  if (!client) return;
  await finished(world, client.put(watchedKey));
  const { value, error } = client.told.at(-1) as Told;
  if (error !== null) throw new Violation(`a write failed when all was well: ${error}`);
  await world.pass(1_000);
  for (const { seen, name } of watchers) {
    if (seen !== value) throw new Violation(`${name} was not woken: it has ${seen}, not ${value}`);
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
  const checks = JSON.parse(health.body ?? "[]") as {
    Node: string;
    CheckID: string;
    Status: string;
  }[];
  const held = JSON.parse(services.body ?? "[]") as { Node: string; ServiceID: string }[];
  const members = world.members.map(({ name }) => name);
  return [
    ...checks
      .filter(({ CheckID, Status }) => CheckID === "serfHealth" && Status !== "passing")
      .map(({ Node, Status }) => `${Node} is ${Status}`),
    ...members
      .filter((name) => !checks.some(({ Node }) => Node === name))
      .map((name) => `${name} is missing`),
    ...world.agents
      .filter(({ machine }) => !held.some(({ Node }) => Node === machine.name))
      .map(({ machine }) => `the service of ${machine.name} is missing`),
  ];
}

async function appliedIndex(world: World, server: HostProcess): Promise<number> {
  const answer = await finished(world, server.serve("/rpc/status", ""));
  return (JSON.parse(String(answer.body)) as { appliedIndex: number }).appliedIndex;
}

/** Every replicated table of a server, as it would be read after a restart. */
function dump(server: HostProcess): string {
  const { sql, close } = server.disk.open(server.object);
  try {
    const tables = sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    );
    return tables
      .filter(
        ({ name }) =>
          !/^(raft_|session_deadlines|session_process|failed_since|join_addresses|_cf_|sqlite_)/.test(
            name,
          ),
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
