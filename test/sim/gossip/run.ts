// One simulated datacenter's gossip from its seed: minutes of faults, then time to heal. Whoever is well is never
// called failed, the dead are noticed, and in the end everybody who is well is a member.

import { Violation } from "../violation.ts";
import { type Deaths, faults } from "./faults.ts";
import { GossipWorld } from "./world.ts";

const minuteMs = 60_000;

export interface GossipRun {
  agents: number;
  /** Of faults. */
  minutes: number;
  /** Hears of each fault, in virtual time. */
  trace?: (atMs: number, fault: string) => void;
}

export interface GossipResult {
  seed: number;
  simulatedMs: number;
  faults: Record<string, number>;
  /** From each death to the verdict. */
  noticedMs: number[];
  /** Datagrams of each agent while there were faults. */
  bytesPerMinute: number[];
}

export const usualGossip: GossipRun = { agents: 50, minutes: 10 };

/** Rejects with a Violation when somebody well was called failed, or somebody dead was not noticed. */
export async function runGossip(
  seed: number,
  { agents, minutes, trace }: GossipRun = usualGossip,
): Promise<GossipResult> {
  const world = new GossipWorld(seed, agents);
  const beganMs = world.nowMs;
  const deaths: Deaths = { noticedMs: [], missed: [] };
  world.startAll(2_000);
  await world.time.pass(2 * minuteMs);
  for (const { mesh } of world.agents) mesh.bytes = 0;
  const history: string[] = [];
  const injected: Record<string, number> = {};
  const names = Object.keys(faults);
  const endMs = world.nowMs + minutes * minuteMs;
  while (world.nowMs < endMs) {
    const name = names[world.random.integer(0, names.length)] as string;
    history.push(`${Math.round(world.nowMs - beganMs)} ${name}`);
    trace?.(world.nowMs - beganMs, name);
    injected[name] = (injected[name] ?? 0) + 1;
    faults[name]?.(world, deaths);
    await world.time.pass(5_000 + world.random.next() * 25_000);
  }
  const bytesPerMinute = world.agents.map(({ mesh }) => mesh.bytes / minutes);
  world.mesh.loss = 0;
  await world.time.pass(4 * minuteMs);
  world.host.stop();
  const away = world.agents.filter(({ name }) => world.told.get(name) !== "alive");
  refuse("well, and called failed", world.wrong, history);
  refuse("dead, and not noticed", deaths.missed, history);
  refuse(
    "well, and no members",
    away.map(({ name }) => name),
    history,
  );
  return {
    ...{ seed, simulatedMs: world.nowMs - beganMs, faults: injected },
    ...{ noticedMs: deaths.noticedMs, bytesPerMinute },
  };
}

function refuse(what: string, who: readonly string[], history: readonly string[]): void {
  if (who.length > 0) throw new Violation(`${what}: ${who.join("; ")}\n${history.join("\n")}`);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
