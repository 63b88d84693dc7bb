// The servers that live in this agent's process tree, and the ports at which others reach them. Three hosts can run
// them: this process itself, workerd, and Miniflare.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "../../core/model/json.ts";
import { agentKeyHeader } from "../../link/protocol.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { GossipKeyring } from "../gossip/keyring.ts";
import { openSocket } from "../link/socket.ts";
import type { ListenAddress } from "../listening.ts";
import type { AgentLog } from "../log.ts";
import { loadSqlite } from "../sqlite.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { peerTls } from "../tls/peers.ts";
import { Forwarder } from "./forwarder.ts";
import type { RunnerModule, Servers } from "./options.ts";
import {
  type Listener,
  listenServerPort,
  type ServerHost,
  type ServerPortParts,
} from "./server-port.ts";
import { serverSettings } from "./settings.ts";
import { Trust } from "./trust.ts";

const defaultWanPort = 8_302;
const temporaryPrefix = "proconsul-state-";
const rpcTimeoutMs = 20_000;
const levels: Readonly<Record<string, "info" | "warn" | "error">> = {
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
};

export interface ServersParts {
  tls: TlsMaterial;
  keyring: Pick<GossipKeyring, "keys">;
  /** Takes what other agents say by TCP. */
  mesh: ServerPortParts["gossip"];
  autoEncrypt: ServerPortParts["autoEncrypt"];
}

/**
 * Starts the servers that `config` asks for, and the ports at which others reach them. Rejects when a port is taken or
 * the servers cannot start.
 */
export async function startServers(
  config: ResolvedAgentConfig,
  log: Pick<AgentLog, "debug" | "info" | "warn" | "error">,
  { tls, keyring, mesh, autoEncrypt }: ServersParts,
): Promise<Servers> {
  let host: ServerHost | null = null;
  const trust = new Trust(config, () => keyring.keys);
  const parts: ServerPortParts = {
    ...{ host: () => host, trust, log, tls: tls.current.pair ? tls : null, gossip: null },
    autoEncrypt,
  };
  const listeners: Listener[] = [];
  const closeListeners = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    refuseRecovery(config);
    // First, because a taken port is found sooner so than after the servers have started.
    for (const address of portAddresses(config)) {
      const gossip = address.port === config.ports.serfLan ? mesh : null;
      listeners.push(await listenServerPort({ ...parts, gossip }, address));
    }
    listeners.push(...(await listenForOtherDatacenters(parts, config)));
    const servers = await (config.runtime === "node"
      ? startInProcess(config, log, tls)
      : startWorker(config, log));
    ({ host } = servers);
    tls.listen((state) => servers.useTls?.(peerTls(state, config)));
    return {
      ...servers,
      stop: async () => {
        await closeListeners();
        await servers.stop();
      },
    };
  } catch (failure) {
    await closeListeners();
    throw failure;
  }
}

type Started = Servers & { host: ServerHost };

async function startInProcess(
  config: ResolvedAgentConfig,
  log: Pick<AgentLog, "info" | "warn" | "error">,
  tls: TlsMaterial,
): Promise<Started> {
  // Before anything imports it, which would let Node warn.
  loadSqlite();
  const { startNodeServers } = await import("./node.ts");
  return await startNodeServers({
    // Where workerd keeps its objects, too: either may go on with what the other has left.
    stateDir: config.dataDir === "" ? null : join(config.dataDir, "servers", "do"),
    operatorDir: config.dataDir === "" ? null : config.dataDir,
    settings: serverSettings(config, randomUUID()),
    tls: peerTls(tls.current, config),
    log: (level, line) => log[level]("agent.server", line),
  });
}

async function startWorker(
  config: ResolvedAgentConfig,
  log: Pick<AgentLog, "debug" | "info" | "warn" | "error">,
): Promise<Started> {
  await sweepTemporaryStates();
  const stateDir =
    config.dataDir === ""
      ? await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`))
      : join(config.dataDir, "servers");
  const agentKey = randomUUID();
  const { startRunner } = await runnerModule(config.runtime);
  const runner = await startRunner({
    stateDir,
    port: Math.max(0, config.ports.edge),
    vars: serverSettings(config, agentKey) as unknown as Record<string, JsonValue>,
    log: (line) => {
      // What the objects want people to see says so.
      const [, level, text = ""] = /\[(INFO|WARN|ERROR)\] (.*)/.exec(line) ?? [];
      log[levels[level ?? ""] ?? "debug"]("agent.server", text || line);
    },
  });
  const forwarder = new Forwarder(runner.port, agentKey);
  const address = `127.0.0.1:${runner.port}`;
  const headers = { [agentKeyHeader]: agentKey };
  return {
    host: forwarder,
    edgePort: runner.port,
    dial: (pathAndQuery) => openSocket({ url: `ws://${address}${pathAndQuery}`, headers }),
    rpc: async (path, body) => {
      const signal = AbortSignal.timeout(rpcTimeoutMs);
      const call = { method: "POST", headers, body, signal };
      const response = await fetch(`http://${address}${path}`, call);
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text;
    },
    exited: runner.exited,
    stop: async () => {
      forwarder.close();
      await runner.stop();
      if (config.dataDir === "") await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Throws where nobody would read what an operator has left (durable/raft/peers-file.ts). */
function refuseRecovery({ dataDir, runtime, servers }: ResolvedAgentConfig): void {
  if (dataDir === "" || !existsSync(join(dataDir, "raft/peers.json"))) return;
  if (runtime !== "node") {
    throw new Error(`raft/peers.json is read with -runtime node only, not with ${runtime}`);
  }
  if (servers > 1) throw new Error("raft/peers.json is for a server that is alone in its process");
}

async function runnerModule(runtime: ResolvedAgentConfig["runtime"]): Promise<RunnerModule> {
  return runtime === "miniflare" ? await import("./miniflare.ts") : await import("./workerd.ts");
}

/** The server port, and those at which other agents, and servers of other datacenters, look for a member. */
function portAddresses({ bindAddress, gossip, ports }: ResolvedAgentConfig): ListenAddress[] {
  const both = [
    { host: bindAddress, port: ports.server, flag: "-server-port" },
    { host: gossip.bindAddress, port: ports.serfLan, flag: "-serf-lan-port" },
  ].filter(({ port }) => port > 0);
  const isSame = (one: ListenAddress, other: ListenAddress): boolean =>
    one.port === other.port && one.host === other.host;
  return both.filter((address, at) => both.findIndex((one) => isSame(one, address)) === at);
}

/** A second agent of a machine does without the port that it was not told to change. */
async function listenForOtherDatacenters(
  parts: ServerPortParts,
  { bindAddress: host, ports }: ResolvedAgentConfig,
): Promise<Listener[]> {
  const port = ports.serfWan;
  // What other datacenters ask is answered at any of the ports.
  if (port <= 0 || port === ports.server || port === ports.serfLan) return [];
  try {
    return [await listenServerPort(parts, { host, port, flag: "-serf-wan-port" })];
  } catch (failure) {
    if (port !== defaultWanPort) throw failure;
    const { message } = failure as Error;
    parts.log.warn("agent.server", "other datacenters cannot join at the WAN port", {
      error: message,
    });
    return [];
  }
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
