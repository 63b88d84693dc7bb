// Counts instances into one summary for each service.

import type { InstanceState } from "../../../model/instance-state.ts";
import { compareText } from "../../../model/json.ts";
import type { HealthyInstance } from "../catalog/instances.ts";
import { nodeOf } from "../catalog/node-rows.ts";
import { serviceOf } from "../catalog/service-rows.ts";

/** Metadata by which an instance says who registered it. */
const externalSource = "external-source";

export interface ServiceSummary {
  Kind: string;
  Name: string;
  Tags: string[] | null;
  /** One for each instance. */
  Nodes: string[] | null;
  InstanceCount: number;
  ProxyFor: string[] | null;
  ChecksPassing: number;
  ChecksWarning: number;
  ChecksCritical: number;
  ExternalSources: string[] | null;
  GatewayConfig: { Addresses: string[] | null };
  /** Of instances, where they were counted; else 0. */
  InstancesPassing: number;
  InstancesWarning: number;
  InstancesCritical: number;
  InstancesMaintenance: number;
}

interface Counted {
  kind: string;
  tags: Set<string>;
  nodes: string[];
  proxyFor: Set<string>;
  statuses: Map<string, number>;
  instances: Record<InstanceState, number>;
  sources: Set<string>;
  addresses: Set<string>;
}

export class Aggregate {
  readonly #services = new Map<string, Counted>();

  /** `state`: of the instance, where instances are to be counted. */
  add({ nodeRow, serviceRow, checks }: HealthyInstance, state?: InstanceState): void {
    const {
      Kind = "",
      Service: name,
      Tags: tags,
      Meta: meta,
      Proxy: proxy,
    } = serviceOf(serviceRow);
    const counted = this.#of(name);
    counted.kind = Kind;
    counted.nodes.push(nodeOf(nodeRow).Node);
    for (const tag of tags ?? []) counted.tags.add(tag);
    if (Kind === "connect-proxy") counted.proxyFor.add(proxy.DestinationServiceName);
    if (state !== undefined) counted.instances[state] += 1;
    const source = meta?.[externalSource];
    if (source) counted.sources.add(source);
    for (const { status } of checks) {
      counted.statuses.set(status, (counted.statuses.get(status) ?? 0) + 1);
    }
  }

  /** Addresses of a service at a gateway; the service need not have instances. */
  addAddresses(name: string, addresses: readonly string[]): void {
    const counted = this.#of(name);
    for (const address of addresses) counted.addresses.add(address);
  }

  all(): ServiceSummary[] {
    return [...this.#services].map(([name, counted]) => summaryOf(name, counted));
  }

  #of(name: string): Counted {
    const known = this.#services.get(name);
    if (known) return known;
    const counted: Counted = {
      kind: "",
      tags: new Set(),
      nodes: [],
      proxyFor: new Set(),
      statuses: new Map(),
      instances: { passing: 0, warning: 0, critical: 0, maintenance: 0 },
      sources: new Set(),
      addresses: new Set(),
    };
    this.#services.set(name, counted);
    return counted;
  }
}

function summaryOf(name: string, counted: Counted): ServiceSummary {
  const { statuses, instances } = counted;
  return {
    Kind: counted.kind,
    Name: name,
    Tags: orNull([...counted.tags].toSorted(compareText)),
    Nodes: orNull(counted.nodes.toSorted(compareText)),
    InstanceCount: counted.nodes.length,
    ProxyFor: orNull([...counted.proxyFor]),
    ChecksPassing: statuses.get("passing") ?? 0,
    ChecksWarning: statuses.get("warning") ?? 0,
    ChecksCritical: statuses.get("critical") ?? 0,
    ExternalSources: orNull([...counted.sources]),
    GatewayConfig: { Addresses: orNull([...counted.addresses]) },
    InstancesPassing: instances.passing,
    InstancesWarning: instances.warning,
    InstancesCritical: instances.critical,
    InstancesMaintenance: instances.maintenance,
  };
}

/** Go's empty list that nothing was added to. */
function orNull(texts: string[]): string[] | null {
  return texts.length === 0 ? null : texts;
}
