// How the parts of a server are put together. Each takes what it needs by constructor; what would be a circle
// (timers that write, a driver that reports) goes through the hooks of the object that owns them all.

import { seededRandom } from "../../src/core/lib/random.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { edge, isQuiescent, lan, local, type Timing } from "../../src/core/raft/timing.ts";
import { type Applied, StateMachine } from "../../src/core/state/machine.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { Bootstrap } from "../raft/bootstrap.ts";
import { LinkServer } from "../link/links.ts";
import { Reconciler } from "../leader/reconciler.ts";
import { ObjectTransport, type PeerTransport } from "../raft/transport.ts";
import type { Platform } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { RaftDriver } from "../raft/driver.ts";
import { RaftStorage } from "../raft/storage.ts";
import { ServerRequests } from "./requests.ts";
import { SessionTimers } from "../leader/session-timers.ts";
import { StateSnapshots } from "../raft/snapshots.ts";
import { TombstoneCollector } from "../leader/tombstone-collector.ts";
import { edgeNode, ownObjects, type PeerAddress, serversExpected } from "../platform/topology.ts";

const noticeHoldMs = 2;
const reconnectSpreadMs = { hosted: 0, deployed: 5_000 };

export interface ServerParts {
  clock: AlarmClock;
  storage: RaftStorage;
  machine: StateMachine;
  raft: Raft;
  driver: RaftDriver;
  sessions: SessionTimers;
  requests: ServerRequests;
  links: LinkServer;
  members: Reconciler;
  bootstrap: Bootstrap;
  reaper: TombstoneCollector;
}

export interface ServerHooks {
  abort(reason: unknown): never;
  wakeAt(deadlineMs: number | null): void;
  applied(entries: readonly Applied[], replaced: boolean): void;
  leadershipChanged(): void;
  status(): { leader: string; peers: string[] };
}

export interface ServerIdentity {
  self: PeerAddress;
  datacenter: string;
}

export function buildServer(
  platform: Platform,
  settings: Settings,
  identity: ServerIdentity,
  hooks: ServerHooks,
): ServerParts {
  // Wall clock first, so that a later instance has a larger number; randomness separates those of one ms.
  const incarnation = platform.nowMs() * 1_024 + Math.floor(platform.random() * 1_024);
  const common = {
    sql: platform.sql,
    transport: new ObjectTransport(
      platform.objects,
      ownObjects(settings, platform.objects, identity.datacenter),
      settings.SERVER_KEY,
    ),
    timers: platform.timers,
    datacenter: identity.datacenter,
    nowMs: (): number => platform.nowMs(),
    warn: (line: string): void => platform.log("warn", `server ${identity.self.name}: ${line}`),
  };
  const replica = buildReplica(
    common,
    { id: identity.self.id, incarnation, timing: timingOf(settings) },
    hooks,
  );
  const { raft, driver, storage } = replica;
  const clock = new AlarmClock(platform);
  const { requests, sessions } = buildRequests(common, replica, clock);
  const lasting = settings.HOST
    ? []
    : [{ ...edgeNode(platform.objects, identity.datacenter), status: "alive" as const }];
  const leads = (): boolean => raft.role === "leader";
  return {
    ...replica,
    clock,
    requests,
    sessions,
    members: new Reconciler({ ...common, ...replica, requests, lasting }),
    reaper: new TombstoneCollector({ ...common, machine: replica.machine, clock, requests, leads }),
    links: new LinkServer({
      sockets: platform.sockets,
      requests,
      incarnation,
      serverName: () => identity.self.name,
      servers: () => (settings.HOST?.timing === "lan" ? hooks.status().peers : []),
      knownLeader: () => raft.leader !== null,
      clusterStatus: hooks.status,
      reconnectSpreadMs: settings.HOST ? reconnectSpreadMs.hosted : reconnectSpreadMs.deployed,
    }),
    bootstrap: new Bootstrap({
      ...common,
      self: identity.self,
      bootstrapExpect: serversExpected(settings, identity.datacenter),
      isEmpty: () => storage.empty,
      bootstrap: (configuration) => {
        raft.bootstrap(configuration, platform.nowMs());
        driver.run();
      },
    }),
  };
}

interface Common {
  sql: Sql;
  transport: PeerTransport;
  timers: Timers;
  datacenter: string;
  nowMs(): number;
  warn(line: string): void;
}

type Replica = Pick<ServerParts, "storage" | "machine" | "raft" | "driver">;

/** What makes a peer: log, state and the core between them. */
function buildReplica(
  common: Common,
  peer: { id: string; incarnation: number; timing: Timing },
  hooks: ServerHooks,
): Replica {
  const storage = new RaftStorage(common.sql);
  const machine = new StateMachine(common.sql, { datacenter: common.datacenter });
  const raft = wakeRaft({ ...peer, storage, machine, nowMs: common.nowMs() });
  const driver = new RaftDriver({
    ...hooks,
    ...common,
    ...{ raft, storage, machine },
    noticeHoldMs: isQuiescent(peer.timing) ? 0 : noticeHoldMs,
  });
  return { storage, machine, raft, driver };
}

/** Sessions end by requests, and requests renew sessions. */
function buildRequests(
  common: Common,
  replica: Replica,
  clock: AlarmClock,
): Pick<ServerParts, "requests" | "sessions"> {
  const sessions = new SessionTimers({
    ...common,
    arm: (deadlineMs) =>
      deadlineMs === null ? clock.clear("sessions") : clock.set("sessions", deadlineMs),
    expire: async (id) => {
      await requests.write({ id: 0, write: { type: "session.expire", id } });
    },
  });
  const requests = new ServerRequests({ ...common, ...replica, sessions });
  return { requests, sessions };
}

function timingOf(settings: Settings): Timing {
  if (!settings.HOST) return edge;
  return settings.HOST.timing === "lan" ? lan : local;
}

function wakeRaft(from: {
  storage: RaftStorage;
  machine: StateMachine;
  incarnation: number;
  id: string;
  timing: Timing;
  nowMs: number;
}): Raft {
  const { storage, machine, incarnation, id, timing, nowMs } = from;
  return new Raft({
    id,
    incarnation,
    timing,
    random: seededRandom(incarnation),
    log: storage,
    snapshots: new StateSnapshots(storage, machine),
    hardState: storage.hardState,
    configuration: storage.latestConfiguration(),
    commitIndex: machine.appliedIndex,
    appliedIndex: machine.appliedIndex,
    nowMs,
    fresh: storage.empty,
    installing: storage.installing,
  });
}
