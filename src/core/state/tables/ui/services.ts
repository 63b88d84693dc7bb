// Services in summary: how many instances, on which nodes, how healthy.

import { compileFilter } from "../../../model/filter/filter.ts";
import { instanceState } from "../../../model/instance-state.ts";
import type { InstanceState, StatedCheck } from "../../../model/instance-state.ts";
import { compareText } from "../../../model/json.ts";
import { checkServiceNodeSchema } from "../../../model/schemas.ts";
import { encode } from "../../../model/schema.ts";
import type { KeptRead } from "../../read.ts";
import { nameKey } from "../../rows.ts";
import type { State, View } from "../../state.ts";
import { mayRead, requireRead } from "../../view.ts";
import { Aggregate } from "./aggregate.ts";
import type { ServiceSummary } from "./aggregate.ts";
import {
  gatewayServices,
  mayReadTarget,
  servicesThroughGateway,
} from "../catalog/gateway-reads.ts";
import { gatewayServiceOf } from "../catalog/gateway-rows.ts";
import type { GatewayService } from "../catalog/gateway-rows.ts";
import * as indexes from "../catalog/indexes.ts";
import { encodeInstance, findHealthyInstances } from "../catalog/instances.ts";
import type { HealthyInstance } from "../catalog/instances.ts";
import { serviceIndex, serviceIndexTable } from "../catalog/service-index.ts";
import { nodeOf } from "../catalog/node-rows.ts";
import { checkOf } from "../catalog/check-rows.ts";
import type { CheckRow } from "../catalog/check-rows.ts";
import { serviceOf } from "../catalog/service-rows.ts";
import type { ServiceRow } from "../catalog/service-rows.ts";
import { catalogTopics } from "../catalog/topics.ts";
import { dumpNodes, overviewIndex, overviewTopics } from "./dump.ts";
import { summarySchema } from "./shapes.ts";

/** Every service that has instances. `instances`: with how many of them are in which state. */
export const services: KeptRead<{ filter?: string; instances?: true }> = {
  sees: ["node", "service"],
  topics: () => overviewTopics,
  index: (_args, state) => overviewIndex(state),
  body: ({ filter, instances }, view) => {
    const accepts = filter === undefined ? null : compileFilter(filter, checkServiceNodeSchema);
    const summaries = new Aggregate();
    for (const { row, services: rows, checks } of dumpNodes(view)) {
      const states = instances ? instanceStates(rows, checks) : null;
      for (const serviceRow of rows) {
        const own = checks.filter(
          ({ service_key: key }) => key === "" || key === serviceRow.service_key,
        );
        const instance = { nodeRow: row, serviceRow, checks: own };
        if (accepts && !accepts(JSON.parse(encodeInstance(instance)))) continue;
        summaries.add(instance, states?.get(serviceRow.service_key));
      }
    }
    return encodeSummaries(summaries.all());
  },
};

/** Of all instances on one node, by service key. A sidecar's checks decide about what it stands before, too. */
function instanceStates(
  rows: readonly ServiceRow[],
  checks: readonly CheckRow[],
): Map<string, InstanceState> {
  const byKey = new Map<string, StatedCheck[]>();
  for (const row of checks) {
    const { CheckID } = checkOf(row);
    const of = byKey.get(row.service_key) ?? [];
    byKey.set(row.service_key, of);
    of.push({ CheckID, Status: row.status });
  }
  const sidecars = new Map(
    rows.flatMap((row): [string, string][] => {
      const { Kind, Proxy: proxy } = serviceOf(row);
      const id = Kind === "connect-proxy" ? (proxy.DestinationServiceID ?? "") : "";
      return id === "" ? [] : [[nameKey(id), row.service_key]];
    }),
  );
  return new Map(
    rows.map(({ service_key: key }) => {
      const keys = ["", key, ...(sidecars.has(key) ? [sidecars.get(key) ?? ""] : [])];
      return [key, instanceState(keys.flatMap((one) => byKey.get(one) ?? []))];
    }),
  );
}

/** Services that a gateway leads to, whether they have instances or not. `domains`: zones that names are made in. */
export const gatewayServiceNodes: KeptRead<{ gateway: string; domains: string[] }> = {
  sees: ["node", "service"],
  topics: (args, state) => [
    ...gatewayServices.topics(args, state),
    ...servicesThroughGateway(state, args.gateway).flatMap((row) => {
      const exists = state.table(serviceIndexTable).get(row.service_key) !== undefined;
      const topic = catalogTopics.service(row.service_key);
      return exists ? [topic] : [topic, catalogTopics.extinction];
    }),
  ],
  index: (args, state) => {
    const rows = servicesThroughGateway(state, args.gateway);
    const newest = rows.map((row) => healthIndex(state, row.service_key));
    return Math.max(gatewayServices.index(args, state), ...newest);
  },
  body: ({ gateway, domains }, view) => {
    requireRead(view, "service", gateway);
    const summaries = new Aggregate();
    for (const row of servicesThroughGateway(view, gateway)) {
      if (!mayReadTarget(view, row)) continue;
      const service = gatewayServiceOf(row);
      const instances = instancesBehind(view, service);
      summaries.addAddresses(service.Service.Name, addressesOf(service, view.datacenter, domains));
      for (const instance of instances) summaries.add(instance);
    }
    return encodeSummaries(summaries.all());
  },
};

function instancesBehind(view: View, { Service: service }: GatewayService): HealthyInstance[] {
  return findHealthyInstances(view, service.Name, "name_key").filter(({ nodeRow }) =>
    mayRead(view, () => nodeOf(nodeRow).Node, ""),
  );
}

function healthIndex(state: State, service: string): number {
  return serviceIndex(state, nameKey(service), indexes.health);
}

/** Where clients outside the mesh find a service at an ingress gateway. */
function addressesOf(
  { Service: service, GatewayKind: kind, Port: port, Hosts: hosts }: GatewayService,
  datacenter: string,
  domains: readonly string[],
): string[] {
  if (kind !== "ingress-gateway") return [];
  const names = domains.map((domain) => `${service.Name}.ingress.${datacenter}.${domain}`);
  const asked = hosts ?? [];
  return (asked.length > 0 ? asked : names).map((host) => `${host}:${port}`);
}

function encodeSummaries(summaries: readonly ServiceSummary[]): string {
  const sorted = summaries.toSorted((left, right) => compareText(left.Name, right.Name));
  return `[${sorted.map((summary) => encode(summarySchema, summary)).join(",")}]`;
}
