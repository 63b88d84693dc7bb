// `?near=`: a list sorted by how far its nodes are from one of them (Consul semantics §9). The sort is stable, nodes
// without a coordinate come last, and without one of the node that is near nothing is sorted. Indexes do not follow
// coordinates, in Consul neither: the topics are there for bodies that are kept.

import type { Coordinate } from "../../../model/coordinate.ts";
import { roundTripNs } from "../../../model/coordinate.ts";
import { nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { Topic } from "../../watch.ts";
import { allCoordinates, coordinateOf, coordinatesOf, coordinateTopics } from "./coordinates.ts";
import type { CoordinateRow } from "./coordinates.ts";

/** Lists with more nodes than this read the whole table at once. */
const nodesLookedUpMax = 256;

/** Coordinates of one node by segment. */
type Segments = ReadonlyMap<string, Coordinate | undefined>;

/** What a list that is sorted depends on besides its rows. */
export function nearTopics(near: string | undefined): Topic[] {
  return near === undefined ? [] : [coordinateTopics.all];
}

/** `items` by distance from the node `near`, in any case; as they are without one. `nodeOf` gives a lower-case name. */
export function sortByDistance<Item>(
  state: State,
  near: string | undefined,
  items: readonly Item[],
  nodeOf: (item: Item) => string,
): readonly Item[] {
  if (near === undefined || near === "") return items;
  const from = segmentsOf(coordinatesOf(state, nameKey(near)));
  if (from.size === 0) return items;
  const places = placesOf(state, new Set(items.map(nodeOf)));
  const nowhere: Segments = new Map();
  const distances = items.map((item) => between(from, places.get(nodeOf(item)) ?? nowhere));
  const order = items.map((_, at) => at);
  // Infinity minus itself is no number: what is equally far stays.
  order.sort((left, right) => compare(distances[left] ?? 0, distances[right] ?? 0));
  return order.map((at) => items[at] as Item);
}

function compare(left: number, right: number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Who has one coordinate may be a client, whose segment then decides; only servers are in several. */
function between(from: Segments, to: Segments): number {
  const only = to.size === 1 ? to : from.size === 1 ? from : null;
  const segment = only?.keys().next().value ?? "";
  return roundTripNs(from.get(segment), to.get(segment));
}

function placesOf(state: State, nodes: ReadonlySet<string>): Map<string, Segments> {
  const places = new Map<string, Segments>();
  if (nodes.size <= nodesLookedUpMax) {
    for (const node of nodes) places.set(node, segmentsOf(coordinatesOf(state, node)));
    return places;
  }
  const rows = Map.groupBy(allCoordinates(state), (row) => row.node_key);
  for (const node of nodes) places.set(node, segmentsOf(rows.get(node) ?? []));
  return places;
}

function segmentsOf(rows: readonly CoordinateRow[]): Segments {
  return new Map(rows.map((row) => [row.segment, coordinateOf(row)]));
}
