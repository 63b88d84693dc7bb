// The reads of `/v1/coordinate`.

import { type Random, seededRandom } from "../../../lib/random.ts";
import { origin } from "../../../model/coordinate.ts";
import { encodeString } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import type { View } from "../../state.ts";
import { mayRead } from "../../view.ts";
import { findCheck } from "../catalog/check-rows.ts";
import { countNodes, findNode, nodeAtPlace, nodeOf } from "../catalog/node-rows.ts";
import type { NodeRow } from "../catalog/node-rows.ts";
import { instancesOf, serviceOf } from "../catalog/service-rows.ts";
import type { ServiceRow } from "../catalog/service-rows.ts";
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
/** Says whether a node is alive. */
const aliveCheck = "serfHealth";
const drawsMax = 4;

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
      if (!row) return [];
      const [known] = coordinatesOf(view, key).filter(({ segment }) => segment === "");
      return [encodeEntry(nodeOf(row).Node, "", known?.body ?? encodeCoordinate(origin))];
    });
    const name = encodeString(view.datacenter);
    const body = `[{"Datacenter":${name},"AreaID":"wan","Coordinates":${list(servers)}}]`;
    return { index: view.meta.index(coordinatesIndex), body, topics: [coordinateTopics.all] };
  },
};

/**
 * A live node other than `except`, for an agent to measure, as a `Peer`; null when none was drawn. Every second
 * one is a server: they are the landmarks that everybody has in common. Nobody waits for it.
 */
const peer: PlainRead<{ seed: number; except: string[] }> = {
  evaluate: ({ seed, except }, view) => {
    const random = seededRandom(seed);
    for (let draw = 0; draw < drawsMax; draw++) {
      const drawn = drawPeer(view, random);
      const isFit = drawn && !except.includes(nodeOf(drawn.row).Node);
      if (isFit) return { index: 1, body: encodePeer(view, drawn), topics: [] };
    }
    return { index: 1, body: null, topics: [] };
  },
};

interface Drawn {
  row: NodeRow;
  server: ServiceRow | undefined;
}

function drawPeer(view: View, random: Random): Drawn | null {
  const servers = instancesOf(view, serverService);
  const draws = (count: number): number => random.integer(0, count);
  const row =
    random.next() < 0.5
      ? findNode(view, servers[draws(servers.length)]?.node_key ?? "")
      : nodeAtPlace(view, draws(countNodes(view)));
  if (!row || !mayRead(view, () => nodeOf(row).Node, "")) return null;
  if (findCheck(view, row.node_key, aliveCheck)?.status !== "passing") return null;
  return { row, server: servers.find((each) => each.node_key === row.node_key) };
}

function encodePeer(view: View, { row, server }: Drawn): string {
  const { Node: name, Address: address } = nodeOf(row);
  const [known] = coordinatesOf(view, row.node_key).filter(({ segment }) => segment === "");
  const members = [
    `"Node":${encodeString(name)}`,
    `"Address":${encodeString(address)}`,
    `"Port":${server ? serviceOf(server).Port : null}`,
    `"Coord":${known?.body ?? null}`,
  ];
  return `{${members.join(",")}}`;
}

export const coordinateReads = {
  "coordinate.peer": peer,
  "coordinate.nodes": nodes,
  "coordinate.node": node,
  "coordinate.datacenters": datacenters,
};

function entries(view: View, rows: readonly CoordinateRow[], segment: string | undefined) {
  return rows
    .filter((row) => segment === undefined || row.segment === segment)
    .filter((row) => mayRead(view, row.node, ""))
    .map((row) => encodeEntry(row.node, row.segment, row.body));
}
