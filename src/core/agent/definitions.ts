// What somebody asks an agent to look after: services and checks, as decoded from the API or from
// configuration files, before they become entries of the local state.
//
// Times are in ms; the service itself keeps Consul's spelling, because it goes to the catalog
// unchanged.

import type { NodeServiceDefinition } from "../model/types.ts";

export type CheckStatus = "passing" | "warning" | "critical";

/** How a check learns its status; Consul shows it as `Type`. */
export type CheckType =
  | "grpc"
  | "http"
  | "ttl"
  | "tcp"
  | "udp"
  | "h2ping"
  | "alias"
  | "docker"
  | "script";

export interface CheckDefinition {
  /**
   * "": the name, or inside a service `service:<id>` (`service:<id>:<n>` when there are several).
   */
  checkId: string;
  name: string;
  notes: string;
  /** Status before the first result; "" means critical. */
  status: CheckStatus | "";
  /** "" for a check of the node. */
  serviceId: string;
  token: string;
  http: string;
  /** Header name to its values. */
  header: Record<string, string[]>;
  method: string;
  body: string;
  tcp: string;
  /** Consul has it since 1.12. */
  udp: string;
  /** Consul has it since 1.10. */
  h2ping: string;
  h2pingUseTls: boolean;
  grpc: string;
  grpcUseTls: boolean;
  tlsSkipVerify: boolean;
  args: string[];
  dockerContainerId: string;
  shell: string;
  aliasNode: string;
  aliasService: string;
  intervalMs: number;
  /** 0: the default of the check's type. */
  timeoutMs: number;
  ttlMs: number;
  /** 0: never. */
  deregisterAfterMs: number;
  successBeforePassing: number;
  failuresBeforeCritical: number;
  /** 0: the agent's limit. */
  outputBytesMax: number;
}

export interface ServiceDefinition {
  service: NodeServiceDefinition;
  checks: CheckDefinition[];
  token: string;
  /** Present when the agent shall register a sidecar proxy beside the service. */
  sidecar: SidecarDefinition | null;
}

/**
 * A `Connect.SidecarService` as written: what is empty is filled from the service it stands beside.
 */
export interface SidecarDefinition {
  service: NodeServiceDefinition;
  checks: CheckDefinition[];
  token: string;
  /** The definition holds another sidecar, which is refused. */
  nested: boolean;
}

export const emptyCheck: Readonly<CheckDefinition> = {
  checkId: "",
  name: "",
  notes: "",
  status: "",
  serviceId: "",
  token: "",
  http: "",
  header: {},
  method: "",
  body: "",
  tcp: "",
  udp: "",
  h2ping: "",
  h2pingUseTls: true,
  grpc: "",
  grpcUseTls: false,
  tlsSkipVerify: false,
  args: [],
  dockerContainerId: "",
  shell: "",
  aliasNode: "",
  aliasService: "",
  intervalMs: 0,
  timeoutMs: 0,
  ttlMs: 0,
  deregisterAfterMs: 0,
  successBeforePassing: 0,
  failuresBeforeCritical: 0,
  outputBytesMax: 0,
};

/** In order of precedence, for definitions that set several. */
const typeRules: readonly [CheckType, (check: CheckDefinition) => boolean][] = [
  ["grpc", (check) => check.grpc !== ""],
  ["http", (check) => check.http !== ""],
  ["ttl", (check) => check.ttlMs !== 0],
  ["tcp", (check) => check.tcp !== ""],
  // What older agents kept says nothing of these.
  ["udp", (check) => (check.udp ?? "") !== ""],
  ["h2ping", (check) => (check.h2ping ?? "") !== ""],
  ["alias", isAlias],
  ["docker", (check) => check.dockerContainerId !== "" && check.args.length > 0],
  ["script", (check) => check.args.length > 0],
];

export function isAlias(check: CheckDefinition): boolean {
  return check.aliasNode !== "" || check.aliasService !== "";
}

/** Null for a definition that says nothing about how to check. */
export function checkType(check: CheckDefinition): CheckType | null {
  return typeRules.find(([, applies]) => applies(check))?.[0] ?? null;
}

/** True for checks that run a program: scripts and commands in containers. */
export function runsProgram(check: CheckDefinition): boolean {
  return check.args.length > 0;
}

export const intervalMsMin = 1_000;

/** Time between two runs; shorter wishes are raised to one second, as in Consul. */
export function effectiveIntervalMs(check: CheckDefinition): number {
  return Math.max(check.intervalMs, intervalMsMin);
}
