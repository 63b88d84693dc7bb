// How the parts of a server are put together. Each takes what it needs by constructor; what would be a circle
// (timers that write, a driver that reports) goes through the hooks of the object that owns them all.

import { seededRandom } from "../../src/core/lib/random.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { edge, isQuiescent, lan, local, type Timing } from "../../src/core/raft/timing.ts";
import { type Applied, StateMachine } from "../../src/core/state/machine.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { Bootstrap } from "../raft/bootstrap.ts";
import type { Env } from "../platform/env.ts";
import { LinkServer } from "../link/links.ts";
import { Reconciler } from "../leader/reconciler.ts";
import { FetchTransport, type PeerAddress } from "../raft/transport.ts";
import { RaftDriver } from "../raft/driver.ts";
import { RaftStorage } from "../raft/storage.ts";
import { ServerRequests } from "./requests.ts";
import { SessionTimers } from "../leader/session-timers.ts";
import { StateSnapshots } from "../raft/snapshots.ts";
import { DurableSql } from "../platform/sql.ts";
import { TombstoneCollector } from "../leader/tombstone-collector.ts";
import { edgeNode, serversExpected, stubsOf } from "../platform/topology.ts";

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
  state: DurableObjectState,
  env: Env,
  identity: ServerIdentity,
  hooks: ServerHooks,
): ServerParts {
  // Wall clock first, so that a later instance has a larger number; randomness separates those of one ms.
  const incarnation = Date.now() * 1_024 + Math.floor(Math.random() * 1_024);
  const common = {
    sql: new DurableSql(state.storage),
    transport: new FetchTransport(stubsOf(env, identity.datacenter), env.SERVER_KEY),
    datacenter: identity.datacenter,
    nowMs: (): number => Date.now(),
  };
  const replica = buildReplica(
    common,
    { id: identity.self.id, incarnation, timing: timingOf(env) },
    hooks,
  );
  const { raft, driver, storage } = replica;
  const clock = new AlarmClock(state.storage);
  const { requests, sessions } = buildRequests(common, replica, clock);
  const lasting = env.HOST
    ? []
    : [{ ...edgeNode(env, identity.datacenter), status: "alive" as const }];
  const leads = (): boolean => raft.role === "leader";
  return {
    ...replica,
    clock,
    requests,
    sessions,
    members: new Reconciler({ ...common, ...replica, requests, lasting }),
    reaper: new TombstoneCollector({ ...common, machine: replica.machine, clock, requests, leads }),
    links: new LinkServer({
      state,
      requests,
      incarnation,
      serverName: () => identity.self.name,
      knownLeader: () => raft.leader !== null,
      clusterStatus: hooks.status,
      reconnectSpreadMs: env.HOST ? reconnectSpreadMs.hosted : reconnectSpreadMs.deployed,
    }),
    bootstrap: new Bootstrap({
      ...common,
      self: identity.self,
      bootstrapExpect: serversExpected(env, identity.datacenter),
      isEmpty: () => storage.empty,
      bootstrap: (configuration) => {
        raft.bootstrap(configuration, Date.now());
        driver.run();
      },
    }),
  };
}

interface Common {
  sql: DurableSql;
  transport: FetchTransport;
  datacenter: string;
  nowMs(): number;
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
  const raft = wakeRaft({ ...peer, storage, machine });
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

function timingOf(env: Env): Timing {
  if (!env.HOST) return edge;
  return env.HOST.timing === "lan" ? lan : local;
}

function wakeRaft(from: {
  storage: RaftStorage;
  machine: StateMachine;
  incarnation: number;
  id: string;
  timing: Timing;
}): Raft {
  const { storage, machine, incarnation, id, timing } = from;
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
    nowMs: Date.now(),
    fresh: storage.empty,
    installing: storage.installing,
  });
}
