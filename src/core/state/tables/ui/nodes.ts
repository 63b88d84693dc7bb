// Nodes with everything on them.

import type { Node } from "../../../model/types.ts";
import { encodeString } from "../../../model/json.ts";
import { encode, stringMap } from "../../../model/schema.ts";
import type { KeptRead, PlainRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import { applyFilter, mayRead } from "../../view.ts";
import { checksOfNode } from "../catalog/check-rows.ts";
import { findNode, nodeOf } from "../catalog/node-rows.ts";
import { servicesOfNode } from "../catalog/service-rows.ts";
import { catalogTopics } from "../catalog/topics.ts";
import {
  dumpNodes,
  encodeCheck,
  encodeService,
  overviewIndex,
  overviewTopics,
  visibleChecks,
  visibleServices,
} from "./dump.ts";
import type { DumpedNode } from "./dump.ts";
import { nodeInfoSchema } from "./shapes.ts";

export const nodes: KeptRead<{ filter?: string }> = {
  sees: ["node", "service"],
  topics: () => overviewTopics,
  index: (_args, state) => overviewIndex(state),
  body: ({ filter }, view) =>
    list(applyFilter(dumpNodes(view).map(encodeNode), filter, nodeInfoSchema)),
};

/** By its name. */
export const node: PlainRead<{ node: string }> = {
  evaluate: ({ node: name }, view) => {
    const row = findNode(view, name);
    const key = nameKey(name);
    const topics = [catalogTopics.node(key), catalogTopics.checksOfNode(key)];
    const index = overviewIndex(view);
    if (!row || !mayRead(view, () => nodeOf(row).Node, "")) return { index, body: null, topics };
    const services = visibleServices(view, servicesOfNode(view, key));
    const checks = visibleChecks(view, checksOfNode(view, key));
    return { index, body: encodeNode({ row, services, checks }), topics };
  },
};

function encodeNode({ row, services, checks }: DumpedNode): string {
  const { ID, Node, Address, TaggedAddresses, Meta } = nodeOf(row) satisfies Node;
  const maps = { TaggedAddresses, Meta };
  const members = [
    `"ID":${encodeString(ID)}`,
    `"Node":${encodeString(Node)}`,
    `"Address":${encodeString(Address)}`,
    ...Object.entries(maps).map(([name, map]) => `"${name}":${encode(stringMap, map)}`),
    `"Services":${list(services.map(encodeService))}`,
    `"Checks":${list(checks.map(encodeCheck))}`,
  ];
  return `{${members.join(",")}}`;
}
