// One machine, kept: what an agent with a data directory still knows after it was stopped, and after it was killed in
// the middle of everything.

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { chaosRounds, median } from "../support/chaos.ts";
import { eventually } from "../support/eventually.ts";
import { agentPorts, isRefused } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { Writers } from "../support/writers.ts";

const writers = 64;
const acknowledgedPerRound = 500;
/** After a kill -9 of the agent, its servers end by themselves within this time. */
const orphanLimitMs = 3_000;

afterAll(stopAll);

/** The same machine at every start: same directory, same ports. */
async function machine(config: Record<string, unknown> = {}): Promise<StartOptions> {
  const dataDir = join(temporaryDirectory(), "data");
  return {
    ports: await agentPorts(),
    config: {
      server: true,
      bootstrap_expect: 1,
      bind_addr: "127.0.0.1",
      node_name: "kept",
      data_dir: dataDir,
      ...config,
    },
  };
}

test("kill -9 under 64 writers: no acknowledged write is lost, and it starts again by itself", async () => {
  const options = await machine();
  const load = new Writers("chaos");
  let agent = await Proconsul.start(options);
  const restartsMs: number[] = [];
  for (let round = 0; round < chaosRounds(3); round++) {
    const wanted = load.acknowledged.size + acknowledgedPerRound;
    load.start(writers, agent.url);
    await eventually(() => load.acknowledged.size >= wanted, { what: "writes are accepted" });
    await agent.kill();
    await load.stop();
    const startMs = performance.now();
    // At once: a supervisor does not wait until the servers have noticed that their agent is gone.
    agent = await Proconsul.start(options);
    restartsMs.push(performance.now() - startMs);
    expect(await load.lost(agent.url)).toEqual([]);
  }
  console.log(
    `${load.acknowledged.size} writes kept over ${restartsMs.length} kills; ` +
      `restarted in ${median(restartsMs).toFixed(0)} ms (median)`,
  );
  await agent.stop();
});

test("after kill -9 of the agent nothing of it is left running", async () => {
  const agent = await Proconsul.start(await machine());
  expect(await isRefused(agent.ports.server)).toBe(false);
  await agent.kill();
  await eventually(() => isRefused(agent.ports.server), {
    what: "workerd has ended",
    limitMs: orphanLimitMs,
  });
});

test("services, checks and their state come back after SIGTERM", async () => {
  const options = await machine();
  const before = await Proconsul.start(options);
  for (const name of ["kept-passing", "kept-critical"]) {
    await before.put("/v1/agent/service/register", { Name: name, Port: 1, Check: { TTL: "60s" } });
  }
  await before.put("/v1/agent/check/pass/service:kept-passing?note=alive");
  const session = (await before.put("/v1/session/create")).json<{ ID: string }>().ID;
  await before.put(`/v1/kv/lock?acquire=${session}`, "held");
  expect(await before.stop()).toEqual({ code: 1, signal: null });

  const after = await Proconsul.start(options);
  const services = (await after.get("/v1/agent/services")).json<object>();
  expect(Object.keys(services).toSorted()).toEqual(["kept-critical", "kept-passing"]);
  const checks = (await after.get("/v1/agent/checks")).json<
    Record<string, { Status: string; Output: string }>
  >();
  expect(checks["service:kept-passing"]).toMatchObject({ Status: "passing", Output: "alive" });
  expect(checks["service:kept-critical"]).toMatchObject({ Status: "critical" });
  const healthy = await after.get("/v1/health/service/kept-passing?passing");
  expect(healthy.json<unknown[]>()).toHaveLength(1);
  const [lock] = (await after.get("/v1/kv/lock")).json<{ Session?: string }[]>();
  expect(lock?.Session).toBe(session);
  const [node, ...others] = (await after.get("/v1/catalog/nodes")).json<{ Node: string }[]>();
  expect(node?.Node).toBe("kept");
  expect(others).toEqual([]);
  await after.stop();
});

test("exit codes are Consul's", async () => {
  const endings: [Record<string, unknown>, (agent: Proconsul) => unknown, number][] = [
    [{}, (agent) => agent.signal("SIGINT"), 1],
    [{ skip_leave_on_interrupt: false }, (agent) => agent.signal("SIGINT"), 0],
    [{ leave_on_terminate: true }, (agent) => agent.signal("SIGTERM"), 0],
    [{}, (agent) => agent.put("/v1/agent/leave"), 0],
  ];
  for (const [config, end, code] of endings) {
    const agent = await Proconsul.start(await machine(config));
    await end(agent);
    expect(await agent.exited, JSON.stringify(config)).toEqual({ code, signal: null });
  }
});
