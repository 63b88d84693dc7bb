// How the group of servers sees to itself: what operators configure, and how the leader finds the servers. Consul's
// words, as `/v1/operator/autopilot` has them.

import type { JsonValue } from "./json.ts";
import { flag, integer, raftIndex, text } from "./schema.ts";
import type { Field, StructType } from "./schema.ts";

/** Durations in ns. */
export interface AutopilotConfig {
  /** Servers that failed are taken out of the group once others have taken their place. */
  CleanupDeadServers: boolean;
  /** A server that heard from its leader longer ago is unhealthy. */
  LastContactThreshold: number;
  /** A server whose log is behind by more entries is unhealthy. */
  MaxTrailingLogs: number;
  /** Fewer voters are never left by taking dead ones out. */
  MinQuorum: number;
  /** A new server is healthy for so long before it gets a vote. */
  ServerStabilizationTime: number;
  /** Consul Enterprise's, kept for whoever sets them. */
  RedundancyZoneTag: string;
  DisableUpgradeMigration: boolean;
  UpgradeVersionTag: string;
}

export const autopilotDefaults: AutopilotConfig = {
  CleanupDeadServers: true,
  LastContactThreshold: 200e6,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: 10e9,
  RedundancyZoneTag: "",
  DisableUpgradeMigration: false,
  UpgradeVersionTag: "",
};

const duration = {
  type: { kind: "duration", written: "text", readable: true },
} as const satisfies Field;
const count = (goName: string): Field => ({ type: { kind: "integer", goName } });

const configFields: Record<keyof AutopilotConfig, Field> = {
  CleanupDeadServers: flag,
  LastContactThreshold: duration,
  MaxTrailingLogs: count("uint64"),
  MinQuorum: count("uint"),
  ServerStabilizationTime: duration,
  RedundancyZoneTag: text,
  DisableUpgradeMigration: flag,
  UpgradeVersionTag: text,
};

/** In the form of requests: indexes may be sent, and mean nothing. */
export const autopilotConfigSchema = {
  kind: "struct",
  goName: "api.AutopilotConfiguration",
  fields: configFields,
  accepted: ["CreateIndex", "ModifyIndex"],
} as const satisfies StructType;

/** As it is answered. */
export const autopilotAnswerSchema = {
  ...autopilotConfigSchema,
  fields: { ...configFields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
} as const satisfies StructType;

/** How the leader finds one server. */
export interface ServerHealth {
  ID: string;
  Name: string;
  Address: string;
  SerfStatus: "alive" | "failed";
  Version: string;
  Leader: boolean;
  /** In ns; negative: it never heard from the leader, or does not answer. */
  LastContact: number;
  LastTerm: number;
  LastIndex: number;
  Healthy: boolean;
  Voter: boolean;
  /** When it became as it is, RFC 3339. */
  StableSince: string;
}

export interface GroupHealth {
  Healthy: boolean;
  /** Voters that may fail before the group stands still. */
  FailureTolerance: number;
  Servers: ServerHealth[];
}

const healthSchema = {
  kind: "struct",
  goName: "api.ServerHealth",
  fields: {
    ID: text,
    Name: text,
    Address: text,
    SerfStatus: text,
    Version: text,
    Leader: flag,
    LastContact: duration,
    LastTerm: integer,
    LastIndex: integer,
    Healthy: flag,
    Voter: flag,
    StableSince: text,
  },
} as const satisfies StructType;

export const groupHealthSchema = {
  kind: "struct",
  goName: "api.OperatorHealthReply",
  fields: {
    Healthy: flag,
    FailureTolerance: integer,
    Servers: { type: { kind: "list", item: healthSchema } },
  },
} as const satisfies StructType;

/** The whole of it, from its servers. */
export function groupHealth(servers: readonly ServerHealth[]): GroupHealth {
  const voters = servers.filter(({ Voter }) => Voter);
  const healthy = voters.filter(({ Healthy }) => Healthy).length;
  return {
    Healthy: servers.every(({ Healthy }) => Healthy),
    FailureTolerance: Math.max(0, healthy - (Math.floor(voters.length / 2) + 1)),
    Servers: [...servers],
  };
}

/** What else a server may be asked about its group; answered by the leader. */
export type OperatorQuestion =
  | { ask: "autopilot-health" }
  /** `id`: the server that is to lead; "" for any that can. */
  | { ask: "transfer-leader"; id: string };

/** `value` as a question; null when it is none. */
export function operatorQuestion(value: unknown): OperatorQuestion | null {
  const { ask, id } = (value ?? {}) as Record<string, JsonValue>;
  if (ask === "autopilot-health") return { ask };
  return ask === "transfer-leader" && typeof id === "string" ? { ask, id } : null;
}
