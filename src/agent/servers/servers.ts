// The servers that live in this agent's process tree: one workerd with one Durable Object for each of them.

import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "../../core/model/json.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { ListenAddress } from "../listening.ts";
import type { AgentLog } from "../log.ts";
import { Forwarder } from "./forwarder.ts";
import type { Runner, RunnerModule } from "./options.ts";
import { type Listener, listenServerPort } from "./server-port.ts";
import { Trust } from "./trust.ts";

const temporaryPrefix = "proconsul-state-";

export interface Servers {
  /** `host:port` where the Worker listens, on loopback. */
  address: string;
  /** Must be sent to whatever only this agent may ask of its own servers. */
  agentKey: string;
  stop(): Promise<void>;
  exited: Promise<void>;
}

/**
 * Starts the servers that `config` asks for, and the ports at which others reach them. Rejects when a port is taken or
 * workerd cannot start.
 */
export async function startServers(
  config: ResolvedAgentConfig,
  log: Pick<AgentLog, "debug" | "warn">,
): Promise<Servers> {
  await sweepTemporaryStates();
  let forwarder: Forwarder | null = null;
  const parts = { host: () => forwarder, trust: new Trust(config), log };
  const listeners: Listener[] = [];
  const closeListeners = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    // First, because a taken port is found sooner so than after the servers have started.
    for (const address of portAddresses(config)) {
      listeners.push(await listenServerPort(parts, address));
    }
    const { agentKey, stateDir, runner } = await startWorker(config, log);
    forwarder = new Forwarder(runner.port, agentKey);
    return {
      address: `127.0.0.1:${runner.port}`,
      agentKey,
      exited: runner.exited,
      stop: async () => {
        await closeListeners();
        forwarder?.close();
        await runner.stop();
        if (config.dataDir === "") await rm(stateDir, { recursive: true, force: true });
      },
    };
  } catch (failure) {
    await closeListeners();
    throw failure;
  }
}

async function startWorker(
  config: ResolvedAgentConfig,
  log: Pick<AgentLog, "debug" | "warn">,
): Promise<{ agentKey: string; stateDir: string; runner: Runner }> {
  const stateDir =
    config.dataDir === ""
      ? await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`))
      : join(config.dataDir, "servers");
  const agentKey = randomUUID();
  const { startRunner } = await runnerModule(config.runtime);
  const runner = await startRunner({
    stateDir,
    port: Math.max(0, config.ports.edge),
    vars: workerVars(config, agentKey),
    log: (line) => {
      // What the Worker wants people to see says so.
      const [, text] = /\[WARN\] (.*)/.exec(line) ?? [];
      if (text === undefined) log.debug("agent.server", line);
      else log.warn("agent.server", text);
    },
  });
  return { agentKey, stateDir, runner };
}

async function runnerModule(runtime: "workerd" | "miniflare"): Promise<RunnerModule> {
  return runtime === "workerd" ? await import("./workerd.ts") : await import("./miniflare.ts");
}

/** The server port, and the port at which other agents look for a member. */
function portAddresses({ bindAddress: host, ports }: ResolvedAgentConfig): ListenAddress[] {
  const both = [
    { host, port: ports.server, flag: "-server-port" },
    { host, port: ports.serfLan, flag: "-serf-lan-port" },
  ].filter(({ port }) => port > 0);
  return both.filter(({ port }, at) => both.findIndex((one) => one.port === port) === at);
}

function workerVars(config: ResolvedAgentConfig, agentKey: string): Record<string, JsonValue> {
  const servers = Array.from({ length: config.servers }, (_, n) =>
    n === 0
      ? {
          id: config.nodeId,
          name: config.nodeName,
          address: `${config.advertiseAddress}:${config.ports.server}`,
        }
      : {
          // A stable id, so that a kept data directory finds the same peers again.
          id: siblingId(config.nodeId, n),
          name: `server-${n}`,
          address: `127.0.0.${n + 1}:${config.ports.server}`,
        },
  );
  const alone = config.bootstrapExpect <= 1 || config.servers > 1;
  return {
    DEFAULT_DC: config.datacenter,
    DATACENTERS: { [config.datacenter]: { servers: config.servers } },
    AGENT_KEY: agentKey,
    ...(config.serverKey === "" ? {} : { SERVER_KEY: config.serverKey }),
    HOST: {
      servers,
      bootstrapExpect: alone ? config.servers : config.bootstrapExpect,
      timing: alone ? "local" : "lan",
      startId: randomUUID(),
      edge: config.ports.edge > 0,
    },
  };
}

/** The id of the node with its last four hex digits replaced by the server's number. */
function siblingId(nodeId: string, n: number): string {
  return nodeId.slice(0, -4) + n.toString(16).padStart(4, "0");
}

/** Removes directories of agents that were killed before they could do it themselves. */
async function sweepTemporaryStates(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const pid = Number.parseInt(name.slice(temporaryPrefix.length), 10);
    if (!isRunning(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code === "EPERM";
  }
}
