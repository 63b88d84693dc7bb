// Network coordinates of nodes, one for each segment: where each stands in the space of round-trip times. They go
// with their node. Index rule (semantics §2.1): every answer carries the index of the whole table, which every
// update moves, whether its node is known or not.

import type { SqlRow } from "../../../lib/sql.ts";
import { encodeString } from "../../../model/json.ts";
import { encode, float, text } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { pathTopics } from "../../watch.ts";
import { findNode } from "../catalog/node-rows.ts";

/** Vivaldi; all in seconds. */
export interface Coordinate {
  Vec: number[] | null;
  Error: number;
  Adjustment: number;
  Height: number;
}

export interface CoordinateUpdate {
  Node: string;
  Segment: string;
  Coord: Coordinate | null;
}

const coordinateSchema: StructType = {
  kind: "struct",
  goName: "coordinate.Coordinate",
  nullable: true,
  fields: {
    Vec: { type: { kind: "list", item: float.type } },
    Error: float,
    Adjustment: float,
    Height: float,
  },
};

export const coordinateUpdateSchema: StructType = {
  kind: "struct",
  goName: "structs.CoordinateUpdateRequest",
  fields: { Node: text, Segment: text, Coord: { type: coordinateSchema } },
};

/** Of a node that has measured nothing yet. */
export const origin: Coordinate = {
  Vec: [0, 0, 0, 0, 0, 0, 0, 0],
  Error: 1.5,
  Adjustment: 0,
  Height: 1e-5,
};

export const coordinatesIndex: TableIndex = { name: "coordinates" };

const nodes = pathTopics("coordinate");

export const coordinateTopics = {
  /** Coordinates of one node; its name is lower case. */
  node: nodes.one,
  /** Those of any node. */
  all: nodes.below(""),
};

export interface CoordinateRow extends SqlRow {
  node_key: string;
  segment: string;
  /** The node's name as it was given. */
  node: string;
  /** JSON of {@link Coordinate}. */
  body: string;
}

export const coordinateTable: TableDefinition<CoordinateRow> = {
  name: "coordinate",
  columns: {
    node_key: "TEXT NOT NULL",
    segment: "TEXT NOT NULL",
    node: "TEXT NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["node_key", "segment"],
};

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

export function allCoordinates(state: State): CoordinateRow[] {
  return state.table(coordinateTable).select("ORDER BY node_key, segment");
}

export function coordinatesOf(state: State, node: string): CoordinateRow[] {
  return state.table(coordinateTable).select("WHERE node_key = ? ORDER BY segment", nameKey(node));
}

export function encodeCoordinate(coordinate: Coordinate | null): string {
  return encode(coordinateSchema, coordinate);
}

/** JSON text of one entry of a list; `body` is the coordinate's. */
export function encodeEntry(node: string, segment: string, body: string): string {
  return `{"Node":${encodeString(node)},"Segment":${encodeString(segment)},"Coord":${body}}`;
}
