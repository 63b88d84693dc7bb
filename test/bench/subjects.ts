// What is measured: datacenters of ours, each from a build of its own, and Consul's, in the same shapes, all on
// loopback. A subject only says what to start, by its command line; starting and stopping is the same for all. They run
// in turn, so that they do not take each other's cores.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { NetworkHost } from "../support/namespaces.ts";
import { type AgentPorts, agentPorts } from "../support/free-ports.ts";
import { aclConfig, administrator } from "./acl.ts";
import type { Checkout } from "./checkouts.ts";
import { Agent, type Program } from "./processes.ts";

export interface Subject {
  name: string;
  isDatacenter: boolean;
  /** The same where a Worker has an address of its own; null: there is none. */
  worker: ((directory: string) => Promise<Program[]>) | null;
  /** Three servers with data on disk; clients talk to the last agent. */
  cluster(directory: string): Promise<Program[]>;
  /** `agent -dev`. */
  dev(): Promise<Program>;
  /** One server that keeps its data. */
  kept(directory: string): Promise<Program>;
  /** Three servers, each in a process of its own that clients may talk to. */
  group(directory: string): Promise<Program[]>;
  /** A server, and so many agents less one that have not joined it ({@link agentName}); each on a host, if given. */
  agents(directory: string, count: number, hosts?: readonly NetworkHost[]): Promise<Program[]>;
}

export function agentName(at: number): string {
  return `agent-${at}`;
}

/** Ours with ACLs, which deny by default. */
export function withAcls(subject: Subject): Subject {
  const cluster = async (directory: string): Promise<Program[]> => {
    const file = join(directory, "acl.json");
    writeFileSync(file, JSON.stringify(aclConfig()));
    return (await subject.cluster(directory)).map((program) => ({
      ...program,
      args: [...program.args, "-config-file", file],
      token: administrator,
    }));
  };
  return { ...subject, name: `${subject.name}, ACLs`, worker: null, cluster };
}

/** Ours, from a checkout's `dist/`: what is installed on hosts. */
export function proconsul({ name, root }: Checkout): Subject {
  const program = (ports: AgentPorts, args: readonly string[]): Program => {
    return { command: process.execPath, args: [join(root, "dist/proconsul.mjs"), ...args], ports };
  };
  const agent = async (args: readonly string[]): Promise<Program> => {
    const ports = await agentPorts();
    return program(ports, ["agent", ...args, ...portArguments(ports)]);
  };
  const withWorker = async (args: readonly string[]): Promise<Program> => {
    const ports = await agentPorts();
    // Older checkouts have the Worker's API on the server port.
    const isOld = !existsSync(join(root, "src/agent/servers/trust.ts"));
    const edge = isOld ? [] : ["-edge-port", `${ports.edge}`];
    const known = isOld ? { ...ports, edge: ports.server } : ports;
    return program(known, ["agent", ...args, ...portArguments(ports), ...edge]);
  };
  return {
    name,
    isDatacenter: true,
    cluster: async (directory) => [await agent(["-server", "-servers", "3", ...kept(directory)])],
    worker: async (directory) => [
      await withWorker(["-server", "-servers", "3", ...kept(directory)]),
    ],
    dev: async () => await agent(["-dev"]),
    kept: async (directory) =>
      await agent(["-server", "-bootstrap-expect", "1", "-data-dir", directory]),
    group: async (directory) => {
      const all = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
      return all.map((ports, n) => program(ports, serverConfig(directory, n, ports, all)));
    },
    agents: async (directory, count, hosts) =>
      (await unjoined(directory, count, hosts)).map(({ ports, args }, at) =>
        onHost(program(ports, args), hosts?.[at]),
      ),
  };
}

/** The reference: servers and a client agent, as Consul's documentation runs it. */
export function consul(binary: string): Subject {
  const group = (directory: string, all: readonly AgentPorts[]): Program[] =>
    all.map((ports, n) => ({
      command: binary,
      args: serverConfig(directory, n, ports, all),
      ports,
    }));
  return {
    name: "consul",
    isDatacenter: true,
    worker: null,
    cluster: async (directory) => {
      const all = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
      const ports = await agentPorts();
      // Our agents answer DNS from memory as they are; Consul's do so when told.
      const config = { retry_join: lanAddresses(all), dns_config: { use_cache: true } };
      const args = agentConfig(directory, "client", ports, config);
      return [...group(directory, all), { command: binary, args, ports }];
    },
    dev: async () => {
      const ports = await agentPorts();
      return { command: binary, args: ["agent", "-dev", ...portArguments(ports)], ports };
    },
    kept: async (directory) => {
      const ports = await agentPorts();
      const args = ["-server", "-bootstrap-expect", "1", "-data-dir", directory];
      return { command: binary, args: ["agent", ...args, ...portArguments(ports)], ports };
    },
    group: async (directory) =>
      group(directory, await Promise.all([agentPorts(), agentPorts(), agentPorts()])),
    agents: async (directory, count, hosts) =>
      (await unjoined(directory, count, hosts)).map((parts, at) =>
        onHost({ command: binary, ...parts }, hosts?.[at]),
      ),
  };
}

/** All load comes from one client, which opens more connections than one may by default. */
function kept(directory: string): string[] {
  const file = join(directory, "limits.json");
  writeFileSync(file, JSON.stringify({ limits: { http_max_conns_per_client: 10_000 } }));
  return ["-data-dir", join(directory, "data"), "-config-file", file];
}

function portArguments(ports: AgentPorts): string[] {
  return [
    ...["-bind", "127.0.0.1", "-grpc-port", "-1", "-log-level", "err"],
    ...["-http-port", `${ports.http}`, "-dns-port", `${ports.dns}`],
    ...["-server-port", `${ports.server}`],
    ...["-serf-lan-port", `${ports.serf_lan}`, "-serf-wan-port", `${ports.serf_wan}`],
  ];
}

function serverConfig(
  directory: string,
  n: number,
  ports: AgentPorts,
  all: readonly AgentPorts[],
): string[] {
  const config = { server: true, bootstrap_expect: all.length, retry_join: lanAddresses(all) };
  return agentConfig(directory, `server-${n}`, ports, config);
}

function onHost(program: Program, host: NetworkHost | undefined): Program {
  if (!host) return program;
  const [first = program.command, ...more] = host.command;
  const args = [...more, program.command, ...program.args];
  return { ...program, command: first, args, address: host.address };
}

/** The first is a server. */
async function unjoined(
  directory: string,
  count: number,
  hosts: readonly NetworkHost[] = [],
): Promise<{ ports: AgentPorts; args: string[] }[]> {
  const agents: { ports: AgentPorts; args: string[] }[] = [];
  for (let at = 0; at < count; at++) {
    const ports = await agentPorts();
    const host = hosts[at];
    const config = {
      ...(at === 0 && { server: true, bootstrap: true }),
      ...(host && { bind_addr: host.address, client_addr: host.address }),
    };
    agents.push({ ports, args: agentConfig(directory, agentName(at), ports, config) });
  }
  return agents;
}

/** Arguments of an agent whose configuration goes into a file. Consul runs at its fastest setting. */
function agentConfig(
  directory: string,
  name: string,
  ports: AgentPorts,
  config: Record<string, unknown>,
): string[] {
  const file = join(directory, `${name}.json`);
  const common = {
    node_name: name,
    data_dir: join(directory, name),
    bind_addr: "127.0.0.1",
    log_level: "err",
    retry_interval: "1s",
    performance: { raft_multiplier: 1 },
    limits: { http_max_conns_per_client: 10_000 },
    ports: { ...ports, edge: undefined, grpc: -1 },
  };
  writeFileSync(file, JSON.stringify({ ...common, ...config }));
  return ["agent", "-config-file", file];
}

function lanAddresses(all: readonly AgentPorts[]): string[] {
  return all.map((ports) => `127.0.0.1:${ports.serf_lan}`);
}

/** Runs `use` with a directory that exists only as long. */
export async function inDirectory<Result>(
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "proconsul-bench-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts the programs, waits until the last one takes writes, and stops them all after `use`. */
export async function withAgents<Result>(
  programs: readonly Program[],
  use: (agents: Agent[]) => Promise<Result>,
): Promise<Result> {
  const agents = programs.map((program) => new Agent(program));
  try {
    await agents.at(-1)?.ready();
    return await use(agents);
  } finally {
    await Promise.all(agents.map((agent) => agent.stop()));
  }
}
