// How long nobody takes writes when the leader dies: three processes, kill -9 of the one that
// leads, and the time until a write through any of the others is accepted. The killed one comes
// back before the next round.

import { setTimeout as pause } from "node:timers/promises";

import { Agent } from "./processes.ts";
import { inDirectory } from "./subjects.ts";
import type { Effort, Row, Trial } from "./trials.ts";

const agreeLimitMs = 30_000;
const failoverLimitMs = 30_000;
/** A fresh attempt at each survivor this often: one that hangs must not decide the figure. */
const attemptEveryMs = 20;
const attemptTimeoutMs = 2_000;

export function failoverTrial({ rounds }: Effort): Trial {
  const row: Row = {
    ...{ name: "failover", title: "leader killed to next write, 3 processes", unit: "ms" },
    reach: { atMost: 500 },
  };
  return {
    rows: [row],
    applies: (subject) => subject.isDatacenter,
    measure: async (subject, _wanted, report) =>
      await inDirectory(async (directory) => {
        const agents = (await subject.group(directory)).map((program) => new Agent(program));
        try {
          for (let round = 0; round < rounds; round++) {
            report(row.name, { value: await failOver(agents) });
          }
        } finally {
          await Promise.all(agents.map((agent) => agent.stop()));
        }
      }),
  };
}

async function failOver(agents: Agent[]): Promise<number> {
  const at = await leaderOf(agents);
  const leader = agents[at] as Agent;
  const survivors = agents.filter((agent) => agent !== leader);
  const startMs = performance.now();
  await leader.kill();
  await nextWrite(survivors);
  const tookMs = performance.now() - startMs;
  agents[at] = new Agent(leader.program);
  await agents[at].ready();
  return tookMs;
}

/** Position of the agent that all agents say leads. */
async function leaderOf(agents: readonly Agent[]): Promise<number> {
  await Promise.all(agents.map((agent) => agent.ready()));
  const deadlineMs = performance.now() + agreeLimitMs;
  while (performance.now() < deadlineMs) {
    const said = await Promise.all(agents.map((agent) => text(`${agent.url}/v1/status/leader`)));
    const at = agents.findIndex(({ program }) => said[0] === `"127.0.0.1:${program.ports.server}"`);
    const agree = said.every((leader) => leader === said[0]);
    if (agree && at >= 0 && (await allVote(agents))) return at;
    await pause(50);
  }
  throw new Error(`no leader that all agree on within ${agreeLimitMs} ms`);
}

/** Whether nobody is missing: without three voters the next death would end the datacenter. */
async function allVote(agents: readonly Agent[]): Promise<boolean> {
  const peers = JSON.parse(await text(`${agents[0]?.url}/v1/status/peers`)) as string[];
  const passing = await text(`${agents[0]?.url}/v1/health/service/consul?passing`);
  return peers.length === agents.length && (JSON.parse(passing) as []).length === agents.length;
}

async function nextWrite(survivors: readonly Agent[]): Promise<void> {
  const done = { accepted: false };
  const deadlineMs = performance.now() + failoverLimitMs;
  const attempt = async (agent: Agent): Promise<void> => {
    const signal = AbortSignal.timeout(attemptTimeoutMs);
    const asked = { method: "PUT", body: String(performance.now()), signal };
    if ((await text(`${agent.url}/v1/kv/failover`, asked)) === "true") done.accepted = true;
  };
  while (!done.accepted && performance.now() < deadlineMs) {
    for (const agent of survivors) void attempt(agent);
    await pause(attemptEveryMs);
  }
  if (!done.accepted) throw new Error(`no write was accepted within ${failoverLimitMs} ms`);
}

/** The body of an answer with status 200, "" for any other. */
async function text(url: string, init: RequestInit = {}): Promise<string> {
  try {
    const response = await fetch(url, init);
    const body = (await response.text()).trim();
    return response.ok ? body : "";
  } catch {
    return "";
  }
}
