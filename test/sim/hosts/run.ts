// One run of simulated hosts: founding, turmoil, healing, rest, judgement.

import { checkRegister } from "../linearizability.ts";
import { Violation } from "../violation.ts";
import { Client, type Told } from "./clients.ts";
import { heal, injectFaults, watchLeader } from "./faults.ts";
import {
  checkCatalog,
  checkReplicas,
  checkService,
  checkTenants,
  checkWatchers,
  watchCatalog,
} from "./judge.ts";
import { EdgeRegistrar, newLedger, Registrar, SessionKeeper, Watcher } from "./tenants.ts";
import { type HostOptions, type HostPreset, type Trace, World } from "./world.ts";

export interface HostResult {
  seed: number;
  simulatedMs: number;
  operations: number;
  errors: number;
  faults: Record<string, number>;
  /** What applications got done. */
  done: Record<string, number>;
}

export interface HostRun {
  preset: HostPreset;
  trace: Trace | null;
  /** Is shown what clients were told. */
  look(told: readonly Told[]): void;
}

const clientsPerAgent = 2;
/** Long enough for a session of 10 s that nobody renews to be gone. */
const restMs = 30_000;

export function chooseHostOptions(seed: number, preset: HostPreset = "lan"): HostOptions {
  if (preset === "edge") return chooseEdgeOptions(seed);
  return {
    seed,
    servers: 3,
    agents: 2,
    delayMaxMs: 1 + (seed % 5) * 4,
    diskMaxMs: seed % 3 === 0 ? 20 : 2,
    faults: 10 + (seed % 6),
    turmoilMs: 90_000,
  };
}

/** Objects are farther apart, and slower to come back. */
function chooseEdgeOptions(seed: number): HostOptions {
  return {
    ...{ seed, preset: "edge", servers: 3, agents: 2, workers: 2 },
    delayMaxMs: 5 + (seed % 5) * 20,
    diskMaxMs: seed % 3 === 0 ? 40 : 5,
    faults: 12 + (seed % 6),
    turmoilMs: 150_000,
  };
}

/** Rejects with a Violation when the run breaks a guarantee. */
export async function runHosts(
  seed: number,
  { preset = "lan", trace = null, look = () => undefined }: Partial<HostRun> = {},
): Promise<HostResult> {
  const world = new World(chooseHostOptions(seed, preset), trace);
  const watch = watchProcess();
  try {
    return await Promise.race([runIn(world, look), watch.crashed]);
  } catch (failure) {
    if (!(failure instanceof Violation)) throw failure;
    const notes = world.notes.slice(-60).join("\n  ");
    throw new Violation(`${failure.message}\n  ${notes}`, { cause: failure });
  } finally {
    world.close();
    watch.end();
  }
}

/** What nobody catches would end the process of a host, and is a violation of the seed that is being run. */
function watchProcess(): { crashed: Promise<never>; end(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const caught = (failure: unknown): void => {
    const text = failure instanceof Error ? failure.stack : String(failure);
    reject(new Violation(`nobody caught: ${text}`));
  };
  const events = ["uncaughtException", "unhandledRejection"] as const;
  for (const event of events) process.on(event, caught);
  return {
    crashed: promise,
    end: () => {
      for (const event of events) process.off(event, caught);
    },
  };
}

async function runIn(world: World, look: (told: readonly Told[]) => void): Promise<HostResult> {
  const injected = new Map<string, number>();
  const told: Told[] = [];
  for (const [n, agent] of world.agents.entries()) {
    agent.definitions.set("web", JSON.stringify({ Name: "web", ID: `web-${n}`, Port: 80 + n }));
  }
  for (const host of world.hosts) host.start();
  for (const agent of world.agents) agent.start();
  await world.pass(3_000);
  const clients = [...world.agents, ...world.workers].flatMap((answering) =>
    Array.from({ length: clientsPerAgent }, (_, n) => new Client(world, answering, n, told)),
  );
  for (const client of clients) client.start();
  const ledger = newLedger();
  const keepers = world.agents.map((agent) => new SessionKeeper(world, agent, ledger));
  const watchers = [...world.agents, ...world.workers].map(
    (agent) => new Watcher(world, agent, ledger),
  );
  const registrars = [
    ...world.agents.map((agent) => new Registrar(world, agent, ledger)),
    ...world.workers.map((worker) => new EdgeRegistrar(world, worker, ledger)),
  ];
  for (const tenant of [...keepers, ...watchers, ...registrars]) tenant.start();
  watchLeader(world);
  watchCatalog(world, ledger.broken);
  injectFaults(world, injected);
  await world.pass(world.options.turmoilMs);
  heal(world);
  await checkService(world, clients);
  for (const client of clients) client.stop();
  for (const keeper of keepers) keeper.abandon();
  for (const registrar of registrars) registrar.stop();
  await world.pass(restMs);
  await checkWatchers(world, clients, watchers);
  for (const watcher of watchers) watcher.stop();
  await world.pass(10_000);
  await checkReplicas(world);
  await checkCatalog(world);
  await checkTenants(world, ledger);
  look(told);
  checkHistory(told);
  const slept = world.deployed.reduce((sum, one) => sum + one.slept, 0);
  if (slept > 0) ledger.done.set("object slept", slept);
  return {
    seed: world.options.seed,
    simulatedMs: world.queue.now,
    operations: told.length,
    errors: told.filter(({ error }) => error !== null).length,
    faults: Object.fromEntries(injected),
    done: Object.fromEntries(ledger.done),
  };
}

/** What was told of each key fits one order of events. Throws a Violation. */
export function checkHistory(told: readonly Told[]): void {
  for (const key of new Set(told.map((one) => one.key))) {
    const history = told.filter(
      (one) => one.key === key && one.consistency !== "stale" && mayHaveHappened(one),
    );
    const fault = checkRegister(history);
    if (!fault) continue;
    const lines = history.map(
      ({ client, kind, call, return: end, value, expected, result, consistency }) =>
        `${(call / 1e3).toFixed(3)}–${(end / 1e3).toFixed(3)} ${client} ${kind} ` +
        `${consistency ?? ""} ${value} (${expected}) → ${result}`,
    );
    throw new Violation(
      `linearizability of ${key}: ${fault.placed} of ${history.length} fit\n  ${lines.join("\n  ")}`,
    );
  }
}

/** A read without an answer says nothing; a write that was refused must not have happened. */
function mayHaveHappened({ kind, error, return: end }: Told): boolean {
  const answered = Number.isFinite(end);
  if (kind === "get") return answered;
  return error === null || error.startsWith("unknown-outcome");
}
