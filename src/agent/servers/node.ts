// Runs the servers in this very process, on the Node host of the platform port: no second process, and no HTTP between
// this agent and its servers. The only file of the agent that sees them.

import { NodeHost } from "../../../durable/platform/node/node-host.ts";
import { ServerSockets } from "../../../durable/platform/node/server-sockets.ts";
import { type Servers, workerName } from "./options.ts";
import type { ServerHost } from "./server-port.ts";
import type { ServerSettings } from "./settings.ts";

export interface NodeServersOptions {
  /** Directory of the SQLite files; null: nothing is kept. */
  stateDir: string | null;
  settings: ServerSettings;
  log(level: "info" | "warn" | "error", line: string): void;
}

/** Rejects when the storage cannot be used. */
export async function startNodeServers(
  options: NodeServersOptions,
): Promise<Servers & { host: ServerHost }> {
  const host = new NodeHost({ ...options, workerName });
  const sockets = new ServerSockets(host);
  const ended = Promise.withResolvers<void>();
  const stop = (): Promise<void> => {
    sockets.close();
    host.stop();
    ended.resolve();
    return ended.promise;
  };
  try {
    await host.start();
  } catch (failure) {
    await stop();
    throw failure;
  }
  return {
    host: sockets,
    edgePort: null,
    dial: (pathAndQuery) => sockets.dial(pathAndQuery),
    rpc: async (path, body) => {
      const { status } = await host.rpc(path, new TextEncoder().encode(body));
      if (status >= 300) throw new Error(`servers answered ${status}`);
    },
    exited: ended.promise,
    stop,
  };
}
