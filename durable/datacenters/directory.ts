// Which datacenters can be asked from here, and at which servers. Those of a deployment are objects, and known from
// its settings. Servers of one's own learn of others when they are joined over the WAN (federation.ts).

import type { StateMachine } from "../../src/core/state/machine.ts";
import { findDatacenter, joinedDatacenters } from "../../src/core/state/tables/federation/rows.ts";
import type { ObjectAddress } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { serverCount, serverObject } from "../platform/topology.ts";

/** A server, as whoever asks reaches it: an object of this deployment, or `ip:port` of another host. */
export type ServerTarget = { object: ObjectAddress } | { address: string };

/** Names a target among all. */
export function keyOf(target: ServerTarget): string {
  return "object" in target ? target.object.name : target.address;
}

export interface Directory {
  /** The own datacenter first, then the others by name. */
  datacenters(): string[];
  /** Empty for a datacenter that cannot be reached from here. */
  servers(dc: string): ServerTarget[];
  /** Those of the others that copy what the own one decides, where that one is their primary. */
  secondaries(): string[];
}

/** The datacenters of a deployment, seen from `own`. */
export function deployedDirectory(settings: Settings, own: string): Directory {
  const servers = (dc: string): ServerTarget[] => objectsOf(settings, dc);
  const others = (): string[] => {
    const names = Object.keys(settings.DATACENTERS).filter((dc) => dc !== own);
    return names.filter((dc) => servers(dc).length > 0).toSorted();
  };
  return { servers, datacenters: () => [own, ...others()], secondaries: others };
}

/** What the servers of a host know. */
export function joinedDirectory(
  settings: Settings,
  own: string,
  machine: Pick<StateMachine, "ask">,
): Directory {
  return {
    servers: (dc) => {
      if (dc === own) return objectsOf(settings, dc);
      const found = machine.ask((state) => findDatacenter(state, dc));
      return (found?.servers ?? []).map(({ address }) => ({ address }));
    },
    datacenters: () => {
      const names = machine.ask(joinedDatacenters).map(({ name }) => name);
      return [own, ...names.filter((name) => name !== own)];
    },
    secondaries: () =>
      machine
        .ask(joinedDatacenters)
        .filter(({ name, primary }) => name !== own && primary === own)
        .map(({ name }) => name),
  };
}

function objectsOf(settings: Settings, dc: string): ServerTarget[] {
  const count = serverCount(settings, dc);
  return Array.from({ length: count }, (_, n) => ({ object: serverObject(dc, n) }));
}
