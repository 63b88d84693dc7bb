// The whole catalog with its health, for the overviews that dashboards show.

import type { NodeRow } from "../catalog/node-rows.ts";
import { allNodes } from "../catalog/node-rows.ts";
import type { CheckRow } from "../catalog/check-rows.ts";
import { checksInState, encodeCheckRow } from "../catalog/check-rows.ts";
import * as indexes from "../catalog/indexes.ts";
import { encodeServiceRow, serviceTable } from "../catalog/service-rows.ts";
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
    if (!mayRead(view, row.node_key, "")) continue;
    dumped.set(row.node_key, { row, services: [], checks: [] });
  }
  const services = view.table(serviceTable).select("ORDER BY node_key, service_key");
  for (const row of visible(view, services)) dumped.get(row.node_key)?.services.push(row);
  for (const row of visible(view, checksInState(view, "any"))) {
    dumped.get(row.node_key)?.checks.push(row);
  }
  return [...dumped.values()];
}

export function visible<Row extends ServiceRow | CheckRow>(
  view: View,
  rows: readonly Row[],
): Row[] {
  if (view.authorizer.unrestricted) return [...rows];
  return rows.filter((row) => mayRead(view, row.node_key, row.name_key));
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
