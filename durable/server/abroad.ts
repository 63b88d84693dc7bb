// What a server needs to ask the servers of other datacenters.

import { hostPortOf, joinHostPort } from "../../src/core/lib/host-port.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { isLocalToken } from "../../src/core/state/tables/acl/rows.ts";
import type { FarServer } from "../../src/core/model/datacenter.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member } from "../../src/core/raft/types.ts";
import type { State } from "../../src/core/state/state.ts";
import { findNode, nodeOf } from "../../src/core/state/tables/catalog/node-rows.ts";
import { decodeNews, Federation } from "../datacenters/federation.ts";
import type { Settings } from "../platform/settings.ts";
import type { AuthorityParts } from "../leader/authority/parts.ts";
import type { AuthorityQuestion } from "../leader/authority/questions.ts";
import type { CertificateAuthority } from "../leader/authority/certificate-authority.ts";
import { Distances } from "../datacenters/distances.ts";
import { OtherDatacenters } from "../datacenters/other-datacenters.ts";
import { QueryFailover, type QueryFailoverParts } from "../datacenters/query-failover.ts";
import { ServerCalls } from "../datacenters/server-calls.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { primaryOf } from "../platform/topology.ts";
import { deployedDirectory, type Directory, joinedDirectory } from "../datacenters/directory.ts";
import { callDatacenter, callServer, type DatacenterAccess } from "../datacenters/object-calls.ts";
import { Reach } from "../datacenters/reach.ts";
import { Replication } from "../datacenters/replication.ts";
import { ReplicationSource } from "../datacenters/replication-source.ts";
import { Replicator } from "../datacenters/replicator.ts";
import { withTimeout } from "../../src/ports/timers.ts";
import type { Common, Surroundings } from "./common-parts.ts";
import type { ServerRequests } from "./requests.ts";

export function abroad(
  { platform, settings, identity }: Surroundings,
  machine: StateMachine,
): { datacenters: OtherDatacenters; failover: QueryFailover } {
  const { self, datacenter } = identity;
  const directory = directoryOf({ platform, settings, identity }, machine);
  const calls = new ServerCalls({ ...platform, settings }, directory, identity.number);
  const nowMs = (): number => platform.nowMs();
  const datacenters = new OtherDatacenters({
    calls,
    datacenter,
    isLocalToken: (secret) => machine.ask((state) => isLocalToken(state, secret)),
    distances: new Distances({
      ...{ calls, nowMs, self: self.name },
      datacenters: () => directory.datacenters(),
      own: () => machine.read("coordinate.datacenters", {}, { nowMs: nowMs() }).body ?? "[]",
    }),
  });
  const log: QueryFailoverParts["log"] = (level, line) =>
    platform.log(level, `server ${self.name}: ${line}`);
  return { datacenters, failover: new QueryFailover({ datacenters, log }) };
}

/** What makes servers of one's own known to other datacenters. */
function buildFederation(
  { platform, settings, identity }: Surroundings,
  access: DatacenterAccess,
  parts: Omit<ReplicationNeeds, "clock" | "settled"> & { raft: Raft; replication: Replication },
): Federation {
  const { datacenter, self } = identity;
  const { timers, reach } = access;
  const { machine, raft, requests, leads, replication } = parts;
  return new Federation({
    ...{ datacenter, machine, timers, requests, leads },
    primary: primaryOf(settings),
    nowMs: () => platform.nowMs(),
    log: (level, line) => platform.log(level, `server ${self.name}: ${line}`),
    own: () => machine.ask((state) => ownServers(state, raft.configuration.members, settings)),
    write: async (write) => await requests.writeHere({ id: 0, write }),
    tell: async (server, news) => decodeNews(await callServer(reach, server, federatePath, news)),
    tellDatacenter: async (dc, body) => {
      const limits = { patienceMs: 3_000, timeoutMs: 10_000 };
      const call = { path: federatePath, body, ...limits } as const;
      return decodeNews(await callDatacenter(access, dc, call));
    },
    joined: (dc) => {
      if (dc === primaryOf(settings)) platform.waitUntil(replication.begin());
    },
  });
}

const federatePath = "/rpc/federate";

/**
 * Servers as other datacenters reach them: at the address that their nodes have in the WAN. Further servers of this
 * process are behind the port of its first one.
 */
function ownServers(state: State, members: readonly Member[], settings: Settings): FarServer[] {
  const hosted = settings.HOST?.servers ?? [];
  return members.map(({ id, name, address }) => {
    const isHere = hosted.some((server) => server.id === id);
    const near = (isHere && hosted[0]?.address) || address;
    const node = findNode(state, (isHere && hosted[0]?.name) || name);
    const wan = node && nodeOf(node).TaggedAddresses?.["wan"];
    return { id, name, address: wan ? joinHostPort(wan, hostPortOf(near).port) : near };
  });
}

/** Which datacenters a server knows. */
function directoryOf(
  { settings, identity: { datacenter } }: Surroundings,
  machine: StateMachine,
): Directory {
  return settings.HOST
    ? joinedDirectory(settings, datacenter, machine)
    : deployedDirectory(settings, datacenter);
}

/** How a leader reaches other datacenters. */
export function datacenterAccess(
  surroundings: Surroundings,
  machine: StateMachine,
): DatacenterAccess {
  const { platform, settings } = surroundings;
  return {
    directory: directoryOf(surroundings, machine),
    reach: new Reach(platform.objects, settings.SERVER_KEY),
    timers: platform.timers,
  };
}

/** All servers of the primary together; less than a follower waits for its leader, who asks. */
const authorityTimeoutMs = 8_000;

/** Whose roots of certificates this datacenter has, and who may have intermediate ones of it. */
export function authorityRelations(
  { settings, identity }: Surroundings,
  access: DatacenterAccess,
): Pick<AuthorityParts, "primary" | "secondaries"> {
  const name = primaryOf(settings);
  if (name === identity.datacenter) {
    return { primary: null, secondaries: () => access.directory.secondaries() };
  }
  const ask = async (body: AuthorityQuestion): Promise<unknown> => {
    const limits = { patienceMs: 2_500, timeoutMs: authorityTimeoutMs };
    const asking = callDatacenter(access, name, { path: "/rpc/authority", body, ...limits });
    const late = (): Error => new Error(`no answer within ${authorityTimeoutMs} ms`);
    return await withTimeout(access.timers, asking, authorityTimeoutMs, late);
  };
  return { primary: { name, ask }, secondaries: () => [] };
}

/** What a leader does about other datacenters. */
export function buildDatacenters(
  surroundings: Surroundings,
  access: DatacenterAccess,
  common: Pick<Common, "sql" | "warn" | "nowMs">,
  parts: ReplicationNeeds & { raft: Raft },
): { replication: Replication; federation: Federation } {
  const replication = buildReplication(surroundings, access, common, parts);
  const federation = buildFederation(surroundings, access, { ...parts, replication });
  return { replication, federation };
}

/** What copies between datacenters, on whichever side this one is. */
function buildReplication(
  { platform, settings, identity }: Surroundings,
  access: DatacenterAccess,
  common: Pick<Common, "sql" | "warn" | "nowMs">,
  parts: ReplicationNeeds,
): Replication {
  const primary = primaryOf(settings);
  const isPrimary = primary === identity.datacenter;
  const { machine, clock, leads, requests } = parts;
  const shared = { ...common, machine, clock, leads };
  const source = new ReplicationSource({
    ...shared,
    secondaries: () => (isPrimary ? access.directory.secondaries() : []),
    waitUntil: (work) => platform.waitUntil(work),
    tell: async (dc, body) => {
      const path = "/rpc/replication-news";
      await callDatacenter(access, dc, { path, body, patienceMs: 15_000, timeoutMs: 30_000 });
    },
  });
  const replicator = new Replicator({
    ...shared,
    primary,
    hasConnect: settings.CONNECT !== undefined,
    ask: async (body) => {
      const path = "/rpc/replication";
      const limits = { patienceMs: 2_500, timeoutMs: 10_000 };
      return await callDatacenter(access, primary, { path, body, ...limits });
    },
    write: async (write) => await requests.writeHere({ id: 0, write }),
  });
  return new Replication({ ...parts, source, replicator: isPrimary ? null : replicator });
}

interface ReplicationNeeds {
  machine: StateMachine;
  clock: AlarmClock;
  requests: ServerRequests;
  authority: Pick<CertificateAuthority, "follow">;
  leads(): boolean;
  settled(): Promise<void>;
}
