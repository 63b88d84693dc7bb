// The ways in which people found a datacenter of three, as its issue trackers and guides have them: an expectation at
// every server, at one of them, a first server that bootstraps and others that join it, `-dev` agents that join one.
// Each server has a loopback address of its own, and all have the same ports, as hosts do.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterEach(stopAll);

const addresses = ["127.0.0.11", "127.0.0.12", "127.0.0.13"] as const;
const [first, second, third] = addresses;
/** A newcomer waits for its catalog, is taken in as a learner and gets a vote. */
const togetherMs = 20_000;

interface Founder {
  address: string;
  args: readonly string[];
  dev?: true;
}

async function optionsOf(founders: readonly Founder[]): Promise<StartOptions[]> {
  const ports = await agentPorts();
  return founders.map(({ address, args, dev }) => ({
    ports,
    address,
    args: [
      ...["-bind", address, "-client", address, "-node", `at-${address}`],
      ...(dev ? ["-dev"] : ["-server", "-data-dir", join(temporaryDirectory(), "data")]),
      ...args,
    ],
  }));
}

/** All three vote for one leader, and what is written at one of them is read at the others. */
async function together(agents: readonly Proconsul[]): Promise<void> {
  const [one] = agents as [Proconsul];
  await eventually(
    async () => {
      const { Servers } = (await one.get("/v1/operator/raft/configuration")).json<{
        Servers: { Node: string; Voter: boolean }[];
      }>();
      const voters = Servers.filter(({ Voter }) => Voter).map(({ Node }) => Node);
      return voters.toSorted().join() === addresses.map((address) => `at-${address}`).join();
    },
    { what: "all three vote", limitMs: togetherMs },
  );
  await eventually(
    async () => {
      const leaders = await Promise.all(agents.map((agent) => agent.get("/v1/status/leader")));
      return new Set(leaders.map(({ text }) => text.trim())).size === 1;
    },
    { what: "all three know the same leader" },
  );
  expect((await one.put("/v1/kv/founded", "yes")).text.trim()).toBe("true");
  for (const agent of agents) expect((await agent.get("/v1/kv/founded?raw")).text).toBe("yes");
  await eventually(
    async () => {
      const passing = await one.get("/v1/health/service/consul?passing");
      return passing.json<unknown[]>().length === 3;
    },
    { what: "the catalog has all three" },
  );
}

async function spawnAll(founders: readonly Founder[]): Promise<Proconsul[]> {
  const options = await optionsOf(founders);
  return await Promise.all(options.map((one) => Proconsul.spawn(one)));
}

test("-bootstrap-expect 3 at every one", async () => {
  const args = ["-bootstrap-expect", "3", ...addresses.flatMap((to) => ["-retry-join", to])];
  await together(await spawnAll(addresses.map((address) => ({ address, args }))));
});

test("-bootstrap-expect 3 at one, two others that only join", async () => {
  await together(
    await spawnAll([
      { address: first, args: ["-bootstrap-expect", "3"] },
      { address: second, args: ["-retry-join", first] },
      { address: third, args: ["-retry-join", first] },
    ]),
  );
});

test("-bootstrap at the first, then two with -join", async () => {
  const [founder, ...joiners] = await optionsOf([
    { address: first, args: ["-bootstrap"] },
    { address: second, args: ["-join", first] },
    { address: third, args: ["-join", first] },
  ]);
  const leads = await Proconsul.start(founder);
  // Written before the others are there: they get it, and found nothing of their own.
  await leads.put("/v1/kv/before", "1");
  const joined = await Promise.all(joiners.map((one) => Proconsul.spawn(one)));
  await together([leads, ...joined]);
  for (const agent of joined) expect((await agent.get("/v1/kv/before?raw")).text).toBe("1");
});

test("a server that only joins founds nothing by itself", async () => {
  const [alone] = await spawnAll([{ address: second, args: ["-retry-join", first] }]);
  const agent = alone as Proconsul;
  await eventually(() => agent.output.includes("Join cluster failed, will retry"), {
    what: "it has tried to join",
  });
  expect((await agent.get("/v1/status/leader")).text).toBe('""');
  expect((await agent.get("/v1/status/peers")).text).toBe("[]");
});

test("-dev, and two -dev that join it", async () => {
  const [founder, ...joiners] = await optionsOf([
    { address: first, dev: true, args: [] },
    { address: second, dev: true, args: ["-join", first] },
    { address: third, dev: true, args: ["-join", first] },
  ]);
  const leads = await Proconsul.start(founder);
  await together([leads, ...(await Promise.all(joiners.map((one) => Proconsul.spawn(one))))]);
});

test("one of three loses its data directory: it comes back in its own place", async () => {
  const args = ["-bootstrap-expect", "3", ...addresses.flatMap((to) => ["-retry-join", to])];
  const options = await optionsOf(addresses.map((address) => ({ address, args })));
  const agents = await Promise.all(options.map((one) => Proconsul.spawn(one)));
  await together(agents);
  const [kept, other, lost] = agents as [Proconsul, Proconsul, Proconsul];
  await lost.kill();
  const lostOptions = options[2] as StartOptions;
  const at = (lostOptions.args ?? []).indexOf("-data-dir");
  rmSync(lostOptions.args?.[at + 1] ?? "", { recursive: true });
  await kept.put("/v1/kv/meanwhile", "1");
  const back = await Proconsul.start(lostOptions);
  const { Config } = (await back.get("/v1/agent/self")).json<{ Config: { NodeID: string } }>();
  await eventually(
    async () => (await kept.get("/v1/operator/raft/configuration")).text.includes(Config.NodeID),
    { what: "it is a member under its new id", limitMs: togetherMs },
  );
  await together([kept, other, back]);
  expect((await back.get("/v1/kv/meanwhile?raw")).text).toBe("1");
});
