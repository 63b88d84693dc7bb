// One run: turmoil, healing, rest, judgement.

import { AssertionError } from "../../src/core/lib/assert.ts";
import { Client } from "./clients.ts";
import { FaultInjector } from "./faults.ts";
import { modelOf } from "./model-checker.ts";
import { boundedDrift } from "./options.ts";
import type { Preset } from "./options.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";
import type { RunOptions } from "./world.ts";

export interface RunResult {
  seed: number;
  preset: string;
  operations: number;
  unanswered: number;
  elections: number;
  committed: number;
  messages: number;
}

/** How long a healed world may take to accept a write, and to agree. */
const restMs: Record<Preset, number> = { lan: 20_000, local: 120_000, edge: 120_000 };

/** Throws a Violation, or an AssertionError of the core, if the run breaks a guarantee. */
export function run(options: RunOptions): RunResult {
  const world = new World(options);
  try {
    return runIn(world, options.seed);
  } finally {
    world.close();
  }
}

function runIn(world: World, seed: number): RunResult {
  const faults = new FaultInjector(world);
  world.trace.line(0, "world", () => JSON.stringify(world.options));
  world.start();
  const clients: Client[] = [];
  for (let number = 1; number <= world.options.clients; number += 1) {
    const client = new Client(world, number);
    clients.push(client);
    client.think();
  }
  faults.start();
  world.queue.runUntil(world.options.turmoilMs);
  faults.end();
  world.trace.line(world.queue.now, "world", () => "healed");
  world.queue.runUntil(world.queue.now + 1000);
  for (const client of clients) client.stop();
  comeToRest(world);
  judge(world, faults);
  return summary(world, seed);
}

/** A healed world accepts a write, and then all members come to the same state. */
function comeToRest(world: World): void {
  const behind = world.supervised ? null : leaveOneBehind(world);
  const written = tryToWrite(world);
  waitUntil(world, "progress: a healed world accepts no write", () => written.done);
  if (behind !== null) forgetIt(world, behind);
  waitUntil(world, "equal state", () => agreed(world));
}

function waitUntil(world: World, what: string, holds: () => boolean): void {
  const { queue, options } = world;
  const until = queue.now + restMs[options.preset];
  while (!holds()) {
    if (queue.now >= until) {
      throw new Violation(`${what}: ${differences(world)}\n${states(world)}`);
    }
    queue.runUntil(queue.now + 200);
  }
}

/** In half of the quiescent worlds some follower or learner does not hear of the last write, or of
 * an election before it. */
function leaveOneBehind(world: World): string | null {
  const { random, servers, network } = world;
  const members = world.leader()?.raft.configuration.members ?? [];
  const behind = members[random.integer(0, Math.max(1, members.length))];
  const voters = members.filter((member) => member.voter).length;
  if (behind === undefined || (behind.voter && voters < 3) || random.next() < 0.5) return null;
  world.trace.line(world.queue.now, "world", () => `${behind.id} is left behind`);
  for (const server of servers) network.cut(server.id, behind.id);
  return behind.id;
}

/** All others sleep, so that nobody remembers whom it still owes something. */
function forgetIt(world: World, behind: string): void {
  world.network.heal();
  for (const { id, current } of world.servers) {
    if (current !== null && id !== behind) current.server.end(current, "sleeps and forgets");
  }
}

function tryToWrite(world: World): { done: boolean } {
  const { queue } = world;
  const last = new Client(world, 0);
  const written = { done: false };
  const attempt = (): void => {
    const id = `last.${queue.now}`;
    last.perform({ id, type: "put", key: "k0", value: id }, (outcome) => {
      if (outcome?.type === "written") written.done = true;
      else queue.after(200, attempt);
    });
  };
  attempt();
  return written;
}

/** Every server as it is, for whoever reads a failure. */
function states(world: World): string {
  const lines = world.servers.map(({ id, durable, current }) => {
    const { term, votedFor, leader } = durable.hardState;
    const { configuration } = durable.configurationAt(durable.lastIndex());
    const members = configuration.members.map((member) => member.id + (member.voter ? "" : "?"));
    const log = `${durable.baseIndex()}..${durable.lastIndex()} applied ${durable.appliedIndex}`;
    const role = current === null ? "asleep" : current.raft.role;
    const marks = durable.installing === null ? "" : " installing";
    const hard = `t${term} voted ${votedFor} leader ${leader}`;
    return `  ${id} ${role}${marks} ${hard} log ${log} members ${members.join(" ")}`;
  });
  return lines.join("\n");
}

function finalMembers(world: World): string[] {
  const leader = world.leader();
  return (leader?.raft.configuration.members ?? []).map((member) => member.id);
}

function agreed(world: World): boolean {
  const members = finalMembers(world);
  const last = world.safety.committed.length - 1;
  return (
    members.length > 0 && members.every((id) => world.server(id)?.durable.appliedIndex === last)
  );
}

function differences(world: World): string {
  const states = finalMembers(world).map((id) => {
    const durable = world.server(id)?.durable;
    return `${id} applied ${durable?.appliedIndex} of ${durable?.lastIndex()}`;
  });
  return `${states.join(", ")}; committed ${world.safety.committed.length - 1}`;
}

function judge(world: World, faults: FaultInjector): void {
  const machines = finalMembers(world).flatMap((id) => world.server(id)?.durable.machine ?? []);
  const digests = machines.map((machine) => machine.digest());
  if (new Set(digests).size > 1) {
    throw new Violation(`equal state: machines differ:\n${digests.join("\n\n")}`);
  }
  const { options, history, safety } = world;
  const keys = Array.from({ length: options.keys }, (_, number) => `k${number}`);
  const committed = safety.committed.flatMap((known) => known?.entry ?? []);
  const model = modelOf(committed);
  for (const key of [...keys, "l0", "l1"]) {
    const [held, expected] = [machines[0]?.get(key), model.get(key)].map((found) => {
      return found && `${found.value} of ${found.index} held by ${found.session}`;
    });
    if (held === expected) continue;
    throw new Violation(`model: ${key} is ${held} where the log says ${expected}`);
  }
  history.check({ keys, slackMs: slackMs(world, faults), committed });
}

/** By how much a default read may be late: nothing, unless clocks are beyond their bounds or an old
 * instance may have run on; then one lease, as the slowest clock counts it. */
function slackMs(world: World, faults: FaultInjector): number {
  const { drift, timing, faults: periods } = world.options;
  if (drift <= boundedDrift && faults.steppedMs === 0 && periods.twinMs === 0) return 0;
  return timing.leaseMs / (1 - drift) + faults.steppedMs;
}

function summary(world: World, seed: number): RunResult {
  const records = world.history.records.filter(({ outcome }) => {
    return outcome?.type !== "redirect" && outcome?.type !== "lost";
  });
  return {
    seed,
    preset: world.options.preset,
    operations: records.length,
    unanswered: records.filter((record) => record.outcome === null).length,
    elections: world.safety.elections,
    committed: world.safety.committed.length - 1,
    messages: world.messages,
  };
}

/** What the run broke, in words; errors of any other kind are the simulator's own. */
export function failure(error: unknown): string | null {
  if (error instanceof Violation || error instanceof AssertionError) return error.message;
  return null;
}
