// What both runners are asked to do: run the Worker bundle with its Durable Objects on this machine, with
// interchangeable data. `workerd.ts` is for everything started as `proconsul agent`, `miniflare.ts` for those who
// want Miniflare's tools around it.

import type { JsonValue } from "../../core/model/json.ts";
import type { LinkSocket } from "../../link/client.ts";
import type { PeerTls } from "../../link/peer-tls.ts";

export type { PeerTls };

/** Durable Object classes of the Worker and the bindings under which it finds them. */
export const objectClasses = {
  SERVER: "Server",
  LAN_POOL: "LanPool",
  EDGE_AGENT: "EdgeAgent",
  CHECKER: "Checker",
} as const;

export const workerName = "proconsul";
export const compatibilityDate = "2026-11-02";
/** Agents here are near their servers: compressing a link costs both ends far more time than bytes cost. */
export const compatibilityFlags = ["no_web_socket_compression"];

export interface RunnerOptions {
  /** Directory of the SQLite files; created when absent. */
  stateDir: string;
  /** Port on 127.0.0.1 on which the Worker listens; 0: any that is free. */
  port: number;
  /** Becomes `env` of the Worker, beside the object bindings. */
  vars: Record<string, JsonValue>;
  /** Objects that nobody asks lose their memory after 10 s, as on Cloudflare. Miniflare's always do. */
  sleeps?: true;
  /** Where workerd's own output goes, line by line. */
  log(line: string): void;
}

export interface Runner {
  /** Where the Worker listens. */
  readonly port: number;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves when the process ended, by {@link stop} or by itself. */
  readonly exited: Promise<void>;
}

export interface RunnerModule {
  /** Resolves when the port is listened on; rejects with the reason otherwise. */
  startRunner(options: RunnerOptions): Promise<Runner>;
}

/** Running servers of this process tree, whatever runs them. */
export interface Servers {
  /** Port on 127.0.0.1 where the Worker listens; null where no Worker runs them. */
  readonly edgePort: number | null;
  /** Opens a socket to one of them, as `/link` or `/gossip?…`. */
  dial(pathAndQuery: string): Promise<LinkSocket>;
  /** Asks the first of them; resolves with its answer. Rejects with its text when it refuses. */
  rpc(path: string, body: string): Promise<string>;
  /** How they reach servers of other hosts from now on; absent where they only do so in clear text. */
  useTls?(tls: PeerTls | null): void;
  stop(): Promise<void>;
  exited: Promise<void>;
}
