// `proconsul agent`: from arguments to exit code. Prints what Consul prints, because people and test suites wait for
// its lines, obeys its signals, and never ends without having stopped what it started.

import { Agent } from "./agent.ts";
import { ConfigError, FlagError } from "./config/errors.ts";
import { loadAgentConfig } from "./config/load.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { type DataLock, lockDataDirectory } from "./data-lock.ts";
import { AgentLog } from "./log.ts";
import { notify } from "./notify.ts";
import { type PidFile, storePid } from "./pid-file.ts";
import { consulVersion, proconsulVersion } from "../members.ts";

type EndSignal = "SIGINT" | "SIGTERM";

/** Resolves to the process's exit code when the agent ended. */
export async function runAgent(args: readonly string[]): Promise<number> {
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  const config = readConfig(args, out);
  if (typeof config === "number") return config;
  const log = new AgentLog(out);
  out(banner(config));
  try {
    log.open(config.log);
  } catch (failure) {
    out(`==> Failed to setup logging: ${(failure as Error).message}`);
    return 1;
  }
  for (const warning of config.warnings) log.warn("agent", warning);
  const end = new Ending();
  const hooks = {
    ended: (exitCode: number) => end.request({ exitCode, signal: null }),
    reload: async () => {
      const reloaded = loadAgentConfig(args);
      log.level = reloaded.log.level;
      agent.reload(reloaded);
      log.info("agent", "Reloaded configuration");
      await Promise.resolve();
    },
  };
  let agent: Agent;
  let lock: DataLock | null = null;
  let pidFile: PidFile | null = null;
  try {
    if (config.dataDir !== "") lock = lockDataDirectory(config.dataDir);
    pidFile = storePid(config.pidFile, process.pid);
    agent = await Agent.start(config, log, hooks);
  } catch (failure) {
    log.error("agent", "Error starting agent", { error: (failure as Error).message });
    log.info("agent", "Exit code", { code: "1" });
    pidFile?.remove();
    lock?.release();
    return 1;
  }
  out("==> Consul agent running!");
  await notify("READY=1", log);
  if (config.ports.edge > 0) out(whereToFind(config));
  process.on("SIGHUP", () => {
    log.info("agent", "Caught", { signal: "hangup" });
    hooks.reload().catch((failure: Error) => {
      log.error("agent", "Reload config failed", { error: failure.message });
    });
  });
  const exitCode = await ended(agent, end, log);
  lock?.release();
  pidFile.remove();
  log.info("agent", "Exit code", { code: String(exitCode) });
  return exitCode;
}

function readConfig(
  args: readonly string[],
  out: (line: string) => void,
): ResolvedAgentConfig | number {
  try {
    return loadAgentConfig(args);
  } catch (failure) {
    if (failure instanceof FlagError) {
      // The reason last: the usage alone fills the screen.
      const reason = failure.help ? "" : `\n${failure.message}\n`;
      process.stderr.write(failure.usage + reason);
      return failure.help ? 0 : 1;
    }
    if (!(failure instanceof ConfigError)) throw failure;
    out(`==> ${failure.message}`);
    return 1;
  }
}

interface EndRequest {
  exitCode: number;
  /** Null: asked over HTTP, or the servers ended. */
  signal: EndSignal | null;
}

/** The first reason to end counts; a second signal ends at once. */
class Ending {
  readonly requested: Promise<EndRequest>;
  request: (request: EndRequest) => void = () => undefined;

  constructor() {
    this.requested = new Promise((resolve) => {
      this.request = resolve;
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => this.request({ exitCode: 1, signal }));
    }
    this.#watchParent();
  }

  /** Started by npm or by our launcher: a signal that never reaches us may end them, so their death is ours. */
  #watchParent(): void {
    const { npm_lifecycle_event: npm, PROCONSUL_LAUNCHER: launcher } = process.env;
    const parent = process.ppid;
    if (npm === undefined && launcher !== String(parent)) return;
    setInterval(() => {
      if (process.ppid !== parent) this.request({ exitCode: 1, signal: "SIGTERM" });
    }, 1_000).unref();
  }
}

async function ended(agent: Agent, end: Ending, log: AgentLog): Promise<number> {
  const { exitCode, signal } = await end.requested;
  await notify("STOPPING=1", log);
  if (signal === null) {
    await agent.stop();
    return exitCode;
  }
  log.info("agent", "Caught", { signal: signal === "SIGINT" ? "interrupt" : "terminated" });
  const { leaveOnTerminate, skipLeaveOnInterrupt } = agent.config;
  const leaves = signal === "SIGINT" ? !skipLeaveOnInterrupt : leaveOnTerminate;
  if (leaves) {
    log.info("agent", "Gracefully shutting down agent...");
    await agent.leave();
    log.info("agent", "Graceful exit completed");
  } else log.info("agent", "Graceful shutdown disabled. Exiting");
  log.info("agent", "Requesting shutdown");
  await agent.stop();
  log.info("agent", "shutdown complete");
  return leaves ? 0 : 1;
}

function banner(config: ResolvedAgentConfig): string {
  const { ports, tls } = config;
  const bootstrap = config.server && (config.bootstrap || config.bootstrapExpect === 1);
  const clients = config.clientAddresses.join(" ");
  // Nobody listens for gRPC, whatever port is named.
  const listeners = `HTTP: ${ports.http}, HTTPS: ${ports.https}, gRPC: -1, DNS: ${ports.dns}`;
  const isIncoming = tls.verifyIncomingRpc && tls.verifyIncomingHttps;
  const rows: [string, string][] = [
    ["Version", `'${consulVersion}' (Proconsul ${proconsulVersion})`],
    ["Node ID", `'${config.nodeId}'`],
    ["Node name", `'${config.nodeName}'`],
    ["Datacenter", `'${config.datacenter}' (Segment: '${config.server ? "<all>" : ""}')`],
    ["Server", `${config.server} (Bootstrap: ${bootstrap})`],
    ["Client Addr", `[${clients}] (${listeners})`],
    ["Cluster Addr", `${config.advertiseAddress} (LAN: ${ports.serfLan}, WAN: ${ports.serfWan})`],
    [
      "Encrypt",
      `Gossip: ${config.gossipKey !== ""}, TLS-Outgoing: ${tls.verifyOutgoing}, ` +
        `TLS-Incoming: ${isIncoming}, Auto-Encrypt-TLS: ${tls.autoEncrypt.tls}`,
    ],
  ];
  const lines = rows.map(([name, value]) => `${name.padStart(18)}: ${value}`);
  return `==> Starting Consul agent...\n${lines.join("\n")}\n\n==> Log data will now stream in as it occurs:\n`;
}

function whereToFind({ ports, clientAddresses, ui }: ResolvedAgentConfig): string {
  const [client = "127.0.0.1"] = clientAddresses;
  return [
    ...(ui ? [`    Web UI          http://${client}:${ports.http}${ui.contentPath}`] : []),
    `    HTTP API        http://${client}:${ports.http}/v1`,
    `    DNS             ${client}:${ports.dns} (UDP and TCP)`,
    `    Edge (Worker)   http://127.0.0.1:${ports.edge}/v1`,
    `    DNS over HTTPS  http://127.0.0.1:${ports.edge}/dns-query`,
  ].join("\n");
}
