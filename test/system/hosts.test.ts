// Five hosts with a network of their own, as README starts them: three servers without keys on private addresses, two
// client agents. Servers are killed, hang, are cut off and run out of disk while clients write through the agents.
//
// It needs root and Linux's network namespaces; where there are none it says that it is left out.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { chaosRounds } from "../support/chaos.ts";
import { eventually } from "../support/eventually.ts";
import { canMakeNetworks, HostNetwork, type NetworkHost } from "../support/namespaces.ts";
import {
  mainFile,
  Proconsul,
  request,
  type StartOptions,
  stopAll,
  temporaryDirectory,
} from "../support/proconsul.ts";
import { Writers } from "../support/writers.ts";

const ports = {
  http: 8500,
  dns: 8600,
  server: 8300,
  edge: -1,
  serf_lan: 8301,
  serf_wan: 8302,
};
const writersPerAgent = 4;
/** Until an agent whose server hangs is back at work. */
const backAtWorkMs = 10_000;
/** Until a datacenter that lost its leader has another one; in lan timing well below. */
const failoverMs = 10_000;
const cutMs = 20_000;
/** After a cut has ended, nobody who is well may be held for failed any longer than this. */
const recoveryMs = 10_000;
const diskMegabytes = 48;

interface Machine {
  host: NetworkHost;
  name: string;
  options: StartOptions;
  dataDir: string;
  agent: Proconsul;
}

const isPossible = canMakeNetworks();
let network: HostNetwork | null = null;
let servers: Machine[];
let clients: Machine[];

beforeAll(async () => {
  if (!isPossible) return;
  network = new HostNetwork();
  const hosts = Array.from({ length: 5 }, () => (network as HostNetwork).add());
  const addresses = hosts.slice(0, 3).map(({ address }) => address);
  const machines = hosts.map((host, n) => machineOn(host, n, addresses));
  servers = await Promise.all(machines.slice(0, 3).map(started));
  clients = await Promise.all(machines.slice(3).map(started));
  await everybodyPasses();
});
afterAll(async () => {
  const machines = [...(servers ?? []), ...(clients ?? [])];
  await Promise.all(machines.map(({ agent }) => agent.stop()));
  // Before the directories go in which its disks are.
  network?.remove();
  await stopAll();
});

function machineOn(
  host: NetworkHost,
  n: number,
  joined: readonly string[],
): Omit<Machine, "agent"> {
  const isServer = n < joined.length;
  const name = isServer ? `server-${n}` : `client-${n - joined.length}`;
  const dataDir = join(temporaryDirectory(), "data");
  if (isServer) network?.mountDisk(dataDir, diskMegabytes);
  // The second client begins at another server than the first.
  const order = [...joined.slice(n % 3), ...joined.slice(0, n % 3)];
  const args = [
    ...(isServer ? ["-server", "-bootstrap-expect", "3"] : []),
    ...["-node", name, "-bind", host.address, "-client", host.address, "-data-dir", dataDir],
    ...order.flatMap((address) => ["-retry-join", address]),
    ...["-log-level", "debug"],
  ];
  const command = [...host.command, process.execPath, mainFile];
  return { host, name, dataDir, options: { command, args, ports, address: host.address } };
}

async function started(machine: Omit<Machine, "agent">): Promise<Machine> {
  const agent = await Proconsul.spawn(machine.options);
  await agent.led();
  return { ...machine, agent };
}

/** The machine that leads, in the eyes of a client. */
async function leader(): Promise<Machine> {
  return await eventually(
    async () => {
      const leads = await asked(clients[0] as Machine, "/v1/status/leader");
      return servers.find(({ host }) => leads.includes(`"${host.address}:`));
    },
    { what: "a client knows the leader", limitMs: failoverMs },
  );
}

async function asked({ agent }: Machine, path: string): Promise<string> {
  const { status, text } = await agent.get(path, { signal: AbortSignal.timeout(5_000) });
  expect(status, text).toBe(200);
  return text;
}

/** Name of the server that the client is linked to, by its log. */
function linkedTo({ agent }: Machine): string {
  const lines = [...agent.output.matchAll(/linked to server: server=(\S+)/g)];
  return lines.at(-1)?.[1] ?? "";
}

/** Nodes whose serfHealth is not passing. */
async function failedNodes(): Promise<string[]> {
  const text = await asked(clients[0] as Machine, "/v1/health/state/critical");
  return (JSON.parse(text) as { Node: string }[]).map(({ Node }) => Node);
}

async function everybodyPasses(): Promise<void> {
  await eventually(
    async () => {
      const nodes = JSON.parse(
        await asked(clients[0] as Machine, "/v1/catalog/nodes"),
      ) as unknown[];
      return nodes.length === 5 && (await failedNodes()).length === 0;
    },
    { what: "all five nodes pass", limitMs: recoveryMs + 5_000, intervalMs: 100 },
  );
}

/** Writes through both clients while `disturb` runs; nothing acknowledged may be lost. Failures by client. */
async function underWriters(prefix: string, disturb: () => Promise<void>): Promise<string[][]> {
  const writers = clients.map(({ agent }, n) => {
    const load = new Writers(`${prefix}-${n}`);
    load.start(writersPerAgent, agent.url, true);
    return load;
  });
  const progress = (load: Writers): Promise<unknown> => {
    const wanted = load.acknowledged.size + 50;
    return eventually(() => load.acknowledged.size >= wanted, {
      what: "writes are accepted",
      limitMs: failoverMs,
    });
  };
  await Promise.all(writers.map(progress));
  await disturb();
  await Promise.all(writers.map(progress));
  await Promise.all(writers.map((load) => load.stop()));
  for (const load of writers) {
    for (const { agent } of clients) expect(await load.lost(agent.url)).toEqual([]);
  }
  return writers.map(({ failures }) => failures);
}

describe.runIf(isPossible)("five hosts", { timeout: 60_000 + chaosRounds(1) * 40_000 }, () => {
  test("kill -9 of the leader: nothing acknowledged is lost, and who asks a follower sees no error", async () => {
    for (let round = 0; round < chaosRounds(1); round++) {
      const killed = await leader();
      const atFollower = clients.map((client) => linkedTo(client) !== killed.name);
      const failures = await underWriters(`kill-${round}`, async () => {
        await killed.agent.kill();
      });
      for (const [n, seen] of failures.entries()) if (atFollower[n]) expect(seen).toEqual([]);
      killed.agent = (await started(killed)).agent;
      await everybodyPasses();
    }
  });

  test("a server that hangs: its agent is back at work within seconds, and no request waits longer", async () => {
    for (let round = 0; round < chaosRounds(1); round++) {
      const [client] = clients as [Machine];
      const hung = servers.find(({ name }) => name === linkedTo(client)) as Machine;
      const tookMs = performance.now();
      hung.host.signal("SIGSTOP");
      try {
        await eventually(
          async () => {
            const signal = AbortSignal.timeout(backAtWorkMs);
            return (await client.agent.put("/v1/kv/hang", `${round}`, { signal })).status === 200;
          },
          { what: "a write is accepted", limitMs: backAtWorkMs },
        );
        expect(performance.now() - tookMs).toBeLessThan(backAtWorkMs);
        expect(linkedTo(client)).not.toBe(hung.name);
      } finally {
        hung.host.signal("SIGCONT");
      }
      await everybodyPasses();
    }
  });

  test("the leader is cut off: the others go on, and afterwards nobody who is well is failed", async () => {
    for (let round = 0; round < chaosRounds(1); round++) {
      const lost = await leader();
      const wronged = new Set<string>();
      await underWriters(`cut-${round}`, async () => {
        lost.host.cut();
        try {
          const endMs = performance.now() + cutMs;
          await eventually(
            async () => {
              const failed = await failedNodes().catch(() => []);
              for (const name of failed) if (name !== lost.name) wronged.add(name);
              return performance.now() >= endMs;
            },
            { what: "the cut is over", limitMs: cutMs + 5_000, intervalMs: 250 },
          );
        } finally {
          lost.host.mend();
        }
      });
      expect([...wronged], "held for failed beside the one that was cut off").toEqual([]);
      await everybodyPasses();
    }
  });

  test("a full disk: the others go on, the server says so, and returns when there is room", async () => {
    const full = await leader();
    const filler = join(full.dataDir, "filler");
    const before = full.agent.output.length;
    fill(filler);
    onTestFinished(() => rmSync(filler, { force: true }));
    const atFollower = clients.map((client) => linkedTo(client) !== full.name);
    const failures = await underWriters("full", async () => {
      const said = /\[ERROR\] +agent\.server: server \S+ stops: its storage fails: .*disk is full/;
      // SQLite first writes where its log was before: up to 1,000 pages take no room.
      const large = { method: "PUT", body: "x".repeat(500_000) };
      await eventually(
        async () => {
          await request(`${clients[0]?.agent.url}/v1/kv/large`, large);
          return said.test(full.agent.output.slice(before));
        },
        { what: "its log says that the disk is full", limitMs: failoverMs },
      );
      // What cannot be kept is not answered as if it were.
      const kept = await full.agent.put("/v1/agent/service/register", { Name: "lost", Port: 1 });
      expect(kept.status, kept.text).toBe(500);
    });
    for (const [n, seen] of failures.entries()) if (atFollower[n]) expect(seen).toEqual([]);
    rmSync(filler);
    await request(`${clients[0]?.agent.url}/v1/kv/room`, { method: "PUT", body: "again" });
    await eventually(async () => (await full.agent.get("/v1/kv/room?stale&raw")).text === "again", {
      what: "the server has what was written meanwhile",
      limitMs: 20_000,
    });
    await everybodyPasses();
  });

  test("all three servers are killed and start again: what was acknowledged is there", async () => {
    const [client] = clients as [Machine];
    const load = new Writers("restart");
    load.start(writersPerAgent, client.agent.url);
    await eventually(() => load.acknowledged.size >= 200, { what: "writes are accepted" });
    await Promise.all(servers.map(({ agent }) => agent.kill()));
    await load.stop();
    servers = await Promise.all(servers.map(started));
    await eventually(async () => (await client.agent.put("/v1/kv/again", "1")).status === 200, {
      what: "the client finds them again",
      limitMs: backAtWorkMs,
    });
    expect(await load.lost(client.agent.url)).toEqual([]);
    await everybodyPasses();
  });
});

/** Takes all the room that the disk has left. */
function fill(file: string): void {
  const block = Buffer.alloc(64 * 1_024);
  try {
    for (;;) writeFileSync(file, block, { flag: "a" });
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== "ENOSPC") throw failure;
  }
}
