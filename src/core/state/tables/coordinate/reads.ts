// The reads of `/v1/coordinate`.

import { origin } from "../../../model/coordinate.ts";
import { encodeString } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import type { View } from "../../state.ts";
import { mayRead } from "../../view.ts";
import { nodeOf, findNode } from "../catalog/node-rows.ts";
import { instancesOf } from "../catalog/service-rows.ts";
import {
  allCoordinates,
  coordinatesIndex,
  coordinatesOf,
  coordinateTopics,
  encodeCoordinate,
  encodeEntry,
} from "../distance/coordinates.ts";
import type { CoordinateRow } from "../distance/coordinates.ts";

/** Service that every server registers. */
const serverService = "consul";

/** `segment`: only coordinates of exactly this one. */
const nodes: PlainRead<{ segment?: string }> = {
  evaluate: ({ segment }, view) => ({
    index: view.meta.index(coordinatesIndex),
    body: list(entries(view, allCoordinates(view), segment)),
    topics: [coordinateTopics.all],
  }),
};

const node: PlainRead<{ node: string; segment?: string }> = {
  evaluate: ({ node: name, segment }, view) => {
    const found = entries(view, coordinatesOf(view, name), segment);
    return {
      index: view.meta.index(coordinatesIndex),
      body: found.length === 0 ? null : list(found),
      topics: [coordinateTopics.node(nameKey(name))],
    };
  },
};

/** Where the servers of each datacenter stand; there is one datacenter. */
const datacenters: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const servers = instancesOf(view, serverService).flatMap(({ node_key: key }) => {
      const row = findNode(view, key);
      if (!row || !mayRead(view, key, "")) return [];
      const [known] = coordinatesOf(view, key).filter(({ segment }) => segment === "");
      return [encodeEntry(nodeOf(row).Node, "", known?.body ?? encodeCoordinate(origin))];
    });
    const name = encodeString(view.datacenter);
    const body = `[{"Datacenter":${name},"AreaID":"wan","Coordinates":${list(servers)}}]`;
    return { index: view.meta.index(coordinatesIndex), body, topics: [coordinateTopics.all] };
  },
};

export const coordinateReads = {
  "coordinate.nodes": nodes,
  "coordinate.node": node,
  "coordinate.datacenters": datacenters,
};

function entries(view: View, rows: readonly CoordinateRow[], segment: string | undefined) {
  return rows
    .filter((row) => segment === undefined || row.segment === segment)
    .filter((row) => mayRead(view, row.node_key, ""))
    .map((row) => encodeEntry(row.node, row.segment, row.body));
}
