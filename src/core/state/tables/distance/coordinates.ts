// Network coordinates of nodes, one for each segment, as rows. They are kept below the catalog, whose lists are sorted
// by them; who writes them, and that they go with their node, is the area `coordinate`.

import type { SqlRow } from "../../../lib/sql.ts";
import { encodeString } from "../../../model/json.ts";
import type { Coordinate } from "../../../model/coordinate.ts";
import { encode, float } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { pathTopics } from "../../watch.ts";

export const coordinateSchema = {
  kind: "struct",
  goName: "coordinate.Coordinate",
  nullable: true,
  fields: {
    Vec: { type: { kind: "list", item: float.type } },
    Error: float,
    Adjustment: float,
    Height: float,
  },
} as const satisfies StructType;

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

export function allCoordinates(state: State): CoordinateRow[] {
  return state.table(coordinateTable).select("ORDER BY node_key, segment");
}

export function coordinatesOf(state: State, node: string): CoordinateRow[] {
  return state.table(coordinateTable).select("WHERE node_key = ? ORDER BY segment", nameKey(node));
}

export function coordinateOf(row: CoordinateRow): Coordinate | undefined {
  return (JSON.parse(row.body) as Coordinate | null) ?? undefined;
}

export function encodeCoordinate(coordinate: Coordinate | null): string {
  return encode(coordinateSchema, coordinate);
}

/** JSON text of one entry of a list; `body` is the coordinate's. */
export function encodeEntry(node: string, segment: string, body: string): string {
  return `{"Node":${encodeString(node)},"Segment":${encodeString(segment)},"Coord":${body}}`;
}
