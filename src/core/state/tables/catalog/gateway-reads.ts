// The reads about gateways: what they lead to, and who leads to a service.

import type { KeptRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import type { State, View } from "../../state.ts";
import { mayReadService, requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { protocolOf } from "../config/chain/protocol.ts";
import { configIndex } from "../config/entries.ts";
import { watchedEntries } from "../config/watched-entries.ts";
import {
  encodeGatewayRow,
  gatewayServiceOf,
  gatewayServicesIndex,
  gatewaysOf,
  servicesOfGateway,
} from "./gateway-rows.ts";
import type { GatewayKind, GatewayRow } from "./gateway-rows.ts";
import * as indexes from "./indexes.ts";
import { serviceIndex, serviceIndexTable } from "./service-index.ts";
import { instancesOf } from "./service-rows.ts";
import { catalogTopics } from "./topics.ts";

/** Services that a gateway leads to; those of no protocol it listens for are left out. `null` when there are none. */
export const gatewayServices: KeptRead<{ gateway: string }> = {
  sees: ["node", "service"],
  topics: ({ gateway }, state) => {
    const topics = new Set<Topic>([catalogTopics.gateway(nameKey(gateway))]);
    matching(state, gateway, topics);
    return [...topics];
  },
  index: ({ gateway }, state) => {
    const dependsOnEntries = servicesOfGateway(state, gateway).some(isJudged);
    const own = state.meta.index(gatewayServicesIndex);
    return dependsOnEntries ? Math.max(own, state.meta.index(configIndex)) : own;
  },
  body: ({ gateway }, view) => {
    requireRead(view, "service", gateway);
    const rows = servicesThroughGateway(view, gateway).filter((row) => mayReadTarget(view, row));
    return rows.length === 0 ? "null" : list(rows.map(encodeGatewayRow));
  },
};

/** What a gateway leads to now. */
export function servicesThroughGateway(state: State, gateway: string): GatewayRow[] {
  return matching(state, gateway, new Set());
}

/** What a gateway leads to, as far as protocols fit; adds the entries that decide about it to `topics`. */
function matching(state: State, gateway: string, topics: Set<Topic>): GatewayRow[] {
  const entries = watchedEntries(state, topics);
  return servicesOfGateway(state, gateway).filter((row) => {
    if (!isJudged(row)) return true;
    const { Service: service, Protocol: protocol } = gatewayServiceOf(row);
    return protocolOf(entries, service.Name) === protocol;
  });
}

/** An entry that names every service means those that speak its listener's protocol. */
function isJudged(row: GatewayRow): boolean {
  return row.from_wildcard === 1 && row.kind === "ingress-gateway";
}

/** Whether the bearer may see what a row leads to. */
export function mayReadTarget(view: View, row: GatewayRow): boolean {
  return mayReadService(view, gatewayServiceOf(row).Service.Name);
}

/** Names of the gateways of a kind that lead to a service, each once. */
export function gatewayNames(state: State, service: string, kind: GatewayKind): string[] {
  return [...new Set(gatewaysOf(state, service, kind).map((row) => row.gateway_key))];
}

/** Newest index of the rows and of the gateways that lead to a service; 0 when none does. */
export function gatewayIndex(state: State, service: string, kind: GatewayKind): number {
  const newest = gatewaysOf(state, service, kind).flatMap((row) => {
    const exists = instancesOf(state, row.gateway_key).length > 0;
    return [row.modify_index, serviceIndex(state, row.gateway_key, indexes.instances, exists)];
  });
  return Math.max(0, ...newest);
}

/** The same with everything about the gateways' health. */
export function gatewayHealthIndex(state: State, service: string, kind: GatewayKind): number {
  const names = gatewayNames(state, service, kind);
  const existing = names.filter((name) => instancesOf(state, name).length > 0);
  const newest = existing.map((name) => serviceIndex(state, name, indexes.health));
  return Math.max(gatewayIndex(state, service, kind), ...newest);
}

/** What to wait on for the gateways that lead to a service. */
export function gatewayTopics(
  state: State,
  service: string,
  kind: GatewayKind,
  part: "instances" | "all",
): Topic[] {
  const topics = gatewayNames(state, service, kind).flatMap((name) => {
    const topic = part === "all" ? catalogTopics.service(name) : catalogTopics.instances(name);
    const exists = state.table(serviceIndexTable).get(name) !== undefined;
    return exists ? [topic] : [topic, catalogTopics.extinction];
  });
  return [catalogTopics.gatewaysOf(nameKey(service), kind), ...topics];
}
