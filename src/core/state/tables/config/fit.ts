// Whether a change of one entry leaves all entries fit each other: discovery chains that it takes part in compile,
// ingress gateways listen with the protocols of their services, no name is a gateway of two kinds. Judged before
// anything is written.

import type {
  ConfigEntry,
  ConfigEntryTypes,
  ConfigKind,
  IngressGateway,
} from "../../../model/config-entry/types.ts";
import { globalProxyName, wildcard } from "../../../model/config-entry/types.ts";
import { servicesOfIngress } from "../../../model/config-entry/gateways.ts";
import { ServiceError } from "../../../model/errors.ts";
import { nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import { compileChain } from "./chain/compile.ts";
import type { EntrySource } from "./chain/source.ts";
import { entryOf, findEntry, findRow, linkedTo, listRows } from "./entries.ts";

/** An entry as it will be; `entry` null: gone. */
export interface Proposal {
  kind: ConfigKind;
  name: string;
  entry: ConfigEntryTypes[ConfigKind] | null;
}

/** Kinds whose entries are part of discovery chains. */
const chainKinds = ["service-resolver", "service-router", "service-splitter"] as const;
/** Chains are tried out for a datacenter and a trust domain that do not matter. */
const triedOut = {
  datacenter: "dc1",
  usedIn: "dc1",
  trustDomain: "b6fc9da3-03d4-4b5a-9134-c045e9b20152.consul",
  meshGateway: "",
  protocol: "",
  connectTimeoutNs: 0,
} as const;

/** Throws ServiceError `invalid` with Consul's reason unless the change may be made. */
export function requireFit(state: State, proposal: Proposal): void {
  refuseSecondGateway(state, proposal);
  const { chains, ingresses } = affectedBy(state, proposal);
  const entries = proposedEntries(state, proposal);
  const protocols = new Map<string, string>();
  for (const ingress of ingresses) for (const name of servicesOfIngress(ingress)) chains.add(name);
  for (const service of chains) {
    protocols.set(service, compileChain({ ...triedOut, service }, entries).Protocol);
  }
  // A service may get another protocol behind a listener that only passes bytes on.
  const excepted = proposal.kind === "ingress-gateway" ? null : "tcp";
  for (const ingress of ingresses) requireProtocols(ingress, protocols, excepted);
  if (proposal.entry?.Name === "") {
    throw new ServiceError(
      "invalid",
      "failed inserting config entry: object missing primary index",
    );
  }
}

/** What is there once the change is made. */
function proposedEntries(state: State, { kind: proposed, name, entry }: Proposal): EntrySource {
  return {
    find<Kind extends ConfigKind>(kind: Kind, wanted: string): ConfigEntryTypes[Kind] | null {
      if (kind === (proposed as string) && nameKey(wanted) === nameKey(name)) {
        return entry as ConfigEntryTypes[Kind] | null;
      }
      return findEntry(state, kind, wanted);
    },
  };
}

/** Chains and ingress gateways that the entry takes part in, by name. */
function affectedBy(
  state: State,
  { kind, name, entry }: Proposal,
): { chains: Set<string>; ingresses: IngressGateway[] } {
  if (kind === "ingress-gateway") {
    return { chains: new Set(), ingresses: entry ? [entry as IngressGateway] : [] };
  }
  const touched = kind === "proxy-defaults" ? everyEntry(state, name) : linkedTo(state, name);
  const chains = new Set(kind === "proxy-defaults" ? [] : [name]);
  const ingresses: IngressGateway[] = [];
  for (const { kind: other, row } of touched) {
    const entryThere = entryOf(row);
    if (other === "ingress-gateway") ingresses.push(entryThere as IngressGateway);
    else chains.add(entryThere.Name);
  }
  return { chains, ingresses };
}

/** What the defaults of all proxies may change. */
function everyEntry(state: State, name: string): ReturnType<typeof linkedTo> {
  if (name !== globalProxyName) return [];
  return [...chainKinds, "ingress-gateway" as const].flatMap((kind) =>
    listRows(state, kind).map((row) => ({ kind, row })),
  );
}

function requireProtocols(
  ingress: IngressGateway,
  protocols: ReadonlyMap<string, string>,
  excepted: string | null,
): void {
  for (const { Protocol: expected, Services: services } of ingress.Listeners ?? []) {
    if (expected === excepted) continue;
    for (const { Name: name } of services ?? []) {
      const protocol = protocols.get(name);
      if (name === wildcard || protocol === expected) continue;
      const found = `has protocol ${JSON.stringify(protocol)}`;
      const wanted = `does not match defined listener protocol ${JSON.stringify(expected)}`;
      throw new ServiceError(
        "invalid",
        `service ${JSON.stringify(name)} ${found}, which ${wanted}`,
      );
    }
  }
}

const otherGateway: Partial<Record<ConfigKind, ConfigEntry["kind"]>> = {
  "ingress-gateway": "terminating-gateway",
  "terminating-gateway": "ingress-gateway",
};

function refuseSecondGateway(state: State, { kind, name }: Proposal): void {
  const other = otherGateway[kind];
  if (!other || !findRow(state, other, name)) return;
  const what = `a ${JSON.stringify(kind)} config entry with name ${JSON.stringify(name)}`;
  const there = `a ${JSON.stringify(other)} config entry with that name already exists`;
  throw new ServiceError("invalid", `cannot create ${what}, ${there}`);
}
