// This agent's own node, as the catalog is to show it, and the settings that its state obeys.

import type { Random } from "../lib/random.ts";
import type { PortRange } from "./sidecar.ts";

export interface AgentNode {
  /** A UUID. */
  id: string;
  name: string;
  datacenter: string;
  address: string;
  taggedAddresses: Record<string, string>;
  meta: Record<string, string>;
}

export interface AgentSettings {
  /** An output that changes without its status is synced about this much later; 0: at once. */
  checkUpdateIntervalMs: number;
  /** Longer outputs of checks are cut. */
  outputBytesMax: number;
  /** Keeps no output at all: less to sync, less to read. */
  discardCheckOutput: boolean;
  /** Whether checks may run programs when they come from a file, or over HTTP. */
  scripts: { fromFile: boolean; fromApi: boolean };
  /** Ports for sidecars that name none. */
  sidecarPorts: PortRange;
  random: Random;
}
