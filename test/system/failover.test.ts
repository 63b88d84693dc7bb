// Several machines of one's own: three processes that find each other, whose leader is killed again and again while
// clients go on. What was acknowledged stays, what is read fits one order, and somebody leads again soon.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { chaosRounds, median } from "../support/chaos.ts";
import { eventually } from "../support/eventually.ts";
import { agentPorts, isRefused } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { machineOptions } from "../support/machines.ts";
import { RegisterClients } from "../support/register-clients.ts";
import { Writers } from "../support/writers.ts";

const loadWriters = 8;
/** Generous: only that it comes to an end is asserted. The median is printed. */
const failoverLimitMs = 10_000;

interface Machine {
  options: StartOptions;
  agent: Proconsul;
}

let machines: Machine[];

beforeAll(async () => {
  const ports = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
  const options = ports.map((own, n) => machineOptions(n, own, ports));
  const agents = await Promise.all(options.map((one) => Proconsul.spawn(one)));
  await Promise.all(agents.map((agent) => agent.led()));
  machines = agents.map((agent, n) => ({ agent, options: options[n] as StartOptions }));
});
afterAll(stopAll);

/** The machine that leads, once all agree. */
async function leader(): Promise<Machine> {
  return await eventually(
    async () => {
      const answers = await Promise.all(
        machines.map(({ agent }) => agent.get("/v1/status/leader")),
      );
      const [address, ...others] = new Set(answers.map((answer) => answer.json<string>()));
      const leads = ({ agent }: Machine): boolean => address === `127.0.0.1:${agent.ports.server}`;
      return others.length === 0 && machines.find(leads);
    },
    { what: "all agree on a leader" },
  );
}

/** Kills the leader and gives the time until a write at another machine was accepted. */
async function failOver(killed: Machine, witness: Machine, key: string): Promise<number> {
  const startMs = performance.now();
  await killed.agent.kill();
  // Its server lives a few milliseconds longer than the agent and would take the write.
  await eventually(() => isRefused(killed.agent.ports.server), {
    what: "it is gone",
    intervalMs: 1,
  });
  await eventually(async () => (await witness.agent.put(`/v1/kv/${key}`, key)).status === 200, {
    what: "a write is accepted again",
    limitMs: failoverLimitMs,
    intervalMs: 10,
  });
  return performance.now() - startMs;
}

test("three processes make one datacenter", async () => {
  const [first, ...others] = await Promise.all(
    machines.map(async ({ agent }) => ({
      leader: (await agent.get("/v1/status/leader")).json<string>(),
      peers: (await agent.get("/v1/status/peers")).json<string[]>().toSorted(),
    })),
  );
  const addresses = machines.map(({ agent }) => `127.0.0.1:${agent.ports.server}`);
  expect(first?.peers).toEqual(addresses.toSorted());
  expect(addresses).toContain(first?.leader);
  for (const other of others) expect(other).toEqual(first);
  await eventually(
    async () => {
      const nodes = await machines[2]?.agent.get("/v1/health/service/consul?passing");
      return nodes?.json<unknown[]>().length === 3;
    },
    { what: "all three pass" },
  );
});

test("the leader dies, again and again: nothing acknowledged is lost, all reads fit one order", async () => {
  const tookMs: number[] = [];
  const probes: string[] = [];
  const load = new Writers("load");
  const clients = new RegisterClients(["register/a", "register/b", "register/c"], () =>
    machines.map(({ agent }) => agent.url),
  );
  clients.start();
  for (let round = 0; round < chaosRounds(2); round++) {
    const killed = await leader();
    const [first, second] = machines.filter((machine) => machine !== killed) as [Machine, Machine];
    const wanted = load.acknowledged.size + 100;
    load.start(loadWriters, first.agent.url);
    await eventually(() => load.acknowledged.size >= wanted, { what: "writes are accepted" });
    const probe = `probe/${round}`;
    tookMs.push(await failOver(killed, second, probe));
    probes.push(probe);
    await load.stop();
    killed.agent = await Proconsul.start(killed.options);
  }
  await clients.stop();
  for (const { agent } of machines) {
    expect(await load.lost(agent.url)).toEqual([]);
    const kept = (await agent.get("/v1/kv/probe/?keys")).json<string[]>();
    expect(kept).toEqual(probes.toSorted());
  }
  console.log(
    `leader killed ${tookMs.length} times: next write after ${median(tookMs).toFixed(0)} ms ` +
      `(median), ${Math.max(...tookMs).toFixed(0)} ms (longest); ${load.acknowledged.size} writes kept; ` +
      `${clients.answered} operations in one order, ${clients.unanswered} without an answer`,
  );
  expect(clients.answered).toBeGreaterThan(100);
  expect(clients.violations()).toEqual([]);
});

test("a client that moved to another server has not failed when its first one returns", async () => {
  const [first, second] = machines as [Machine, Machine, Machine];
  const joins = machines.flatMap(({ agent }) => [
    "-retry-join",
    `127.0.0.1:${agent.ports.serf_lan}`,
  ]);
  const [moved, dead] = await Promise.all(
    ["moved", "dead"].map((name) => {
      const dataDir = join(temporaryDirectory(), "data");
      return Proconsul.start({
        args: ["-bind", "127.0.0.1", "-node", name, "-data-dir", dataDir, ...joins],
      });
    }),
  );
  const health = async (node: string): Promise<string | undefined> => {
    const checks = await second.agent.get(`/v1/health/node/${node}`);
    return checks.json<{ Status: string }[]>()[0]?.Status;
  };
  for (const node of ["moved", "dead"]) {
    await eventually(async () => (await health(node)) === "passing", { what: `${node} passes` });
  }
  await Promise.all([dead?.kill(), first.agent.kill()]);
  await eventually(async () => (await moved?.put("/v1/kv/moved", "1"))?.status === 200, {
    what: "the client has found another server",
  });
  first.agent = await Proconsul.start(first.options);
  // The pool that lost both judges both at once: when the one is found out, the other was spared.
  await eventually(async () => (await health("dead")) === "critical", {
    what: "the dead one is found out",
    limitMs: 25_000,
  });
  expect(await health("moved")).toBe("passing");
  await moved?.stop();
});

test("without a majority only stale reads are answered; it goes on when one returns", async () => {
  const [kept, ...others] = machines as [Machine, Machine, Machine];
  await kept.agent.put("/v1/kv/before", "1");
  await eventually(async () => (await kept.agent.get("/v1/kv/before?stale")).status === 200, {
    what: "the write reached this machine",
  });
  await Promise.all(others.map(({ agent }) => agent.kill()));
  const refused = await kept.agent.put("/v1/kv/lonely", "1");
  expect(refused.status).toBe(500);
  const stale = await kept.agent.get("/v1/kv/before?stale");
  expect(stale.status).toBe(200);
  const [back] = others;
  back.agent = await Proconsul.start(back.options);
  await eventually(async () => (await kept.agent.put("/v1/kv/after", "1")).status === 200, {
    what: "writes are accepted again",
  });
  expect((await back.agent.get("/v1/kv/before")).status).toBe(200);
});
