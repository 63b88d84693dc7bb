// Runs the servers in this very process, on the Node host of the platform port: no second process, and no HTTP between
// this agent and its servers. The only file of the agent that sees them.

import { NodeHost } from "../../../durable/platform/node/node-host.ts";
import type { ServerDoor } from "../../../durable/platform/node/server-door.ts";
import { ServerSockets } from "../../../durable/platform/node/server-sockets.ts";
import { ThreadHost } from "../../../durable/platform/node/thread-host.ts";
import { type PeerTls, type Servers, workerName } from "./options.ts";
import type { ServerHost } from "./server-port.ts";
import type { ServerSettings } from "./settings.ts";

/** In a checkout the source, beside the bundle what it was built to. */
const threadProgram = import.meta.url.endsWith(".ts")
  ? new URL("../../../durable/platform/node/thread-main.ts", import.meta.url)
  : new URL("./servers.mjs", import.meta.url);

export interface NodeServersOptions {
  /** Directory of the SQLite files; null: nothing is kept. */
  stateDir: string | null;
  /** Where operators leave files for these servers; null: nowhere. */
  operatorDir: string | null;
  settings: ServerSettings;
  tls: PeerTls | null;
  log(level: "info" | "warn" | "error", line: string): void;
}

/** Rejects when the storage cannot be used. */
export async function startNodeServers(
  options: NodeServersOptions,
): Promise<Servers & { host: ServerHost }> {
  const { stateDir, operatorDir, settings, tls, log } = options;
  // What is kept has to wait for a disk, which must not hold up this agent's DNS and HTTP: a thread of its own.
  const running =
    stateDir === null
      ? inThisThread(options)
      : new ThreadHost(threadProgram, { stateDir, operatorDir, settings, tls, workerName }, log);
  const sockets = new ServerSockets(running);
  await running.start();
  return {
    host: sockets,
    edgePort: null,
    dial: (pathAndQuery) => sockets.dial(pathAndQuery),
    rpc: async (path, body) => {
      const answer = await running.rpc(path, new TextEncoder().encode(body));
      const text = Buffer.from(answer.body).toString();
      if (answer.status >= 300) throw new Error(text);
      return text;
    },
    useTls: (changed) => running.useTls(changed),
    exited: running.ended,
    stop: async () => {
      sockets.close();
      await running.stop();
    },
  };
}

type Running = ServerDoor & {
  start(): Promise<void>;
  useTls(tls: PeerTls | null): void;
  stop(): Promise<void>;
  readonly ended: Promise<void>;
};

function inThisThread(options: NodeServersOptions): Running {
  const host = new NodeHost({ ...options, workerName });
  const ended = Promise.withResolvers<void>();
  return {
    rpc: (path, body) => host.rpc(path, body),
    refusal: (path, query) => host.refusal(path, query),
    open: (pathAndQuery, carrier) => host.open(pathAndQuery, carrier),
    start: () => host.start(),
    useTls: (tls) => host.useTls(tls),
    stop: () => {
      host.stop();
      ended.resolve();
      return ended.promise;
    },
    ended: ended.promise,
  };
}
