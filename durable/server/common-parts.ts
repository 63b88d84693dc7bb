// What every part of a server is given: where it runs, what its deployer decided, and who it is.

import { limits } from "../../src/core/model/limits.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { Applied } from "../../src/core/state/machine.ts";
import type { ClusterStatus } from "../../src/ports/cluster.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { ObjectTransport, type PeerTransport } from "../raft/transport.ts";
import type { OperatorFiles, Platform } from "../platform/platform.ts";
import { aclOf, type AclServerSettings, type Settings } from "../platform/settings.ts";
import { ownObjects, type PeerAddress } from "../platform/topology.ts";
import { AclReset } from "./acl-reset.ts";
import type { ServerTelemetry } from "./telemetry.ts";

export interface ServerIdentity {
  self: PeerAddress;
  datacenter: string;
  /** Which of the datacenter's servers it is here. */
  number: number;
}

export interface Surroundings {
  platform: Platform;
  settings: Settings;
  identity: ServerIdentity;
}

export interface ServerHooks {
  abort(reason: unknown): never;
  /** Like abort, but keeps what was written. */
  restart(reason: string): never;
  wakeAt(deadlineMs: number | null): void;
  applied(entries: readonly Applied[], how: { replaced: boolean; term: number }): void;
  leadershipChanged(): void;
  status(): ClusterStatus;
}

export interface Common {
  telemetry: ServerTelemetry;
  acl: AclServerSettings | undefined;
  origin: string;
  sql: Sql;
  transport: PeerTransport;
  timers: Timers;
  soon(run: () => void): void;
  aclReset: AclReset;
  operatorFiles: OperatorFiles;
  datacenter: string;
  answerLengthMax: number;
  nowMs(): number;
  warn(line: string): void;
  log(level: "info" | "warn", line: string): void;
}

export function commonParts(
  platform: Platform,
  settings: Settings,
  identity: ServerIdentity,
): Omit<Common, "origin" | "telemetry"> {
  const { self, datacenter } = identity;
  return {
    acl: aclOf(settings),
    sql: platform.sql,
    transport: new ObjectTransport(
      platform.objects,
      ownObjects(settings, platform.objects, datacenter),
      settings.SERVER_KEY,
    ),
    timers: platform.timers,
    soon: (run) => platform.soon(run),
    aclReset: new AclReset(platform.operatorFiles),
    operatorFiles: platform.operatorFiles,
    datacenter,
    answerLengthMax: settings.HOST ? limits.hostedAnswerLengthMax : limits.answerLengthMax,
    nowMs: () => platform.nowMs(),
    warn: (line) => platform.log("warn", `server ${self.name}: ${line}`),
    log: (level, line) => platform.log(level, `server ${self.name}: ${line}`),
  };
}
