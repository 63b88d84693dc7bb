// One of several machines of one's own: a server that expects two others, with its own data.

import { join } from "node:path";

import type { AgentPorts } from "./free-ports.ts";
import { type StartOptions, temporaryDirectory } from "./proconsul.ts";

/** `all`: the machines that are to be joined. */
export function machineOptions(
  n: number,
  ports: AgentPorts,
  all: readonly AgentPorts[],
): StartOptions {
  const config = {
    server: true,
    bootstrap_expect: 3,
    bind_addr: "127.0.0.1",
    node_name: `machine-${n}`,
    data_dir: join(temporaryDirectory(), "data"),
    retry_join: all.map(({ serf_lan: lan }) => `127.0.0.1:${lan}`),
  };
  return { ports, config };
}
