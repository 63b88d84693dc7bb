// The answering end of links, put together.

import type { Raft } from "../../src/core/raft/raft.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { countNodes } from "../../src/core/state/tables/catalog/node-rows.ts";
import { PrimaryWrites } from "../datacenters/primary-writes.ts";
import { LinkServer } from "../link/links.ts";
import { primaryOf } from "../platform/topology.ts";
import { abroad } from "./abroad.ts";
import type { AuthAccess } from "./auth-access.ts";
import type { AuthorityAccess } from "./authority-access.ts";
import type { Common, ServerHooks, Surroundings } from "./common-parts.ts";
import { fireEvent } from "./fire-event.ts";
import type { Group } from "./group.ts";
import type { ServerRequests } from "./requests.ts";
import { SavedStates } from "./saved-states.ts";

const reconnectSpreadMs = { hosted: 0, deployed: 5_000 };

interface LinkNeeds {
  common: Common;
  raft: Raft;
  machine: StateMachine;
  requests: ServerRequests;
  group: Group;
  access: AuthorityAccess;
  auth: AuthAccess;
  incarnation: number;
}

export function buildLinks(
  { platform, settings, identity }: Surroundings,
  hooks: Pick<ServerHooks, "status">,
  { common, raft, machine, requests, group, access, auth, incarnation }: LinkNeeds,
): LinkServer {
  const { telemetry } = common;
  const others = abroad({ platform, settings, identity }, machine);
  const primary = primaryOf(settings);
  const isPrimary = primary === identity.datacenter;
  return new LinkServer({
    sockets: platform.sockets,
    timers: platform.timers,
    requests,
    group,
    authority: access,
    auth,
    savedStates: new SavedStates({
      ...{ machine, requests, timers: platform.timers },
      knownLeader: () => raft.leader !== null,
      raft: () => hooks.status().raft,
    }),
    ...others,
    primary: new PrimaryWrites({
      ...others,
      machine,
      requests,
      primary: isPrimary ? null : primary,
      hasConnect: settings.CONNECT !== undefined,
    }),
    fire: (event) => fireEvent({ ...common, objects: platform.objects }, event),
    incarnation,
    serverName: () => identity.self.name,
    servers: () => (settings.HOST?.timing === "lan" ? hooks.status().peers : []),
    knownLeader: () => raft.leader !== null,
    asked: (asked) => telemetry.asked(asked),
    clusterStatus: (metrics) => ({
      ...hooks.status(),
      nodes: machine.ask(countNodes),
      ...(metrics !== undefined && { metrics: telemetry.tell(metrics) }),
    }),
    reconnectSpreadMs: settings.HOST ? reconnectSpreadMs.hosted : reconnectSpreadMs.deployed,
  });
}
