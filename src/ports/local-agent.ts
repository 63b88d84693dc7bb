// The port between the routes of /v1/agent/* (src/api/agent.ts) and the agent that serves them: the
// Node agent of a host (src/agent) or the EdgeAgent Durable Object. Everything is asynchronous,
// because an EdgeAgent is a call away.
//
// Every method may reject with ServiceError; its text is what the client sees. Bodies arrive as the
// text that was sent: decoding and validating definitions is part of what an agent is
// (src/core/agent), not of how it is reached.

import type { Coordinate } from "../core/model/coordinate.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { UserEvent } from "../core/model/user-event.ts";
import type { HealthCheck, NodeService } from "../core/model/types.ts";

/** Member status as Serf numbers it: 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
export type MemberStatusNumber = 0 | 1 | 2 | 3 | 4;

/** One entry of `/v1/agent/members`, in the order of keys that Consul prints. */
export interface Member {
  Name: string;
  Addr: string;
  Port: number;
  Tags: Record<string, string>;
  Status: MemberStatusNumber;
  ProtocolMin: number;
  ProtocolMax: number;
  ProtocolCur: number;
  DelegateMin: number;
  DelegateMax: number;
  DelegateCur: number;
}

/** `/v1/agent/self`, in the order of keys that Consul prints. */
export interface AgentSelf {
  Config: {
    Datacenter: string;
    NodeName: string;
    NodeID: string;
    Revision: string;
    Server: boolean;
    Version: string;
  };
  DebugConfig: Record<string, JsonValue>;
  /** Null where coordinates are switched off. */
  Coord: Coordinate | null;
  Member: Member;
  Stats: Record<string, Record<string, string>>;
  Meta: Record<string, string>;
}

/** Worst status of a service's checks and its node's; `maintenance` beats `critical`. */
export type AggregatedStatus = "passing" | "warning" | "critical" | "maintenance";

export interface ServiceHealth {
  status: AggregatedStatus;
  service: NodeService;
  /** The service's own checks and the node's. */
  checks: HealthCheck[];
}

export interface RegisterServiceOptions {
  /** Token of the request; a `Token` in the definition goes before it. */
  token?: string;
  /** Removes checks of the service that the new definition does not contain. */
  replaceExistingChecks: boolean;
}

export interface MaintenanceRequest {
  enable: boolean;
  /** "" for Consul's default text. */
  reason: string;
  token?: string;
}

export interface LogRequest {
  level: LogLevel;
  /** One JSON object a line instead of Consul's text lines. */
  json: boolean;
  /** Ends the stream. */
  signal: AbortSignal;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "err";

/** What waits for the content hash of a service to differ from the caller's. */
export interface ServiceWait {
  hash: string;
  waitMs: number;
  signal?: AbortSignal;
}

/** What is to be done with the gossip keys of all nodes; keys are in base64. */
export type KeyCommand = { do: "list" } | { do: "install" | "use" | "remove"; key: string };

/** The keys that a node has, or why it did not do as it was told. */
export type KeyAnswer = { primary: string; keys: readonly string[] } | { problem: string };

export interface KeyringNode {
  name: string;
  isServer: boolean;
  /** Null: it did not answer. */
  answer: KeyAnswer | null;
}

/** What all nodes that are alive say of their gossip keys. */
export interface Keyring {
  datacenter: string;
  nodes: readonly KeyringNode[];
}

/** What reached an agent. */
export interface HeardEvents {
  /** Those that the asker may see, oldest first. */
  events: readonly UserEvent[];
  /** Id of the newest of all; "" when there is none. */
  newest: string;
}

/** Until there is a newer event than `newest`. */
export interface EventWait {
  newest: string;
  waitMs: number;
  signal: AbortSignal;
}

export interface LocalAgent {
  self(): Promise<AgentSelf>;
  /** `wan`: servers of all datacenters, named `<node>.<dc>`. Those that `token` may see; absent: the agent's own. */
  members(options: { wan: boolean; token?: string }): Promise<Member[]>;
  /** CPU, memory, disk and operating system of the host: `/v1/agent/host`. */
  host(): Promise<JsonValue>;
  /** `/v1/agent/metrics` in its JSON form. */
  metrics(): Promise<JsonValue>;
  /** Prometheus' text form; null while `telemetry.prometheus_retention_time` is not positive. */
  prometheusMetrics(): Promise<string | null>;
  /** User events that were for this agent, the newest 256 of them. */
  events(): Promise<HeardEvents>;
  /** Resolves to what is left of the time: 0 or less when it is over. */
  eventsMoved(wait: EventWait): Promise<number>;
  /** `access`: what is needed to do so. */
  keyring(access: "read" | "write", command: KeyCommand): Promise<Keyring>;
  /** Log lines, each without its newline, from now on. Throws `not-found` where there is no log. */
  logs(request: LogRequest): AsyncIterable<string>;

  /** In order of id, as {@link LocalAgent.checks}. */
  services(): Promise<NodeService[]>;
  /**
   * One service and the hash of its content, null when it does not exist. With `wait` the answer is
   * held back until the hash differs from the given one, the service goes, or the time is over.
   */
  service(id: string, wait?: ServiceWait): Promise<{ service: NodeService; hash: string } | null>;
  checks(): Promise<HealthCheck[]>;
  /** Null when no such service exists. */
  serviceHealth(id: string): Promise<ServiceHealth | null>;
  /** All instances with that name; empty when there is none. */
  serviceHealthByName(name: string): Promise<ServiceHealth[]>;

  registerService(body: string, options: RegisterServiceOptions): Promise<void>;
  /** An unknown id is no error. */
  deregisterService(id: string): Promise<void>;
  registerCheck(body: string, options: { token?: string }): Promise<void>;
  deregisterCheck(id: string): Promise<void>;
  /** Sets the state of a TTL check: rejects `invalid` when there is none with that id. */
  updateCheck(
    id: string,
    status: "passing" | "warning" | "critical",
    output: string,
  ): Promise<void>;
  /** Rejects `not-found` for an unknown service. */
  serviceMaintenance(id: string, request: MaintenanceRequest): Promise<void>;
  nodeMaintenance(request: MaintenanceRequest): Promise<void>;

  join(address: string, options: { wan: boolean }): Promise<void>;
  /** Resolves when the node has left; the agent then stops. */
  leave(): Promise<void>;
  /** `token`: what a server is taken out of its group with; absent: the agent's own. */
  forceLeave(node: string, options: { prune: boolean; token?: string }): Promise<void>;
  /** Reads the configuration files again. */
  reload(): Promise<void>;
  /** Rejects `acl-disabled` while there are no ACLs, `not-found` for an unknown kind. */
  setToken(kind: string, body: string): Promise<void>;
}
