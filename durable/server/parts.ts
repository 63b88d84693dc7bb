// How the parts of a server are put together. Each takes what it needs by constructor; what would be a circle
// (timers that write, a driver that reports) goes through the hooks of the object that owns them all.

import { seededRandom } from "../../src/core/lib/random.ts";
import { autopilotDefaults } from "../../src/core/model/autopilot.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { edge, isQuiescent, lan, local, type Timing } from "../../src/core/raft/timing.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import { findSessionTtlMs, listSessionTtls } from "../../src/core/state/tables/session/session.ts";
import { TokenAuthorizers } from "../../src/core/state/tables/acl/resolve.ts";
import { AuthMethods } from "../leader/auth-methods.ts";
import { AclKeeper } from "../leader/acl-keeper.ts";
import { CertificateAuthority } from "../leader/certificate-authority.ts";
import { LeaderDuties } from "../leader/duties.ts";
import { Divergence } from "../leader/divergence.ts";
import { FailedMembers } from "../leader/failed-members.ts";
import { Autopilot } from "../leader/autopilot.ts";
import { Founding } from "../leader/founding.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { Bootstrap } from "../raft/bootstrap.ts";
import type { Replication } from "../datacenters/replication.ts";
import type { LinkServer } from "../link/links.ts";
import { Reconciler } from "../leader/reconciler.ts";
import type { Objects, Platform } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { PoolPeers } from "../presence/pool-peers.ts";
import { NotLeader } from "../raft/outcome.ts";
import { RaftDriver } from "../raft/driver.ts";
import { RaftStorage } from "../raft/storage.ts";
import { buildReplication } from "./abroad.ts";
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
import { ServerRequests } from "./requests.ts";
import { ServersHealth } from "../leader/servers-health.ts";
import { Succession } from "../leader/succession.ts";
import { type SessionTimerParts, SessionTimers } from "../leader/session-timers.ts";
import { ServerTelemetry } from "./telemetry.ts";
import { SnapshotSweeper } from "../leader/snapshot-sweeper.ts";
import { StateSnapshots } from "../raft/snapshots.ts";
import { TombstoneCollector } from "../leader/tombstone-collector.ts";
import {
  edgeNode,
  type PeerAddress,
  serverCount,
  serverIdentity,
  serversExpected,
} from "../platform/topology.ts";

const noticeHoldMs = 2;
const applyWaitMs = 5_000;
/** The log is kept for voters that are away, up to this size (design §3). */
const logBytesMax = 1_000_000_000;
/** A process whose alarm is this late was stopped, or its machine slept. */
const hostedOutageMs = 5_000;

export interface ServerParts {
  clock: AlarmClock;
  storage: RaftStorage;
  machine: StateMachine;
  raft: Raft;
  driver: RaftDriver;
  sessions: SessionTimers;
  requests: ServerRequests;
  group: Group;
  links: LinkServer;
  members: Reconciler;
  autopilot: Autopilot;
  health: ServersHealth;
  bootstrap: Bootstrap;
  authority: CertificateAuthority;
  access: AuthorityAccess;
  auth: AuthAccess;
  replication: Replication;
  duties: LeaderDuties;
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
  const { raft, driver, storage, machine } = replica;
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
  const group = new Group({ ...duties, raft, requests, succession });
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

/** What runs while this server leads. */
function buildDuties(
  { platform, settings, identity }: Surroundings,
  common: Common,
  parts: Replica & {
    beginning: AuthorityBeginning;
    requests: ServerRequests;
    sessions: SessionTimers;
    clock: AlarmClock;
  },
): Pick<
  ServerParts,
  "members" | "autopilot" | "health" | "authority" | "duties" | "replication"
> & {
  authMethods: AuthMethods;
} {
  const watchesPeers = settings.HOST?.timing === "lan";
  const keepers = buildKeepers({ platform, settings, identity }, common, parts);
  const leads = (): boolean => parts.raft.role === "leader";
  const { CONNECT: connect = null } = settings;
  const settled = async (): Promise<void> => {
    const index = await parts.driver.readIndex({ lease: true });
    if (index === null) throw new NotLeader("leadership was lost");
    await parts.driver.waitApplied(index, applyWaitMs);
    await parts.beginning.begun();
  };
  const authority = new CertificateAuthority({ ...common, ...parts, connect, leads, settled });
  const replication = buildReplication({ platform, settings, identity }, common, {
    ...parts,
    leads,
    settled,
  });
  const duties = new LeaderDuties({
    ...common,
    ...parts,
    ...keepers,
    founding: new Founding({
      ...common,
      ...parts,
      configEntries: settings.CONFIG_ENTRIES ?? [],
      clusterId: settings.CONNECT?.clusterId,
      random: () => platform.random(),
    }),
    authority,
    replication,
    tombstones: new TombstoneCollector({ ...common, ...parts, leads }),
    snapshots: new SnapshotSweeper({
      ...common,
      ...parts,
      leads,
      reconcile: () => keepers.members.reconcileAll(),
    }),
    acl: new AclKeeper({
      ...{ ...common, ...parts, leads, uuid: randomUuid, settings: settings.ACL },
    }),
    failed: new FailedMembers({
      ...common,
      ...parts,
      leads,
      isServer: (id) => parts.raft.configuration.members.some((member) => member.id === id),
      forget: (gone) => keepers.members.report(gone),
    }),
    ownServers: () => ownServers(settings, platform.objects, identity.datacenter),
    watchesPeers,
    waitUntil: (work) => platform.waitUntil(work),
  });
  const authMethods = new AuthMethods({
    ...{ ...common, ...parts, settled, outside: platform.outside, uuid: randomUuid },
  });
  return { ...keepers, authority, duties, authMethods, replication };
}

function randomUuid(): string {
  return crypto.randomUUID();
}

/** What keeps the group of servers and the list of members. */
function buildKeepers(
  { platform, settings, identity }: Surroundings,
  common: Common,
  parts: Replica & { requests: ServerRequests },
): Pick<ServerParts, "members" | "autopilot" | "health"> {
  const { datacenter: dc, self } = identity;
  // The agent at the Worker's URL is a member of one datacenter.
  const hasEdge = !settings.HOST && dc === settings.DEFAULT_DC;
  const edge = { ...edgeNode(platform.objects, dc), status: "alive" as const };
  const lasting = hasEdge ? [edge] : [];
  const pools = new PoolPeers(platform.objects, settings, dc);
  const members = new Reconciler({
    ...common,
    ...parts,
    lasting,
    heldAnywhere: (failed) => pools.heldAnywhere(failed),
    roster: () => pools.roster(),
  });
  const watchesPeers = settings.HOST?.timing === "lan";
  const known = { ...common, ...parts, self: self.id };
  const health = new ServersHealth({ ...known, watchesPeers });
  const initial = settings.AUTOPILOT ?? autopilotDefaults;
  const autopilot = new Autopilot({ ...known, members, health, initial });
  return { members, health, autopilot };
}

/** The servers of a process of one's own, as they are meant to be known. */
function ownServers(settings: Settings, objects: Objects, dc: string): PeerAddress[] {
  const count = settings.HOST ? serverCount(settings, dc) : 0;
  return Array.from({ length: count }, (_, n) => serverIdentity(settings, objects, dc, n));
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
