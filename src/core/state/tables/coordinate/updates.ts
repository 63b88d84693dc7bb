// What changes coordinates. Index rule (semantics §2.1): every answer carries the index of the whole table, which every
// update moves, whether its node is known or not.

import type { Coordinate } from "../../../model/coordinate.ts";
import { text } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import type { Change } from "../../state.ts";
import { findNode } from "../catalog/node-rows.ts";
import {
  coordinatesIndex,
  coordinateSchema,
  coordinateTable,
  coordinateTopics,
  encodeCoordinate,
} from "../distance/coordinates.ts";

export interface CoordinateUpdate {
  Node: string;
  Segment: string;
  Coord: Coordinate | null;
}

export const coordinateUpdateSchema = {
  kind: "struct",
  goName: "structs.CoordinateUpdateRequest",
  fields: { Node: text, Segment: text, Coord: { type: coordinateSchema } },
} as const satisfies StructType;

/** Keeps a coordinate; one of a node that is not registered is dropped without a word, as in Consul. */
export function putCoordinate(change: Change, update: CoordinateUpdate): void {
  const node = findNode(change, update.Node);
  change.meta.bump(coordinatesIndex, change.index);
  if (!node) return;
  change.table(coordinateTable).put({
    node_key: node.node_key,
    segment: update.Segment,
    node: update.Node,
    body: encodeCoordinate(update.Coord),
  });
  change.touch(coordinateTopics.node(node.node_key));
}

/** The node is gone. */
export function removeCoordinates(change: Change, node: string): void {
  const removed = change.table(coordinateTable).removeWhere("node_key = ?", node);
  if (removed.length === 0) return;
  change.meta.bump(coordinatesIndex, change.index);
  change.touch(coordinateTopics.node(node));
}
