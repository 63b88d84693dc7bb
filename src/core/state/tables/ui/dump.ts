// The whole catalog with its health, for the overviews that dashboards show.

import type { NodeRow } from "../catalog/node-rows.ts";
import { allNodes, findNode, nodeOf } from "../catalog/node-rows.ts";
import type { CheckRow } from "../catalog/check-rows.ts";
import { checkOf, checksInState, encodeCheckRow } from "../catalog/check-rows.ts";
import * as indexes from "../catalog/indexes.ts";
import { encodeServiceRow, serviceOf, serviceTable } from "../catalog/service-rows.ts";
import type { ServiceRow } from "../catalog/service-rows.ts";
import { catalogTopics } from "../catalog/topics.ts";
import type { State, View } from "../../state.ts";
import { mayRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";

/** An overview changes with anything in the catalog. */
export const overviewTopics: Topic[] = [
  catalogTopics.nodes,
  catalogTopics.services,
  catalogTopics.checks,
];

export function overviewIndex(state: State): number {
  return state.meta.maxIndex(...indexes.health);
}

export interface DumpedNode {
  row: NodeRow;
  /** By id. */
  services: ServiceRow[];
  checks: CheckRow[];
}

/** What the bearer may see of every node, by name. */
export function dumpNodes(view: View): DumpedNode[] {
  const dumped = new Map<string, DumpedNode>();
  for (const row of allNodes(view)) {
    if (!mayRead(view, () => nodeOf(row).Node, "")) continue;
    dumped.set(row.node_key, { row, services: [], checks: [] });
  }
  const services = view.table(serviceTable).select("ORDER BY node_key, service_key");
  for (const row of visibleServices(view, services)) {
    dumped.get(row.node_key)?.services.push(row);
  }
  for (const row of visibleChecks(view, checksInState(view, "any"))) {
    dumped.get(row.node_key)?.checks.push(row);
  }
  return [...dumped.values()];
}

/** Rules are held against names as they were given, never against keys. */
export function visibleServices(view: View, rows: readonly ServiceRow[]): ServiceRow[] {
  if (view.authorizer.unrestricted) return [...rows];
  return rows.filter((row) => {
    const node = findNode(view, row.node_key);
    return node && mayRead(view, nodeOf(node).Node, serviceOf(row).Service);
  });
}

export function visibleChecks(view: View, rows: readonly CheckRow[]): CheckRow[] {
  if (view.authorizer.unrestricted) return [...rows];
  return rows.filter((row) => {
    const { Node: node, ServiceName: service } = checkOf(row);
    return mayRead(view, node, service);
  });
}

/** JSON text of an instance; tags that were not given are null here. */
export function encodeService(row: ServiceRow): string {
  const text = encodeServiceRow(row);
  return row.tags_absent === 1 ? text.replace('"Tags":[]', '"Tags":null') : text;
}

export function encodeCheck(row: CheckRow): string {
  const text = encodeCheckRow(row);
  return row.tags_absent === 1 ? text.replace('"ServiceTags":[]', '"ServiceTags":null') : text;
}
