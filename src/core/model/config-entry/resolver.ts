// What makes a `service-resolver` entry acceptable.

import { formatDuration } from "../duration.ts";
import { sortedKeys } from "../json.ts";
import { wildcard } from "./types.ts";
import type { ResolverFailover, ServiceResolver } from "./types.ts";

const subsetCharactersMax = 63;

/** Why the entry is refused; null when it is fine. */
export function resolverProblem(entry: ServiceResolver): string | null {
  const { DefaultSubset: chosen, ConnectTimeout: timeout } = entry;
  return (
    subsetsProblem(entry) ??
    (chosen !== "" && !hasSubset(entry, chosen)
      ? `DefaultSubset ${quote(chosen)} is not a valid subset`
      : null) ??
    redirectProblem(entry) ??
    failoversProblem(entry) ??
    (timeout < 0 ? `Bad ConnectTimeout '${formatDuration(timeout)}', must be >= 0` : null)
  );
}

/** Whether the entry says nothing but its name. */
export function isDefaultResolver(entry: ServiceResolver): boolean {
  return (
    entry.DefaultSubset === "" &&
    isEmpty(entry.Subsets) &&
    entry.Redirect === null &&
    isEmpty(entry.Failover) &&
    entry.ConnectTimeout === 0
  );
}

export function hasSubset({ Subsets: subsets }: ServiceResolver, name: string): boolean {
  return subsets !== null && Object.hasOwn(subsets, name);
}

function subsetsProblem({ Subsets: subsets }: ServiceResolver): string | null {
  for (const name of sortedKeys(subsets ?? {})) {
    if (name === "") return "Subset defined with empty name";
    const reason = subsetNameProblem(name);
    if (reason !== null) return `Subset ${quote(name)} is invalid: ${reason}`;
  }
  return null;
}

/** Subsets are labels of the names that servers show in TLS. */
function subsetNameProblem(name: string): string | null {
  if (new TextEncoder().encode(name).length > subsetCharactersMax) {
    return `must be non-empty and ${subsetCharactersMax} characters or fewer`;
  }
  if (/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name)) return null;
  return (
    `must be ${subsetCharactersMax} characters or fewer, begin or end with lower case ` +
    "alphanumeric characters, and contain lower case alphanumeric characters or '-' in between"
  );
}

function redirectProblem(entry: ServiceResolver): string | null {
  const { Redirect: redirect } = entry;
  if (!redirect) return null;
  if (!isEmpty(entry.Failover)) return "Redirect and Failover cannot both be set";
  const { Service: service, ServiceSubset: subset, Namespace: namespace } = redirect;
  if (service + subset + namespace + redirect.Datacenter === "") return "Redirect is empty";
  if (service === "") {
    if (subset !== "") return "Redirect.ServiceSubset defined without Redirect.Service";
    return namespace === "" ? null : "Redirect.Namespace defined without Redirect.Service";
  }
  if (service === entry.Name && subset !== "" && !hasSubset(entry, subset)) {
    return `Redirect.ServiceSubset ${quote(subset)} is not a valid subset of ${quote(service)}`;
  }
  return null;
}

function failoversProblem(entry: ServiceResolver): string | null {
  for (const subset of sortedKeys(entry.Failover ?? {})) {
    const failover = entry.Failover?.[subset];
    const reason = failover && failoverProblem(entry, subset, failover);
    if (reason) return `Bad Failover[${quote(subset)}]${reason}`;
  }
  return null;
}

function failoverProblem(
  entry: ServiceResolver,
  subset: string,
  failover: ResolverFailover,
): string | null {
  if (subset !== wildcard && !hasSubset(entry, subset)) return ": not a valid subset";
  const { Service: service, ServiceSubset: wanted, Namespace: namespace } = failover;
  const datacenters = failover.Datacenters ?? [];
  if (service + wanted + namespace === "" && datacenters.length === 0) {
    return " one of Service, ServiceSubset, Namespace, or Datacenters is required";
  }
  const isOwn = service === "" || service === entry.Name;
  if (wanted !== "" && isOwn && !hasSubset(entry, wanted)) {
    return `.ServiceSubset ${quote(wanted)} is not a valid subset of ${quote(service)}`;
  }
  return datacenters.includes("") ? ".Datacenters: found empty datacenter" : null;
}

export function servicesOfResolver(entry: ServiceResolver): string[] {
  const failovers = Object.values(entry.Failover ?? {});
  const named = [entry.Redirect?.Service ?? "", ...failovers.map(({ Service: name }) => name)];
  return named.filter((service) => service !== "");
}

function isEmpty(map: Record<string, unknown> | null): boolean {
  return map === null || Object.keys(map).length === 0;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
