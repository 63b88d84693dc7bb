// What a server needs to ask the servers of other datacenters.

import type { StateMachine } from "../../src/core/state/machine.ts";
import { isLocalToken } from "../../src/core/state/tables/acl/rows.ts";
import { Distances } from "../datacenters/distances.ts";
import { OtherDatacenters } from "../datacenters/other-datacenters.ts";
import { QueryFailover, type QueryFailoverParts } from "../datacenters/query-failover.ts";
import { ServerCalls } from "../datacenters/server-calls.ts";
import { datacentersKnown } from "../platform/topology.ts";
import type { Surroundings } from "./common-parts.ts";

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
