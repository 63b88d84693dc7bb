// An operator's view of three servers of one's own: who belongs to the group, and taking out one that will not return.

import { afterAll, beforeAll, expect, test } from "vitest";

import { askUdp, dnsQuestion } from "../support/dns-wire.ts";
import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { machineOptions } from "../support/machines.ts";
import { Proconsul, stopAll } from "../support/proconsul.ts";

interface Listed {
  Node: string;
  ID: string;
  Address: string;
  Leader: boolean;
  Voter: boolean;
}

let machines: Proconsul[];

beforeAll(async () => {
  const ports = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
  machines = await Promise.all(
    ports.map((own, n) => Proconsul.spawn(machineOptions(n, own, ports))),
  );
  await Promise.all(machines.map((machine) => machine.led()));
});
afterAll(stopAll);

async function configuration(at: Proconsul, query = ""): Promise<Listed[]> {
  const answer = await at.get(`/v1/operator/raft/configuration${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json<{ Servers: Listed[] }>().Servers;
}

function remove(at: Proconsul, query: string): ReturnType<Proconsul["get"]> {
  return at.get(`/v1/operator/raft/peer?${query}`, { method: "DELETE" });
}

test("every server lists the same three, one of which leads", async () => {
  const [first, ...others] = await Promise.all(machines.map((machine) => configuration(machine)));
  expect(first?.map(({ Node }) => Node).toSorted()).toEqual([
    "machine-0",
    "machine-1",
    "machine-2",
  ]);
  expect(first?.filter(({ Leader }) => Leader)).toHaveLength(1);
  expect(first?.every(({ Voter }) => Voter)).toBe(true);
  for (const other of others) expect(other).toEqual(first);
});

test("metrics tell what was asked, and where the server stands", async () => {
  const [machine] = machines as [Proconsul];
  await machine.put("/v1/kv/counted", "1");
  await askUdp(machine.ports.dns, [dnsQuestion(7, "consul.service.consul")], 7);
  interface Told {
    Counters: { Name: string; Count: number }[];
    Samples: { Name: string; Count: number }[];
    Gauges: { Name: string; Value: number }[];
  }
  // An interval is told of when it is over; each asks the leader, which any of them may be.
  const told: Told[] = [];
  const names = (): string[] =>
    told.flatMap(({ Counters, Samples }) => [...Counters, ...Samples].map(({ Name }) => Name));
  const expected = ["http.requests", "dns.queries", "client.rpc", "http.PUT.v1.kv._", "kvs.apply"];
  await eventually(
    async () => {
      for (const each of machines) told.push((await each.get("/v1/agent/metrics")).json<Told>());
      const found = new Set(names());
      return [...expected, "raft.apply", "rpc.request"].every((name) =>
        found.has(`consul.${name}`),
      );
    },
    { what: "the interval is over", limitMs: 25_000 },
  );
  const values = new Map(told[0]?.Gauges.map(({ Name, Value }) => [Name, Value]));
  expect(values.get("consul.raft.applied_index")).toBeGreaterThan(1);
});

test("what is not in the group cannot be removed", async () => {
  const [machine] = machines as [Proconsul];
  const byAddress = await remove(machine, "address=192.0.2.1:8300");
  const wrong = 'address "192.0.2.1:8300" was not found in the Raft configuration';
  expect([byAddress.status, byAddress.text]).toEqual([500, wrong]);
  const byId = await remove(machine, "id=nobody");
  expect([byId.status, byId.text]).toEqual([
    500,
    'id "nobody" was not found in the Raft configuration',
  ]);
});

test("a dead server is removed, through a follower too; then neither of the last two may go", async () => {
  const listed = await configuration(machines[0] as Proconsul);
  const addressOf = ({ ports }: Proconsul): string => `127.0.0.1:${ports.server}`;
  const leads = listed.find(({ Leader }) => Leader)?.Address;
  const leader = machines.find((machine) => addressOf(machine) === leads) as Proconsul;
  const [dead, follower] = machines.filter((one) => one !== leader) as [Proconsul, Proconsul];
  await dead.kill();
  // While one of three is away, the other two are the majority: neither may go.
  const refused = await remove(leader, `address=${addressOf(follower)}`);
  expect([refused.status, refused.text]).toEqual([
    500,
    expect.stringMatching(/^cannot remove server "machine-\d": too few/),
  ]);
  const removed = await remove(follower, `address=${addressOf(dead)}`);
  expect([removed.status, removed.text]).toEqual([200, ""]);
  for (const machine of [leader, follower]) {
    const left = (await configuration(machine)).map(({ Address }) => Address);
    expect(left.toSorted()).toEqual([addressOf(leader), addressOf(follower)].toSorted());
  }
  expect((await follower.put("/v1/kv/after", "1")).status).toBe(200);

  // Without a leader only a stale question is answered.
  await follower.kill();
  expect(await configuration(leader, "?stale")).toHaveLength(2);
  await eventually(
    async () => {
      const answer = await leader.get("/v1/operator/raft/configuration");
      return answer.status === 500 && answer.text === "No cluster leader";
    },
    { what: "the leader is asked in vain", limitMs: 20_000 },
  );
});
