// The rows of the local state. A row is what the catalog shall hold, plus what only the agent
// knows: where it came from, whether the catalog has it, and its deadlines.

import type { HealthCheck, NodeServiceDefinition } from "../model/types.ts";
import type { CheckDefinition, ServiceDefinition } from "./definitions.ts";

/**
 * `file`: a configuration file, which wins over what the API registered; `api`: kept in the data
 * directory.
 */
export type Origin = "api" | "file";

interface Entry {
  token: string;
  origin: Origin;
  /** The catalog holds this row. */
  inSync: boolean;
  /** Drawn anew by every change that must reach the catalog. */
  revision: number;
}

export interface ServiceEntry extends Entry {
  service: NodeServiceDefinition;
  /** As it was asked for; what is kept in the data directory. */
  definition: ServiceDefinition;
  /** Id of the service whose sidecar this is: it goes when that one goes. */
  sidecarOf: string | null;
}

export interface CheckEntry extends Entry {
  check: HealthCheck;
  /** Null for maintenance checks, which nothing runs. */
  definition: CheckDefinition | null;
  /** The check was part of its service's definition, and is kept with it. */
  ofService: boolean;
  /** When the TTL ends; null for other checks and after it ended. */
  ttlDeadlineMs: number | null;
  /** When an output that changed without its status is to be synced; null when there is none. */
  outputSyncAtMs: number | null;
  /** Since when the check is critical; null while it is not. */
  criticalSinceMs: number | null;
}

export type RowType = "service" | "check";

/** A row that the catalog still has to forget. */
export interface Removal {
  type: RowType;
  id: string;
  /** Of the check; "" for services and checks of the node. */
  serviceId: string;
  token: string;
  revision: number;
}

export interface LocalChange {
  type: RowType;
  id: string;
}
