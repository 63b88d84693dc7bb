// One run: turmoil, healing, rest, judgement.

import { AssertionError } from "../../src/core/lib/assert.ts";
import { Client } from "./clients.ts";
import { FaultInjector } from "./faults.ts";
import { boundedDrift } from "./options.ts";
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
const restMs = { lan: 20_000, edge: 120_000 };

/** Throws a Violation, or an AssertionError of the core, if the run breaks a guarantee. */
export function run(options: RunOptions): RunResult {
  const world = new World(options);
  const faults = new FaultInjector(world);
  world.trace.line(0, "world", () => JSON.stringify(world.options));
  world.start();
  const clients: Client[] = [];
  for (let number = 1; number <= world.options.clients; number += 1) {
    const client = new Client(world, `c${number}`);
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
  return summary(world, options.seed);
}

/** A healed world accepts a write, and then all members come to the same state. */
function comeToRest(world: World): void {
  const { queue, options } = world;
  const until = queue.now + restMs[options.preset];
  const written = tryToWrite(world);
  while (!written.done) {
    if (queue.now >= until) {
      throw new Violation(`progress: a healed world accepts no write\n${states(world)}`);
    }
    queue.runUntil(queue.now + 200);
  }
  while (!agreed(world)) {
    if (queue.now >= until)
      throw new Violation(`equal state: ${differences(world)}\n${states(world)}`);
    queue.runUntil(queue.now + 200);
  }
}

function tryToWrite(world: World): { done: boolean } {
  const { queue } = world;
  const last = new Client(world, "last");
  const written = { done: false };
  const attempt = (): void => {
    last.perform({ type: "put", key: "k0", value: `last.${queue.now}` }, (outcome) => {
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
  const digests = finalMembers(world).map((id) => world.server(id)?.durable.machine.digest());
  if (new Set(digests).size > 1) {
    throw new Violation(`equal state: machines differ: ${digests.join(" | ")}`);
  }
  const { options, history, safety } = world;
  const keys = Array.from({ length: options.keys }, (_, number) => `k${number}`);
  const committed = safety.committed.map((known) => known?.entry ?? null);
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
