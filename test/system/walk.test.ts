// What somebody types who sets up Consul for the first time, with hosts where tutorials have containers, started by the
// entry point of our image: two datacenters of three servers and a client each, sealed by one gossip key, joined over
// the WAN, and asked from either side; then three `-dev` agents of which two join the first. The tests stand in that
// order, and each goes on where the last ended.
//
// It needs root and Linux's network namespaces; where there are none it says that it is left out.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { canMakeNetworks, HostNetwork, type NetworkHost } from "../support/namespaces.ts";
import { mainFile, Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { isInstalled, run } from "../support/programs.ts";

const ports = { http: 8500, dns: 8600, server: 8300, edge: -1, serf_lan: 8301, serf_wan: 8302 };
const settledMs = 20_000;
const entrypoint = join(import.meta.dirname, "../../.docker/entrypoint.sh");

interface Machine {
  host: NetworkHost;
  agent: Proconsul;
}

const isPossible = canMakeNetworks();
let network: HostNetwork | null = null;
const machines = new Map<string, Machine>();

beforeAll(() => {
  if (isPossible) network = new HostNetwork();
});

afterAll(async () => {
  await Promise.all([...machines.values()].map(({ agent }) => agent.stop()));
  network?.remove();
  await stopAll();
});

function machine(name: string): Machine {
  return machines.get(name) as Machine;
}

/** Hosts that have no process yet. */
function hostsFor(names: readonly string[]): NetworkHost[] {
  return names.map(() => (network as HostNetwork).add());
}

/** The program of an image on the PATH of its entry point. */
function imagePath(): string {
  const directory = temporaryDirectory();
  for (const name of ["consul", "proconsul"]) {
    const program = join(directory, name);
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
    chmodSync(program, 0o755);
  }
  return `${directory}:${process.env.PATH ?? ""}`;
}

/** What a container would do with `agent ARGUMENTS`, with the folders of its own. */
async function agentOn(
  host: NetworkHost,
  name: string,
  args: readonly string[],
  localConfig = "",
): Promise<void> {
  const [data, config] = ["data", "config"].map((folder) => join(temporaryDirectory(), folder));
  mkdirSync(config as string);
  const command = [...host.command, "sh", entrypoint];
  const own = ["-node", name, "-client", "0.0.0.0"];
  const env = {
    ...{ PATH: imagePath(), CONSUL_BIND_INTERFACE: "eth0", CONSUL_LOCAL_CONFIG: localConfig },
    ...{ CONSUL_DATA_DIR: data, CONSUL_CONFIG_DIR: config },
  };
  const options = { command, env, args: [...args, ...own], ports, address: host.address };
  machines.set(name, { host, agent: await Proconsul.spawn(options) });
}

/** What a command prints on a machine. Rejects when it fails. */
async function consul(name: string, ...args: string[]): Promise<string> {
  const { host } = machine(name);
  const [ip = "", ...rest] = [...host.command, process.execPath, mainFile, ...args];
  const { code, stdout, stderr } = await run(ip, rest);
  if (code !== 0) throw new Error(`consul ${args.join(" ")}: ${code} ${stderr}`);
  return stdout;
}

/** The rows of a table without its head, each as `name status type dc`. */
async function members(name: string, ...flags: string[]): Promise<string[]> {
  const rows = (await consul(name, "members", ...flags)).trim().split("\n").slice(1);
  return rows.map((row) => {
    const [node = "", , status = "", type = "", , , dc = ""] = row.split(/\s+/);
    return [node, status, type, dc].join(" ");
  });
}

async function becomes(what: string, ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  let seen: unknown;
  await eventually(
    async () => {
      seen = await ask().catch(String);
      return JSON.stringify(seen) === JSON.stringify(wanted);
    },
    { what, limitMs: settledMs, intervalMs: 100 },
  ).catch((failure: unknown) => {
    expect(seen, String(failure)).toEqual(wanted);
  });
}

async function datacenter(dc: string, key: string): Promise<void> {
  const names = [1, 2, 3].map((n) => `${dc}-server${n}`);
  const hosts = hostsFor(names);
  const [first] = hosts as [NetworkHost];
  for (const [n, host] of hosts.entries()) {
    const founding = n === 0 ? ["-bootstrap-expect", "3"] : ["-join", first.address];
    const args = ["-server", "-datacenter", dc, "-encrypt", key, ...founding];
    await agentOn(host, names[n] as string, args);
    // Whoever joins needs somebody to be there, as in a tutorial that is typed.
    await becomes(
      "it listens",
      async () => (await machine(names[n] as string).agent.get("/v1/agent/self")).status,
      200,
    );
  }
  const [host] = hostsFor(["client"]) as [NetworkHost];
  const args = ["-datacenter", dc, "-encrypt", key, "-join", first.address];
  const web = `service { name = "web-${dc}" port = 80 tags = ["v1"] }`;
  await agentOn(host, `${dc}-client`, args, web);
}

const lanOf = (dc: string): string[] => [
  ...[1, 2, 3].map((n) => `${dc}-server${n} alive server ${dc}`),
  `${dc}-client alive client ${dc}`,
];
const wan = ["dc1", "dc2"].flatMap((dc) =>
  [1, 2, 3].map((n) => `${dc}-server${n}.${dc} alive server ${dc}`),
);

describe.runIf(isPossible)("from the first command to two datacenters", { timeout: 90_000 }, () => {
  let key = "";

  test("a key is drawn, and each datacenter is founded by three servers and joined by a client", async () => {
    const { stdout } = await run(process.execPath, [mainFile, "keygen"]);
    key = stdout.trim();
    await Promise.all([datacenter("dc1", key), datacenter("dc2", key)]);
    for (const dc of ["dc1", "dc2"]) {
      for (const name of [`${dc}-server1`, `${dc}-server3`, `${dc}-client`]) {
        await becomes(`${name} sees its datacenter`, () => members(name), lanOf(dc));
      }
      const peers = await consul(`${dc}-client`, "operator", "raft", "list-peers");
      expect(peers.match(/ leader |follower/g)).toHaveLength(3);
    }
  });

  test("nobody without the key is taken in", async () => {
    const [host] = hostsFor(["stranger"]) as [NetworkHost];
    const to = machine("dc1-server1").host.address;
    await agentOn(host, "stranger", ["-retry-join", to]);
    const { agent } = machine("stranger");
    await eventually(() => agent.output.includes("403"), {
      what: "its log says why",
      limitMs: settledMs,
    });
    expect(await members("dc1-server1")).toEqual(lanOf("dc1"));
    await agent.stop();
  });

  test("the datacenters are joined by one command, and each sees the servers of both", async () => {
    const { address } = machine("dc2-server1").host;
    expect(await consul("dc1-server2", "join", "-wan", address)).toBe(
      "Successfully joined cluster by contacting 1 nodes.\n",
    );
    for (const name of ["dc1-server1", "dc2-server3"]) {
      await becomes(`${name} sees the WAN`, () => members(name, "-wan"), wan);
    }
    expect(await consul("dc1-client", "catalog", "datacenters")).toBe("dc1\ndc2\n");
    expect(await consul("dc2-client", "catalog", "datacenters")).toBe("dc2\ndc1\n");
  });

  test("keys, services and names of one are within reach of the other's client", async () => {
    await consul("dc1-client", "kv", "put", "-datacenter=dc2", "greeting", "from dc1");
    expect(await consul("dc2-client", "kv", "get", "greeting")).toBe("from dc1\n");
    await expect(consul("dc1-client", "kv", "get", "greeting")).rejects.toThrow("No key exists at");
    await becomes(
      "the service is in the catalog",
      () => consul("dc1-client", "catalog", "services", "-datacenter=dc2"),
      "consul\nweb-dc2\n",
    );
    const { agent, host } = machine("dc1-client");
    const found = await agent.get("/v1/health/service/web-dc2?dc=dc2&passing");
    expect(found.json<{ Node: { Address: string } }[]>().map(({ Node }) => Node.Address)).toEqual([
      machine("dc2-client").host.address,
    ]);
    if (!isInstalled("dig")) return;
    const dig = (question: string): string => {
      return host.run("dig", "+short", "@127.0.0.1", "-p", "8600", question).trim();
    };
    const there = machine("dc2-client").host.address;
    expect(dig("web-dc2.service.dc2.consul")).toBe(there);
    expect(dig("v1.web-dc2.service.dc2.consul")).toBe(there);
    expect(dig("dc2-client.node.dc2.consul")).toBe(there);
    expect(dig("web-dc2.service.consul")).toBe("");
  });

  test("a datacenter that is cut off is out of reach, and comes back by itself", async () => {
    const there = [1, 2, 3].map((n) => machine(`dc2-server${n}`).host);
    for (const host of there) host.cut();
    const { agent } = machine("dc1-client");
    await becomes(
      "there is no path",
      async () => (await agent.get("/v1/kv/greeting?dc=dc2")).text,
      "No path to datacenter",
    );
    expect((await agent.put("/v1/kv/here", "goes on")).text).toBe("true");
    for (const host of there) host.mend();
    await becomes(
      "it answers again",
      async () => (await agent.get("/v1/kv/greeting?dc=dc2&raw")).text,
      "from dc1",
    );
    await becomes("all are alive", () => members("dc1-server1", "-wan"), wan);
  });

  test("three -dev agents, of which two join the first, are one datacenter", async () => {
    const names = ["dev1", "dev2", "dev3"];
    const hosts = hostsFor(names);
    const [first, ...others] = hosts as [NetworkHost, ...NetworkHost[]];
    await agentOn(first, "dev1", ["-dev", "-datacenter", "dev"]);
    await machine("dev1").agent.led();
    for (const [n, host] of others.entries()) {
      await agentOn(host, names[n + 1] as string, [
        "-dev",
        "-datacenter",
        "dev",
        "-join",
        first.address,
      ]);
    }
    const all = names.map((name) => `${name} alive server dev`);
    for (const name of names) await becomes(`${name} sees all`, () => members(name), all);
    await consul("dev2", "kv", "put", "a", "b");
    expect(await consul("dev3", "kv", "get", "a")).toBe("b\n");
  });
});
