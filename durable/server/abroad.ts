// What a server needs to ask the servers of other datacenters.

import type { StateMachine } from "../../src/core/state/machine.ts";
import { isLocalToken } from "../../src/core/state/tables/acl/rows.ts";
import { Distances } from "../datacenters/distances.ts";
import { OtherDatacenters } from "../datacenters/other-datacenters.ts";
import { QueryFailover, type QueryFailoverParts } from "../datacenters/query-failover.ts";
import { ServerCalls } from "../datacenters/server-calls.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { datacentersKnown, primaryOf } from "../platform/topology.ts";
import { callDatacenter } from "../datacenters/object-calls.ts";
import { Replication } from "../datacenters/replication.ts";
import { ReplicationSource } from "../datacenters/replication-source.ts";
import { Replicator } from "../datacenters/replicator.ts";
import type { Common, Surroundings } from "./common-parts.ts";
import type { ServerRequests } from "./requests.ts";

export function abroad(
  { platform, settings, identity }: Surroundings,
  machine: StateMachine,
): { datacenters: OtherDatacenters; failover: QueryFailover } {
  const { self, datacenter } = identity;
  const calls = new ServerCalls({ ...platform, settings }, identity.number);
  const nowMs = (): number => platform.nowMs();
  const datacenters = new OtherDatacenters({
    calls,
    datacenter,
    isLocalToken: (secret) => machine.ask((state) => isLocalToken(state, secret)),
    distances: new Distances({
      ...{ calls, nowMs, self: self.name },
      datacenters: datacentersKnown(settings, datacenter),
      own: () => machine.read("coordinate.datacenters", {}, { nowMs: nowMs() }).body ?? "[]",
    }),
  });
  const log: QueryFailoverParts["log"] = (level, line) =>
    platform.log(level, `server ${self.name}: ${line}`);
  return { datacenters, failover: new QueryFailover({ datacenters, log }) };
}

/** What copies between datacenters, on whichever side this one is. */
export function buildReplication(
  { platform, settings, identity }: Surroundings,
  common: Pick<Common, "sql" | "warn" | "nowMs">,
  parts: ReplicationNeeds,
): Replication {
  const { datacenter } = identity;
  const access = { ...platform, settings };
  const primary = primaryOf(settings);
  const isPrimary = primary === datacenter;
  const { machine, clock, leads, requests } = parts;
  const shared = { ...common, machine, clock, leads };
  const source = new ReplicationSource({
    ...shared,
    secondaries: isPrimary ? datacentersKnown(settings, datacenter).slice(1) : [],
    waitUntil: (work) => platform.waitUntil(work),
    tell: async (dc, body) => {
      const path = "/rpc/replication-news";
      await callDatacenter(access, dc, { path, body, patienceMs: 15_000, timeoutMs: 30_000 });
    },
  });
  const replicator = new Replicator({
    ...shared,
    primary,
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
  leads(): boolean;
  settled(): Promise<void>;
}
