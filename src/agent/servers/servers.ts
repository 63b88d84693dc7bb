// The servers that live in this agent's process tree: one workerd with one Durable Object for each of them.

import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "../../core/model/json.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { Runner, RunnerModule } from "./options.ts";

const temporaryPrefix = "proconsul-state-";

export interface Servers {
  /** `host:port` where workerd listens. */
  address: string;
  /** Must be sent to whatever only this agent may ask of its own servers. */
  agentKey: string;
  stop(): Promise<void>;
  exited: Promise<void>;
}

/** Starts the servers that `config` asks for. Rejects when a port is taken or workerd cannot start. */
export async function startServers(
  config: ResolvedAgentConfig,
  log: (line: string) => void,
): Promise<Servers> {
  await sweepTemporaryStates();
  const stateDir =
    config.dataDir === ""
      ? await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`))
      : join(config.dataDir, "servers");
  const agentKey = randomUUID();
  const { startRunner } = await runnerModule(config.runtime);
  const runner: Runner = await startRunner({
    stateDir,
    listen: listenAddresses(config),
    vars: workerVars(config, agentKey),
    log,
  });
  const [address] = listenAddresses(config);
  return {
    address: address ?? "",
    agentKey,
    exited: runner.exited,
    stop: async () => {
      await runner.stop();
      if (config.dataDir === "") await rm(stateDir, { recursive: true, force: true });
    },
  };
}

async function runnerModule(runtime: "workerd" | "miniflare"): Promise<RunnerModule> {
  return runtime === "workerd" ? await import("./workerd.ts") : await import("./miniflare.ts");
}

/** The same Worker answers on the server port and on the port at which other agents look for a member. */
function listenAddresses(config: ResolvedAgentConfig): string[] {
  const host = config.bindAddress.includes(":") ? `[${config.bindAddress}]` : config.bindAddress;
  const ports = [config.ports.server, config.ports.serfLan].filter((port) => port > 0);
  return [...new Set(ports)].map((port) => `${host}:${port}`);
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
    ...(config.gossipKey === "" ? {} : { GOSSIP_KEY: config.gossipKey }),
    ...(config.serverKey === "" && !alone ? {} : { SERVER_KEY: config.serverKey || randomUUID() }),
    HOST: {
      servers,
      bootstrapExpect: alone ? config.servers : config.bootstrapExpect,
      timing: alone ? "local" : "lan",
      startId: randomUUID(),
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
