// What tokens and roles are given: links to policies and roles are resolved, identities held against Consul's rules,
// and what says the same twice is said once.

import type { AclLink, NodeIdentity, ServiceIdentity } from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { State } from "../../state.ts";
import { findPolicy, findRole, policyNamed, roleNamed } from "./rows.ts";
import type { NamedRow } from "./rows.ts";

/** What they are given to, as Consul's texts call it. */
export type Holder = "token" | "role";

export function policyLinks(
  state: State,
  given: AclLink[] | null,
  holder: Holder,
): AclLink[] | null {
  return resolved(given, {
    byId: (id) => found("policy", id, () => findPolicy(state, id)),
    byName: (name) => policyNamed(state, name),
    missingId: (id) =>
      holder === "role" ? `No such policy with ID: ${id}` : `No such ACL policy with ID "${id}"`,
    missingName: (name) => `No such ACL policy with name "${name}"`,
  });
}

export function roleLinks(state: State, given: AclLink[] | null): AclLink[] | null {
  return resolved(given, {
    byId: (id) => found("role", id, () => findRole(state, id)),
    byName: (name) => roleNamed(state, name),
    missingId: (id) => `No such ACL role with ID "${id}"`,
    missingName: (name) => `No such ACL role with name "${name}"`,
  });
}

interface Lookups {
  byId(id: string): NamedRow | undefined;
  byName(name: string): NamedRow | undefined;
  missingId(id: string): string;
  missingName(name: string): string;
}

function resolved(given: AclLink[] | null, lookups: Lookups): AclLink[] | null {
  const links = new Map<string, AclLink>();
  for (const { ID, Name } of given ?? []) {
    const row = ID === "" ? lookups.byName(Name) : lookups.byId(ID);
    if (!row) {
      const missing = ID === "" ? lookups.missingName(Name) : lookups.missingId(ID);
      throw new ServiceError("invalid", missing);
    }
    links.set(row.id, { ID: row.id, Name: row.name });
  }
  return links.size === 0 ? null : [...links.values()];
}

function found(kind: string, id: string, find: () => NamedRow | undefined): NamedRow | undefined {
  try {
    return find();
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    const message = `Error looking up ${kind} for id "${id}": ${failure.message}`;
    throw new ServiceError("invalid", message);
  }
}

/** Links with the names that their objects have now; those whose object is gone are left out. */
export function currentLinks(
  given: AclLink[] | null,
  find: (id: string) => NamedRow | undefined,
): AclLink[] | null {
  const links = (given ?? []).flatMap(({ ID }) => {
    const row = find(ID);
    return row ? [{ ID, Name: row.name }] : [];
  });
  return links.length === 0 ? null : links;
}

const identityName = /^[a-z0-9]([a-z0-9\-_]*[a-z0-9])?$/;
const identityNameLengthMax = 256;

export function serviceIdentities(
  given: ServiceIdentity[] | null,
  holder: Holder,
  isLocal: boolean,
): ServiceIdentity[] | null {
  const byName = new Map<string, ServiceIdentity>();
  for (const { ServiceName: name, Datacenters: datacenters } of given ?? []) {
    if (name === "") {
      refuse(`Service identity is missing the service name field on this ${holder}`);
    }
    const isRestricted = datacenters !== null && datacenters.length > 0;
    if (isLocal && isRestricted) {
      refuse(`Service identity "${name}" cannot specify a list of datacenters on a local token`);
    }
    if (!isIdentityName(name)) {
      const allowed = "Only alphanumeric characters, '-' and '_' are allowed";
      refuse(`Service identity "${name}" has an invalid name. ${allowed}`);
    }
    const known = byName.get(name);
    const all = [...new Set([...(known?.Datacenters ?? []), ...(datacenters ?? [])])].toSorted();
    const isEverywhere = !isRestricted || known?.Datacenters === null;
    byName.set(name, { ServiceName: name, Datacenters: isEverywhere ? null : all });
  }
  const sorted = [...byName.values()].toSorted((a, b) => (a.ServiceName < b.ServiceName ? -1 : 1));
  return sorted.length === 0 ? null : sorted;
}

export function nodeIdentities(
  given: NodeIdentity[] | null,
  holder: Holder,
): NodeIdentity[] | null {
  const known = new Map<string, NodeIdentity>();
  for (const identity of given ?? []) {
    const { NodeName: name, Datacenter: datacenter } = identity;
    if (name === "") refuse(`Node identity is missing the node name field on this ${holder}`);
    if (datacenter === "") {
      refuse(`Node identity is missing the datacenter field on this ${holder}`);
    }
    if (!isIdentityName(name)) {
      const allowed = "Only alphanumeric characters, '-' and '_' are allowed";
      refuse(`Node identity has an invalid name. ${allowed}`);
    }
    known.set(`${name} ${datacenter}`, identity);
  }
  return known.size === 0 ? null : [...known.values()];
}

export function isIdentityName(name: string): boolean {
  return name.length <= identityNameLengthMax && identityName.test(name);
}

export function refuse(message: string): never {
  throw new ServiceError("invalid", message);
}
