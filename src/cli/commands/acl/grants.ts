// What flags grant a token or a role: policies, roles, and identities of services and nodes.

import type { Api } from "../../api.ts";
import { Failure, failing } from "../../command.ts";
import { type FlagTable, type FlagValues, listFlag } from "../../flags.ts";
import { policyId, roleId } from "./find.ts";
import type { Link, NodeIdentity, ServiceIdentity } from "./types.ts";

const several = "May be given several times.";

export const grantFlags = {
  "node-identity": listFlag(`The identity of a node, as NODENAME:DATACENTER. ${several}`),
  "policy-id": listFlag(`A policy by its ID, or the beginning of one. ${several}`),
  "policy-name": listFlag(`A policy by its name. ${several}`),
  "service-identity": listFlag(
    "The identity of a service, as SERVICENAME or as SERVICENAME:DATACENTER1,DATACENTER2. " +
      several,
  ),
} satisfies FlagTable;

export const roleFlags = {
  "role-id": listFlag(`A role by its ID, or the beginning of one. ${several}`),
  "role-name": listFlag(`A role by its name. ${several}`),
} satisfies FlagTable;

type Given = FlagValues<typeof grantFlags>;

export function grantsNothing(given: Given & Partial<FlagValues<typeof roleFlags>>): boolean {
  const lists = [...Object.keys(grantFlags), ...Object.keys(roleFlags)] as (keyof typeof given)[];
  return lists.every((name) => (given[name] ?? []).length === 0);
}

function serviceIdentities(given: Given): ServiceIdentity[] {
  return given["service-identity"].map((text) => {
    const [name = "", datacenters, ...more] = text.split(":");
    if (more.length > 0) {
      throw new Failure(`Malformed -service-identity argument: ${JSON.stringify(text)}`);
    }
    return datacenters === undefined
      ? { ServiceName: name }
      : { ServiceName: name, Datacenters: datacenters.split(",") };
  });
}

function nodeIdentities(given: Given): NodeIdentity[] {
  return given["node-identity"].map((text) => {
    const [name = "", datacenter, ...more] = text.split(":");
    if (datacenter === undefined || more.length > 0) {
      throw new Failure(`Malformed -node-identity argument: ${JSON.stringify(text)}`);
    }
    return { NodeName: name, Datacenter: datacenter };
  });
}

/** Throws Failure, as the following. */
export function identities(given: Given) {
  return {
    ServiceIdentities: serviceIdentities(given),
    NodeIdentities: nodeIdentities(given),
  };
}

export async function policyLinks(api: Api, given: Given): Promise<Partial<Link>[]> {
  return await links(
    given["policy-name"],
    given["policy-id"],
    async (id) =>
      // Consul names no ID here.
      await policyId(api, id).catch(failing("Error resolving policy ID ")),
  );
}

export async function roleLinks(
  api: Api,
  given: FlagValues<typeof roleFlags>,
): Promise<Partial<Link>[]> {
  return await links(
    given["role-name"],
    given["role-id"],
    async (id) => await roleId(api, id).catch(failing("Error resolving role ID ")),
  );
}

async function links(
  names: readonly string[],
  ids: readonly string[],
  whole: (id: string) => Promise<string>,
): Promise<Partial<Link>[]> {
  const found: Partial<Link>[] = names.map((name) => ({ Name: name }));
  for (const id of ids) found.push({ ID: await whole(id) });
  return found;
}

/** What is new behind what was there; of two that are the same the first counts. */
export function merged<One>(
  before: readonly One[] | null | undefined,
  added: readonly One[],
  isSame: (a: One, b: One) => boolean,
): One[] {
  const result = [...(before ?? [])];
  for (const one of added) if (!result.some((known) => isSame(known, one))) result.push(one);
  return result;
}

export function isSameLink(a: Partial<Link>, b: Partial<Link>): boolean {
  return b.ID === undefined ? a.Name === b.Name : a.ID === b.ID;
}

export function isSameService(a: ServiceIdentity, b: ServiceIdentity): boolean {
  return a.ServiceName === b.ServiceName;
}

export function isSameNode(a: NodeIdentity, b: NodeIdentity): boolean {
  return a.NodeName === b.NodeName && a.Datacenter === b.Datacenter;
}
