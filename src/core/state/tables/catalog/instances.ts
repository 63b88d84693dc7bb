// Instances of a service together with their nodes and checks, found by name or by what Connect calls them, in
// three statements however many there are.

import type { Node } from "../../../model/types.ts";
import * as indexes from "./indexes.ts";
import type { Topic } from "../../watch.ts";
import { catalogTopics } from "./topics.ts";
import { encodeCheckRow, encodeGivenCheck } from "./check-rows.ts";
import type { CheckRow } from "./check-rows.ts";
import { encodeNodeRow, nodeOf } from "./node-rows.ts";
import type { NodeRow } from "./node-rows.ts";
import { gatewayHealthIndex, gatewayIndex, gatewayNames, gatewayTopics } from "./gateway-reads.ts";
import type { GatewayKind } from "./gateway-rows.ts";
import { nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import { serviceIndex } from "./service-index.ts";
import {
  connectInstancesOf,
  encodeGivenService,
  encodeServiceRow,
  instancesOf,
  serviceOf,
} from "./service-rows.ts";
import type { ServiceRow, StoredService } from "./service-rows.ts";
import { mayRead } from "../../view.ts";
import type { View } from "../../state.ts";

/** By which name instances are looked for: their own, or the one Connect knows them by. */
export type NameColumn = "name_key" | "connect_key";

export interface Instance {
  node: Node;
  service: StoredService;
}

/** An instance as text, with what narrows a list down. */
export interface HealthyInstance {
  nodeRow: NodeRow;
  serviceRow: ServiceRow;
  checks: CheckRow[];
}

/** Instances with their nodes, in order; through Connect also the gateways that lead there, after the others. */
export function findInstances(view: View, name: string, by: NameColumn): Instance[] {
  return reachedBy(view, name, by).flatMap((way) => instancesBy(view, ...way));
}

function instancesBy(view: View, name: string, by: NameColumn): Instance[] {
  const nodes = nodesOf(view, name, by);
  return rowsOf(view, name, by).flatMap((row) => {
    const nodeRow = nodes.get(row.node_key);
    if (!nodeRow || !maySee(view, nodeRow, row)) return [];
    return [{ node: nodeOf(nodeRow), service: serviceOf(row) }];
  });
}

/** The same with their checks, the node's own first. */
export function findHealthyInstances(view: View, name: string, by: NameColumn): HealthyInstance[] {
  return reachedBy(view, name, by).flatMap((way) => healthyInstancesBy(view, ...way));
}

/** Instances of the gateways of a kind that lead to a service, gateway by gateway. */
export function findGateways(view: View, service: string, kind: GatewayKind): HealthyInstance[] {
  return gatewayNames(view, service, kind).flatMap((gateway) =>
    healthyInstancesBy(view, gateway, "name_key"),
  );
}

/** The lookups that together find what is asked for. */
function reachedBy(state: State, name: string, by: NameColumn): [name: string, by: NameColumn][] {
  if (by === "name_key") return [[name, by]];
  const gateways = gatewayNames(state, name, "terminating-gateway");
  return [[name, by], ...gateways.map((gateway): [string, NameColumn] => [gateway, "name_key"])];
}

function healthyInstancesBy(view: View, name: string, by: NameColumn): HealthyInstance[] {
  const nodes = nodesOf(view, name, by);
  const checks = checksOf(view, name, by);
  return rowsOf(view, name, by).flatMap((serviceRow) => {
    const nodeRow = nodes.get(serviceRow.node_key);
    if (!nodeRow || !maySee(view, nodeRow, serviceRow)) return [];
    const ofNode = checks.get(`${serviceRow.node_key}\0`) ?? [];
    const ofService = checks.get(`${serviceRow.node_key}\0${serviceRow.service_key}`) ?? [];
    return [{ nodeRow, serviceRow, checks: [...ofNode, ...ofService] }];
  });
}

function maySee(view: View, nodeRow: NodeRow, serviceRow: ServiceRow): boolean {
  return mayRead(
    view,
    () => nodeOf(nodeRow).Node,
    () => serviceOf(serviceRow).Service,
  );
}

/** JSON text of one entry of `/v1/health/service`. */
export function encodeInstance({ nodeRow, serviceRow, checks }: HealthyInstance): string {
  const node = encodeNodeRow(nodeRow);
  const service = encodeServiceRow(serviceRow);
  return `{"Node":${node},"Service":${service},"Checks":[${checks.map(encodeCheckRow).join(",")}]}`;
}

/** The same as prepared queries show it: `null` for what was not given, and for no checks at all. */
export function encodeGivenInstance({ nodeRow, serviceRow, checks }: HealthyInstance): string {
  const node = encodeNodeRow(nodeRow);
  const service = encodeGivenService(serviceRow);
  const given = checks.length === 0 ? "null" : `[${checks.map(encodeGivenCheck).join(",")}]`;
  return `{"Node":${node},"Service":${service},"Checks":${given}}`;
}

/** Health's index of what Connect calls `name`: the newest of the services that offer it. */
export function connectHealthIndex(state: State, name: string): number {
  const gateways = gatewayHealthIndex(state, name, "terminating-gateway");
  const names = new Set(connectInstancesOf(state, name).map((row) => row.name_key));
  if (names.size === 0) {
    const isServed = hasGateway(state, name);
    const none = isServed ? 0 : serviceIndex(state, nameKey(name), indexes.health, false);
    return Math.max(gateways, none);
  }
  const offered = [...names].map((each) => serviceIndex(state, each, indexes.health));
  return Math.max(gateways, ...offered);
}

/** The catalog's index of the same, which like Consul's follows the service that is called `name`. */
export function connectCatalogIndex(state: State, name: string): number {
  const exists = connectInstancesOf(state, name).length > 0 || hasGateway(state, name);
  const own = serviceIndex(state, nameKey(name), indexes.instances, exists);
  return Math.max(own, gatewayIndex(state, name, "terminating-gateway"));
}

function hasGateway(state: State, service: string): boolean {
  const names = gatewayNames(state, service, "terminating-gateway");
  return names.some((gateway) => instancesOf(state, gateway).length > 0);
}

/** What to wait on for what Connect calls `name`. */
export function instanceTopics(state: State, name: string, part: "instances" | "all"): Topic[] {
  const key = nameKey(name);
  const topic =
    part === "instances" ? catalogTopics.connectInstances(key) : catalogTopics.connect(key);
  const exists = connectInstancesOf(state, name).length > 0;
  return [
    topic,
    ...(exists ? [] : [catalogTopics.extinction]),
    ...gatewayTopics(state, name, "terminating-gateway", part),
  ];
}

function rowsOf(state: State, name: string, by: NameColumn): ServiceRow[] {
  return by === "name_key" ? instancesOf(state, name) : connectInstancesOf(state, name);
}

function nodesOf(state: State, name: string, by: NameColumn): Map<string, NodeRow> {
  const rows = state.sql.exec<NodeRow>(
    "SELECT node.* FROM service JOIN node USING (node_key) " +
      `WHERE service.${by} = ? ORDER BY node_key`,
    nameKey(name),
  );
  return new Map(rows.map((row) => [row.node_key, row]));
}

/** Checks by node and instance ("" for the node's own). */
function checksOf(state: State, name: string, by: NameColumn): Map<string, CheckRow[]> {
  const rows = state.sql.exec<CheckRow>(
    "SELECT DISTINCT health_check.* FROM service JOIN health_check " +
      "ON health_check.node_key = service.node_key " +
      "AND health_check.service_key IN ('', service.service_key) " +
      `WHERE service.${by} = ? ORDER BY health_check.node_key, health_check.service_key, check_key`,
    nameKey(name),
  );
  const grouped = new Map<string, CheckRow[]>();
  for (const row of rows) {
    const group = `${row.node_key}\0${row.service_key}`;
    const known = grouped.get(group);
    if (known) known.push(row);
    else grouped.set(group, [row]);
  }
  return grouped;
}
