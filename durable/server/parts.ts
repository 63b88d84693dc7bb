// How the parts of a server are put together. Each takes what it needs by constructor; what would be a circle
// (timers that write, a driver that reports) goes through the hooks of the object that owns them all.

import { seededRandom } from "../../src/core/lib/random.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { edge, isQuiescent, lan, local, type Timing } from "../../src/core/raft/timing.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import { clusterId } from "../../src/core/state/tables/cluster/identity.ts";
import { findSessionTtlMs, listSessionTtls } from "../../src/core/state/tables/session/session.ts";
import { TokenAuthorizers } from "../../src/core/state/tables/acl/resolve.ts";
import { Divergence } from "../leader/divergence.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { Bootstrap } from "../raft/bootstrap.ts";
import type { LinkServer } from "../link/links.ts";
import type { Platform } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { RaftDriver } from "../raft/driver.ts";
import { RaftStorage } from "../raft/storage.ts";
import { AuthAccess } from "./auth-access.ts";
import { buildLinks } from "./build-links.ts";
import { AuthorityBeginning } from "./authority-beginning.ts";
import { AuthorityAccess } from "./authority-access.ts";
import {
  type Common,
  commonParts,
  type ServerHooks,
  type ServerIdentity,
  type Surroundings,
} from "./common-parts.ts";
import { Group } from "./group.ts";
import { buildDuties, type LeaderParts } from "./leader-parts.ts";
import { ServerRequests } from "./requests.ts";
import { Succession } from "../leader/succession.ts";
import { type SessionTimerParts, SessionTimers } from "../leader/session-timers.ts";
import { ServerTelemetry } from "./telemetry.ts";
import { recoverPeers } from "../raft/peers-file.ts";
import { discardState, isLost, isRemoved } from "../raft/removal.ts";
import { StateSnapshots } from "../raft/snapshots.ts";
import { serversExpected } from "../platform/topology.ts";

const noticeHoldMs = 2;
/** The log is kept for voters that are away, up to this size (design §3). */
const logBytesMax = 1_000_000_000;
/** A process whose alarm is this late was stopped, or its machine slept. */
const hostedOutageMs = 5_000;

export interface ServerParts extends Omit<LeaderParts, "authMethods"> {
  clock: AlarmClock;
  storage: RaftStorage;
  machine: StateMachine;
  raft: Raft;
  driver: RaftDriver;
  sessions: SessionTimers;
  requests: ServerRequests;
  group: Group;
  links: LinkServer;
  bootstrap: Bootstrap;
  access: AuthorityAccess;
  auth: AuthAccess;
  divergence: Divergence;
  telemetry: ServerTelemetry;
  nowMs(): number;
}

export function buildServer(
  platform: Platform,
  settings: Settings,
  identity: ServerIdentity,
  hooks: ServerHooks,
): ServerParts {
  // Wall clock first, so that a later instance has a larger number; randomness separates those of one ms.
  const incarnation = platform.nowMs() * 1_024 + Math.floor(platform.random() * 1_024);
  const telemetry = new ServerTelemetry({
    nowMs: () => platform.nowMs(),
    gauges: () => ({ "session_ttl.active": sessions.active, ...duties.health.gauges }),
  });
  const common = {
    ...commonParts(platform, settings, identity),
    telemetry,
    origin: `${identity.self.id.slice(-12)}.${incarnation.toString(36)}`,
  };
  const replica = buildReplica(
    common,
    { id: identity.self.id, incarnation, timing: timingOf(settings) },
    hooks,
  );
  const clock = new AlarmClock(platform);
  const { raft, driver, machine } = replica;
  const enabled = settings.CONNECT !== undefined;
  const beginning = new AuthorityBeginning({ machine, timers: platform.timers, enabled });
  const known = { ...replica, beginning };
  const { requests, sessions } = buildRequests(common, known, clock, lifetimeOf(settings));
  const duties = buildDuties({ platform, settings, identity }, common, {
    ...known,
    requests,
    sessions,
    clock,
  });
  const access = new AuthorityAccess({ authority: duties.authority, requests });
  const succession = new Succession({ ...common, raft, driver, self: identity.self.id });
  const group = new Group({ ...duties, raft, requests, succession, self: identity.self.id });
  const { authMethods: methods, ...others } = duties;
  const auth = new AuthAccess({ methods, machine, requests });
  const surroundings = { platform, settings, identity };
  return {
    nowMs: common.nowMs,
    telemetry,
    ...replica,
    ...others,
    clock,
    sessions,
    requests,
    divergence: new Divergence({ ...hooks, ...common, ...replica }),
    group,
    access,
    auth,
    links: buildLinks(surroundings, hooks, {
      ...{ common, raft, machine, requests, group, access, auth, incarnation },
    }),
    bootstrap: buildBootstrap(surroundings, hooks, { common, replica, clock }),
  };
}

function buildBootstrap(
  { settings, identity }: Surroundings,
  hooks: ServerHooks,
  { common, replica, clock }: { common: Common; replica: Replica; clock: AlarmClock },
): Bootstrap {
  const { storage, machine, raft, driver } = replica;
  const { nowMs } = common;
  return new Bootstrap({
    ...common,
    self: identity.self,
    bootstrapExpect: serversExpected(settings, identity.datacenter),
    isFresh: () => storage.empty,
    isEmpty: () => storage.empty || storage.installing !== null,
    isLost: () => isLost({ raft, nowMs }),
    clusterId: () => machine.ask(clusterId),
    memberAddresses: () => raft.configuration.members.map(({ address }) => address),
    removed: (removal) => {
      if (!isRemoved({ raft, nowMs }, removal)) return;
      // Nobody else has a reason to call a server that is in no group.
      clock.set("raft", nowMs());
      discardState({ ...hooks, ...common, ...replica }, "it was taken out of its group");
    },
    bootstrap: (configuration) => {
      raft.bootstrap(configuration, nowMs());
      driver.run();
    },
  });
}

type Replica = Pick<ServerParts, "storage" | "machine" | "raft" | "driver">;

/** What makes a peer: log, state and the core between them. */
function buildReplica(
  common: Common,
  peer: { id: string; incarnation: number; timing: Timing },
  hooks: ServerHooks,
): Replica {
  const storage = new RaftStorage(common.sql);
  const { datacenter, answerLengthMax } = common;
  const machine = new StateMachine(common.sql, {
    ...{ datacenter, answerLengthMax },
    ...(common.acl && {
      acl: { enabled: true, ...common.acl },
      authorizers: new TokenAuthorizers(),
    }),
  });
  recoverPeers({ ...common, files: common.operatorFiles, storage, machine });
  const raft = wakeRaft({ ...peer, storage, machine, nowMs: common.nowMs() });
  const driver = new RaftDriver({
    ...hooks,
    ...common,
    ...{ raft, storage, machine },
    logBytesMax,
    noticeHoldMs: isQuiescent(peer.timing) ? 0 : noticeHoldMs,
  });
  return { storage, machine, raft, driver };
}

/** Sessions end by requests, and requests renew sessions. */
function buildRequests(
  common: Common,
  replica: Replica & { beginning: AuthorityBeginning },
  clock: AlarmClock,
  lifetime: Lifetime,
): Pick<ServerParts, "requests" | "sessions"> {
  const { machine } = replica;
  const sessions = new SessionTimers({
    ...common,
    arm: (deadlineMs) =>
      deadlineMs === null ? clock.clear("sessions") : clock.set("sessions", deadlineMs),
    expire: async (id) => {
      await requests.writeHere({ id: 0, write: { type: "session.expire", id } });
    },
    ttlMs: (id) => machine.ask((state) => findSessionTtlMs(state, id)),
    sessions: () => machine.ask(listSessionTtls),
    ...lifetime,
  });
  const requests = new ServerRequests({ ...common, ...replica, sessions });
  return { requests, sessions };
}

type Lifetime = Pick<SessionTimerParts, "process" | "outageMs">;

/** How a server notices that it was away. A platform's alarms may be late, but its objects are never away. */
function lifetimeOf({ HOST }: Settings): Lifetime {
  return HOST
    ? { process: HOST.startId, outageMs: hostedOutageMs }
    : { process: null, outageMs: Number.POSITIVE_INFINITY };
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
