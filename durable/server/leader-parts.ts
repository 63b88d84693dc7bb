// What runs while a server leads, wired together.

import type { Replication } from "../datacenters/replication.ts";
import type { Federation } from "../datacenters/federation.ts";
import { authorityRelations, buildDatacenters, datacenterAccess } from "./abroad.ts";
import { reconnectTimeoutMs } from "../../src/core/gossip/liveness.ts";
import { autopilotDefaults } from "../../src/core/model/autopilot.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import { AuthMethods } from "../leader/auth-methods.ts";
import { AclKeeper } from "../leader/acl-keeper.ts";
import { CertificateAuthority } from "../leader/authority/certificate-authority.ts";
import { LeaderDuties } from "../leader/duties.ts";
import { FailedMembers } from "../leader/failed-members.ts";
import { Autopilot } from "../leader/autopilot.ts";
import { Founding } from "../leader/founding.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { Reconciler } from "../leader/reconciler.ts";
import type { Objects } from "../platform/platform.ts";
import { aclOf, type Settings } from "../platform/settings.ts";
import { PoolPeers } from "../presence/pool-peers.ts";
import { NotLeader } from "../raft/outcome.ts";
import { RaftDriver } from "../raft/driver.ts";
import { RaftStorage } from "../raft/storage.ts";
import { AuthorityBeginning } from "./authority-beginning.ts";
import { type Common, type Surroundings } from "./common-parts.ts";
import { ServerRequests } from "./requests.ts";
import { ServersHealth } from "../leader/servers-health.ts";
import { SessionTimers } from "../leader/session-timers.ts";
import { SnapshotSweeper } from "../leader/snapshot-sweeper.ts";
import { TombstoneCollector } from "../leader/tombstone-collector.ts";
import { edgeNode, type PeerAddress, serverCount, serverIdentity } from "../platform/topology.ts";

const applyWaitMs = 5_000;

export interface LeaderParts {
  members: Reconciler;
  autopilot: Autopilot;
  health: ServersHealth;
  authority: CertificateAuthority;
  duties: LeaderDuties;
  replication: Replication;
  federation: Federation;
  authMethods: AuthMethods;
}

/** A server's part of the group, as far as a leader needs it. */
interface Replica {
  storage: RaftStorage;
  machine: StateMachine;
  raft: Raft;
  driver: RaftDriver;
}

/** What runs while this server leads. */
export function buildDuties(
  { platform, settings, identity }: Surroundings,
  common: Common,
  parts: Replica & {
    beginning: AuthorityBeginning;
    requests: ServerRequests;
    sessions: SessionTimers;
    clock: AlarmClock;
  },
): LeaderParts {
  const watchesPeers = settings.HOST?.timing === "lan";
  const surroundings = { platform, settings, identity };
  const keepers = buildKeepers(surroundings, common, parts);
  const leads = (): boolean => parts.raft.role === "leader";
  const uuid = (): string => crypto.randomUUID();
  const settled = async (): Promise<void> => {
    const index = await parts.driver.readIndex({ lease: true });
    if (index === null) throw new NotLeader("leadership was lost");
    await parts.driver.waitApplied(index, applyWaitMs);
    await parts.beginning.begun();
  };
  const abroad = buildAbroad(surroundings, common, { ...parts, leads, settled });
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
    ...abroad,
    tombstones: new TombstoneCollector({ ...common, ...parts, leads }),
    snapshots: new SnapshotSweeper({
      ...common,
      ...parts,
      leads,
      reconcile: () => keepers.members.reconcileAll(),
    }),
    acl: new AclKeeper({
      ...common,
      ...parts,
      ...{ leads, uuid, settings: aclOf(settings) },
      evict: (bearers) => evict({ platform, settings, identity }, common, bearers),
    }),
    failed: new FailedMembers({
      ...common,
      ...parts,
      leads,
      reconnectTimeoutMs: settings.RECONNECT_TIMEOUT_MS ?? reconnectTimeoutMs,
      isServer: (id) => parts.raft.configuration.members.some((member) => member.id === id),
      forget: (gone) => keepers.members.report(gone),
    }),
    ownServers: () => ownServers(settings, platform.objects, identity.datacenter),
    watchesPeers,
    waitUntil: (work) => platform.waitUntil(work),
  });
  const { outside } = platform;
  const authMethods = new AuthMethods({ ...common, ...parts, outside, settled, uuid });
  return { ...keepers, ...abroad, duties, authMethods };
}

/** What other datacenters have to do with: copies of theirs, and certificates that count in all of them. */
function buildAbroad(
  { platform, settings, identity }: Surroundings,
  common: Common,
  parts: Replica & {
    requests: ServerRequests;
    clock: AlarmClock;
    leads(): boolean;
    settled(): Promise<void>;
  },
): Pick<LeaderParts, "authority" | "replication" | "federation"> {
  const surroundings = { platform, settings, identity };
  const access = datacenterAccess(surroundings, parts.machine);
  const authority = new CertificateAuthority({
    ...{ ...common, ...parts, connect: settings.CONNECT ?? null },
    ...authorityRelations(surroundings, access),
    log: (level, line) => platform.log(level, `server ${identity.self.name}: ${line}`),
  });
  const known = { ...parts, authority };
  return { authority, ...buildDatacenters(surroundings, access, common, known) };
}

/** Tells pools that tokens have ended; hosts of one's own show none to theirs. */
function evict(
  { platform, settings, identity }: Surroundings,
  { warn }: Common,
  bearers: readonly string[],
): void {
  if (settings.HOST) return;
  const pools = new PoolPeers(platform.objects, settings, identity.datacenter);
  const told = pools.evict(bearers).catch((failure: unknown) => {
    warn(`a pool was not told of tokens that ended: ${String(failure)}`);
  });
  platform.waitUntil(told);
}

/** What keeps the group of servers and the list of members. */
function buildKeepers(
  { platform, settings, identity }: Surroundings,
  common: Common,
  parts: Replica & { requests: ServerRequests },
): Pick<LeaderParts, "members" | "autopilot" | "health"> {
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
