// A group of servers of hosts grows from one to five and shrinks again, while it is written to: servers join, leave,
// die and are made to leave, and come back with the data that they had. Each has a loopback address of its own.

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { type AgentPorts, agentPorts } from "../support/free-ports.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

const changeMs = 20_000;

interface Host {
  address: string;
  name: string;
  dataDir: string;
  agent: Proconsul;
}

let ports: AgentPorts;
const hosts: Host[] = [];

async function start(host: Omit<Host, "agent">): Promise<Proconsul> {
  const { address, name, dataDir } = host;
  const isFirst = address === "127.0.0.31";
  return await Proconsul.spawn({
    ports,
    address,
    // A newcomer gets its vote after this time.
    config: { autopilot: { server_stabilization_time: "500ms" } },
    args: [
      ...["-server", "-bind", address, "-client", address, "-node", name, "-data-dir", dataDir],
      ...(isFirst ? ["-bootstrap"] : ["-retry-join", "127.0.0.31", "-retry-join", "127.0.0.32"]),
    ],
  });
}

async function add(n: number): Promise<Host> {
  const host = {
    address: `127.0.0.3${n}`,
    name: `s${n}`,
    dataDir: join(temporaryDirectory(), "d"),
  };
  const started = { ...host, agent: await start(host) };
  hosts[n - 1] = started;
  return started;
}

const host = (n: number): Host => hosts[n - 1] as Host;

/** The voters of the group are those servers, by number, in the eyes of each of them; the catalog has the same. */
async function groupIs(...numbers: number[]): Promise<void> {
  const names = numbers.map((n) => `s${n}`).join();
  for (const n of numbers) {
    await eventually(
      async () => {
        const path = "/v1/operator/raft/configuration";
        const { Servers } = (await host(n).agent.get(path)).json<{
          Servers: { Node: string; Voter: boolean }[];
        }>();
        const voters = Servers.filter(({ Voter }) => Voter).map(({ Node }) => Node);
        return voters.toSorted().join() === names;
      },
      { what: `s${n} knows ${names} as the voters`, limitMs: changeMs },
    );
  }
  await eventually(
    async () => {
      const nodes = await host(numbers[0] ?? 1).agent.get("/v1/health/service/consul?passing");
      const found = nodes.json<{ Node: { Node: string } }[]>().map(({ Node }) => Node.Node);
      return found.toSorted().join() === names;
    },
    { what: `the catalog has ${names}`, limitMs: changeMs },
  );
}

let written = 0;

/** Everything that was written before is there, at every one of them. */
async function keeps(...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    const put = await host(n).agent.put(`/v1/kv/at/${written}`, "x");
    expect(put.text.trim(), `s${n}`).toBe("true");
    written += 1;
  }
  for (const n of numbers) {
    const keys = (await host(n).agent.get("/v1/kv/at/?keys")).json<string[]>();
    expect(keys, `s${n}`).toHaveLength(written);
  }
}

async function leaderNumber(among: readonly number[]): Promise<number> {
  const leader = (await host(among[0] ?? 1).agent.get("/v1/status/leader")).json<string>();
  return hosts.findIndex(({ address }) => leader.startsWith(`${address}:`)) + 1;
}

test("from one to five, by leaving to three, and back with what they had", async () => {
  ports = await agentPorts();
  await (await add(1)).agent.led();
  await add(2);
  await groupIs(1, 2);
  await keeps(1, 2);
  await Promise.all([3, 4, 5].map(add));
  await groupIs(1, 2, 3, 4, 5);
  await keeps(1, 2, 3, 4, 5);

  const all = [1, 2, 3, 4, 5];
  const leading = await leaderNumber(all);
  const other = all.find((n) => n !== leading && n !== 1) as number;
  for (const n of [leading, other]) {
    expect((await host(n).agent.put("/v1/agent/leave")).status).toBe(200);
    expect((await host(n).agent.exited).code).toBe(0);
  }
  const three = all.filter((n) => n !== leading && n !== other);
  await groupIs(...three);
  await keeps(...three);

  for (const n of [leading, other]) host(n).agent = await start(host(n));
  await groupIs(...all);
  await keeps(...all);
});

test("one that died is made to leave, and comes back with what it had", async () => {
  const all = [1, 2, 3, 4, 5];
  await host(4).agent.kill();
  const rest = all.filter((n) => n !== 4);
  await eventually(
    async () => {
      const members = (await host(1).agent.get("/v1/agent/members")).json<
        { Name: string; Status: number }[]
      >();
      return members.some(({ Name, Status }) => Name === "s4" && Status === 4);
    },
    { what: "s4 is called failed", limitMs: changeMs },
  );
  expect((await host(1).agent.put("/v1/agent/force-leave/s4")).status).toBe(200);
  await groupIs(...rest);
  await keeps(...rest);
  host(4).agent = await start(host(4));
  await groupIs(...all);
  await keeps(...all);
});
