// The port between those who ask (HTTP routes, DNS, agents) and the replicated state. Implemented in `durable/`
// by stubs and in `src/link` by the WebSocket that a host agent keeps to one server.

import type { GroupHealth } from "../core/model/autopilot.ts";
import type { CaConfiguration } from "../core/model/ca-configuration.ts";
import type { AuthMethod, LoginRequest } from "../core/model/auth/types.ts";
import type { MetricRow } from "../core/lib/interval-metrics.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { UserEvent } from "../core/model/user-event.ts";
import type { Command, CommandResult, CommandType } from "../core/state/commands.ts";
import type { ReadOperation } from "../core/state/reads.ts";

/** `default`: the leader under its lease; `consistent`: a quorum round first; `stale`: any server. */
export type Consistency = "default" | "consistent" | "stale";

export interface ReadOptions {
  /** Datacenter to ask; own when absent. Another one is `no-path-to-datacenter` while none is linked. */
  dc?: string;
  token?: string;
  consistency?: Consistency;
  /** With `stale`: an answer older than this many ms is asked again from the leader. */
  maxStaleMs?: number;
  /** Blocks until the result's index is greater than this one, at most `waitMs` (jitter included). */
  minIndex?: number;
  waitMs?: number;
  /** May be answered from a local copy that follows the leader (`?cached`). */
  cached?: boolean;
  /** Ends a blocking read early (client went away, agent stops). */
  signal?: AbortSignal;
}

export interface ReadReply {
  /** X-Consul-Index; at least 1. */
  index: number;
  knownLeader: boolean;
  lastContactMs: number;
  /** JSON text, encoded once where the rows are; null when the thing asked for does not exist. */
  body: string | null;
  /** Something was left out that the token may not see. */
  isFiltered?: true;
  /** Only where `cached` was asked for: whether a local copy answered, and for how long it has been cut off. */
  cache?: {
    hit: boolean;
    ageSeconds: number;
    /** Whether this still is the newest answer of the local copy, and nothing cuts it off. */
    isCurrent(): boolean;
  };
}

export interface WriteOptions {
  dc?: string;
  token?: string;
}

/** What a server has counted. */
export interface ServerMetrics {
  rows: MetricRow[];
  /** By name. */
  gauges: Record<string, number>;
}

/** What a server answers to itself about the group; needs no leader. */
export interface ClusterStatus {
  /** `ip:port` of the leader as Consul prints it, "" when none is known. */
  leader: string;
  peers: string[];
  /** How many nodes the catalog has here; absent from whoever only passes the rest on. */
  nodes?: number;
  /** Absent from whoever only passes the rest on. */
  raft?: RaftStatus;
  /** Where they were asked for. */
  metrics?: ServerMetrics;
}

/** Where the answering server stands in the group's log. */
export interface RaftStatus {
  state: "Leader" | "Follower" | "Candidate";
  term: number;
  lastLogIndex: number;
  commitIndex: number;
  appliedIndex: number;
  /** Since the leader was heard; null: never. */
  lastContactMs: number | null;
  configuration: readonly { id: string; address: string; voter: boolean }[];
}

/** One server of the group. */
export interface GroupMember {
  id: string;
  name: string;
  address: string;
  leader: boolean;
  voter: boolean;
}

/** A server by its id or by its `ip:port`. */
export type ServerChoice = { id: string } | { address: string };

/** A certificate that the leader signed. */
export interface IssuedCertificate {
  /** In hex. */
  serialNumber: string;
  /** The certificate, then what leads from its root to the one before. */
  certPem: string;
  service: string;
  serviceUri: string;
  /** RFC 3339. */
  validAfter: string;
  validBefore: string;
  /** Of the entry that gave out its serial number. */
  index: number;
}

/** The whole state as it was at one moment, as records of Consul's archives. */
export interface SavedState {
  /** Of the last change in it. */
  index: number;
  knownLeader: boolean;
  lastContactMs: number;
  term: number;
  /** Of the group. */
  servers: readonly { id: string; address: string; voter: boolean }[];
  /** How many bytes {@link chunks} give together. */
  bytes: number;
  /** To be read once, to the end or until {@link close}. Rejects with ServiceError. */
  chunks(): AsyncIterable<Uint8Array>;
  /** For whoever does not read it to its end. */
  close(): void;
}

export type SaveOptions = WriteOptions & { consistency?: Consistency };

export interface Cluster {
  /** Rejects with ServiceError (codes in core/model/errors.ts). */
  read(
    op: ReadOperation["op"],
    args: Record<string, JsonValue>,
    options: ReadOptions,
  ): Promise<ReadReply>;
  /** Resolves when the command is applied on the answering leader. A failed command rejects with ServiceError. */
  write<Type extends CommandType>(
    command: Extract<Command, { type: Type }>,
    options: WriteOptions,
  ): Promise<CommandResult<Type>>;
  /**
   * Restarts a session's TTL at the leader; never enters the log. Resolves to the body of `session.info`; a
   * session that does not exist rejects with `not-found`.
   */
  renewSession(id: string, options: WriteOptions): Promise<string>;
  /** `metrics`: number of the interval of which they are wanted. */
  status(options: { dc?: string; metrics?: number }): Promise<ClusterStatus>;
  /** Who belongs to the group, by its leader; with `stale` by any server. Rejects with ServiceError. */
  servers(options: { dc?: string; token?: string; stale?: boolean }): Promise<GroupMember[]>;
  /**
   * Takes a server out of the group for good. Rejects `invalid` when it is not one of the group, or when fewer than a
   * majority of those that would be left are alive.
   */
  removeServer(choice: ServerChoice, options: WriteOptions): Promise<void>;
  /**
   * Has the leader sign a request for a certificate of Connect (PEM). Rejects with ServiceError: `permission-denied`
   * without service:write, `too-many-requests` when too many ask.
   */
  signCertificate(csr: string, options: WriteOptions): Promise<IssuedCertificate>;
  /** Configures Connect's certificate authority. Rejects with ServiceError. */
  configureCa(configuration: CaConfiguration, options: WriteOptions): Promise<void>;
  /** How the leader finds the servers of the group. Rejects with ServiceError. */
  autopilotHealth(options: WriteOptions): Promise<GroupHealth>;
  /**
   * Resolves when the server with this id leads, or, for "", whichever can best. Rejects `invalid` when it cannot, with
   * the old leader in office.
   */
  transferLeadership(id: string, options: WriteOptions): Promise<void>;
  /**
   * Tells every agent of the datacenter. Resolves when it is on its way. Rejects `invalid` when it is too large, with
   * Consul's text.
   */
  fireEvent(event: UserEvent, options: WriteOptions): Promise<void>;
  /**
   * Makes or changes an auth method, as JSON text. Rejects with ServiceError: `invalid` for what no login could use,
   * which the leader finds out by asking whom the method names.
   */
  setAuthMethod(method: AuthMethod, options: WriteOptions): Promise<string>;
  /**
   * A token for whoever shows a bearer, as JSON text. The leader alone judges. Rejects with ServiceError:
   * `permission-denied` for an unknown method, or where nothing is granted.
   */
  login(request: LoginRequest, options: { dc?: string }): Promise<string>;
  /** Resolves when whoever asks may replace the whole state. Rejects with ServiceError. */
  permitRestore(options: WriteOptions): Promise<void>;
  /** Keeps the state as it is, to be read while it changes. Rejects with ServiceError. */
  saveState(options: SaveOptions): Promise<SavedState>;
  datacenters(): Promise<string[]>;
}
