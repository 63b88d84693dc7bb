// The reads of `/v1/catalog`: nodes, services and instances as they are registered, without their health.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import { compileFilter } from "../../../model/filter/filter.ts";
import { compareText, encodeString } from "../../../model/json.ts";
import * as indexes from "./indexes.ts";
import { encode } from "../../../model/schema.ts";
import { nodeSchema, nodeServiceSchema, serviceNodeSchema } from "../../../model/schemas.ts";
import type { NodeService, ServiceNode } from "../../../model/types.ts";
import {
  allNodes,
  nodesAt,
  encodeNodeRow,
  findNode,
  findNodeByIdPrefix,
  nodeOf,
} from "./node-rows.ts";
import type { NodeRow } from "./node-rows.ts";
import { gatewayServices } from "./gateway-reads.ts";
import type { KeptRead, PlainRead } from "../../read.ts";
import type { InstanceArguments, ListArguments, NodeArguments } from "./read-arguments.ts";
import { list, nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import { serviceIndex, serviceIndexTable } from "./service-index.ts";
import {
  allServices,
  servicesAt,
  encodeServiceRow,
  serviceOf,
  servicesOfNode,
} from "./service-rows.ts";
import type { ServiceRow } from "./service-rows.ts";
import { connectCatalogIndex, findInstances, instanceTopics } from "./instances.ts";
import type { Instance, NameColumn } from "./instances.ts";
import { nearTopics, sortByDistance } from "../distance/near.ts";
import { applyFilter, hasMeta, hasTags, mayRead, mayReadService } from "../../view.ts";
import type { View } from "../../state.ts";
import { catalogTopics } from "./topics.ts";

const nodes: KeptRead<ListArguments> = {
  sees: ["node", "service"],
  topics: ({ near }) => [catalogTopics.nodes, ...nearTopics(near)],
  index: (_args, state) => state.meta.index(indexes.nodes),
  body: ({ meta, filter, near }, view) => {
    const rows = allNodes(view).filter((row) => mayRead(view, () => nodeOf(row).Node, ""));
    const matching = meta ? rows.filter((row) => hasMeta(nodeOf(row).Meta, meta)) : rows;
    const sorted = sortByDistance(view, near, matching, (row) => row.node_key);
    return list(applyFilter(sorted.map(encodeNodeRow), filter, nodeSchema));
  },
};

const services: KeptRead<Pick<ListArguments, "meta" | "filter">> = {
  sees: ["node", "service"],
  topics: (args) =>
    asksForNodes(args) ? [catalogTopics.services, catalogTopics.nodes] : [catalogTopics.services],
  index: (args, state) =>
    asksForNodes(args)
      ? state.meta.maxIndex(indexes.services, indexes.nodes)
      : state.meta.index(indexes.services),
  body: ({ meta, filter }, view) => {
    const tags = new Map<string, Set<string>>();
    const chosen = hasAny(meta) ? nodesWithMeta(view, meta) : null;
    const accepts = filter === undefined ? null : instanceFilter(view, filter);
    for (const row of allServices(view)) {
      if (chosen && !chosen.has(row.node_key)) continue;
      if (accepts && !accepts(row)) continue;
      const { Service: name, Tags: own } = serviceOf(row);
      // Whose node it is does not matter here, as in Consul.
      if (!view.authorizer.allows("service", name, "read")) continue;
      const known = tags.get(name) ?? new Set();
      for (const tag of own ?? []) known.add(tag);
      tags.set(name, known);
    }
    const members = [...tags]
      .toSorted(([left], [right]) => compareText(left, right))
      .map(([name, own]) => `${encodeString(name)}:[${[...own].map(encodeString).join(",")}]`);
    return `{${members.join(",")}}`;
  },
};

const service: KeptRead<InstanceArguments> = {
  sees: ["node", "service"],
  topics: ({ service: name, near }, state) => [
    catalogTopics.instances(nameKey(name)),
    ...extinctionTopic(state, name),
    ...nearTopics(near),
  ],
  index: ({ service: name }, state) =>
    serviceIndex(state, nameKey(name), [indexes.nodes, indexes.services]),
  body: (args, view) => instanceList(args, view, "name_key"),
};

const connect: KeptRead<InstanceArguments> = {
  sees: ["node", "service"],
  topics: ({ service: name, near }, state) => [
    ...instanceTopics(state, name, "instances"),
    ...nearTopics(near),
  ],
  index: ({ service: name }, state) => connectCatalogIndex(state, name),
  body: (args, view) =>
    mayReadService(view, args.service) ? instanceList(args, view, "connect_key") : "[]",
};

const node: KeptRead<NodeArguments> = {
  sees: ["node", "service"],
  topics: ({ node: name }, state) => [nodeTopic(state, name)],
  index: ({ node: name }, state) => nodeIndex(state, name),
  body: ({ node: name, filter }, view) => {
    const row = lookUpNode(view, name);
    if (!row || !mayRead(view, () => nodeOf(row).Node, "")) return withoutNode("null", filter);
    const members = visibleServices(view, row, filter)
      .map((text) => [(JSON.parse(text) as NodeService).ID, text] as const)
      .toSorted(([left], [right]) => compareText(left, right))
      .map(([id, text]) => `${encodeString(id)}:${text}`);
    return `{"Node":${encodeNodeRow(row)},"Services":{${members.join(",")}}}`;
  },
};

const nodeServices: KeptRead<NodeArguments> = {
  sees: ["node", "service"],
  topics: node.topics,
  index: node.index,
  body: ({ node: name, filter }, view) => {
    const row = lookUpNode(view, name);
    if (!row || !mayRead(view, () => nodeOf(row).Node, "")) {
      return withoutNode('{"Node":null,"Services":null}', filter);
    }
    const texts = visibleServices(view, row, filter);
    const services = texts.length === 0 ? "null" : list(texts);
    return `{"Node":${encodeNodeRow(row)},"Services":${services}}`;
  },
};

/**
 * Whose an address is: a node's, or else an instance's. The body is `{"node":name}`, `{"service":name}` or null.
 */
const reverse: PlainRead<{ address: string }> = {
  evaluate: ({ address }, view) => {
    const key = hexOfAddress(address);
    const index = view.meta.maxIndex(indexes.nodes, indexes.services);
    if (key === null) return { index, body: null, topics: [] };
    return { index, body: ownerOf(view, key), topics: [catalogTopics.address(key)] };
  },
};

function ownerOf(view: View, addressKey: string): string | null {
  const owner = nodesAt(view, addressKey).find((row) => mayRead(view, () => nodeOf(row).Node, ""));
  if (owner) return `{"node":${encodeString(nodeOf(owner).Node)}}`;
  const instance = servicesAt(view, addressKey).find((row) =>
    mayRead(
      view,
      () => nodeNameOf(view, row.node_key),
      () => serviceOf(row).Service,
    ),
  );
  return instance ? `{"service":${encodeString(serviceOf(instance).Service)}}` : null;
}

export const catalogReads = {
  "catalog.reverse": reverse,
  "catalog.nodes": nodes,
  "catalog.services": services,
  "catalog.service": service,
  "catalog.connect": connect,
  "catalog.gateway-services": gatewayServices,
  "catalog.node": node,
  "catalog.node-services": nodeServices,
};

function hasAny(meta: Record<string, string> | undefined): meta is Record<string, string> {
  return meta !== undefined && Object.keys(meta).length > 0;
}

function nodesWithMeta(view: View, meta: Record<string, string>): Set<string> {
  const rows = allNodes(view).filter((row) => hasMeta(nodeOf(row).Meta, meta));
  return new Set(rows.map((row) => row.node_key));
}

/** A filter speaks of instances as `catalog/service` shows them, with their node. */
function asksForNodes({ meta, filter }: Pick<ListArguments, "meta" | "filter">): boolean {
  return hasAny(meta) || filter !== undefined;
}

function instanceFilter(view: View, filter: string): (row: ServiceRow) => boolean {
  const accepts = compileFilter(filter, serviceNodeSchema);
  const nodes = new Map(allNodes(view).map((row) => [row.node_key, nodeOf(row)] as const));
  return (row) => {
    const owner = nodes.get(row.node_key);
    if (!owner) return false;
    const text = encode(serviceNodeSchema, serviceNode({ node: owner, service: serviceOf(row) }));
    return accepts(JSON.parse(text));
  };
}

/** Whoever asks for a service that does not exist also hears when the last instance of another one goes. */
function extinctionTopic(state: State, name: string): string[] {
  return state.table(serviceIndexTable).get(nameKey(name)) ? [] : [catalogTopics.extinction];
}

/** Tags narrow what is found by its own name only, as in Consul. */
function instanceList(args: InstanceArguments, view: View, by: NameColumn): string {
  const found = findInstances(view, args.service, by);
  const texts = sortByDistance(view, args.near, found, ({ node: owner }) => nameKey(owner.Node))
    .filter(({ node: owner }) => hasMeta(owner.Meta, args.meta))
    .filter(({ service }) => by !== "name_key" || hasTags(service.Tags, args.tags))
    .map((instance) => encode(serviceNodeSchema, serviceNode(instance)));
  return list(applyFilter(texts, args.filter, serviceNodeSchema));
}

/** One instance the way this endpoint spells it; the indexes are the instance's. */
function serviceNode({ node: owner, service: instance }: Instance): ServiceNode {
  return {
    ID: owner.ID,
    Node: owner.Node,
    Address: owner.Address,
    Datacenter: owner.Datacenter,
    TaggedAddresses: owner.TaggedAddresses,
    NodeMeta: owner.Meta,
    ServiceKind: instance.Kind ?? "",
    ServiceID: instance.ID,
    ServiceName: instance.Service,
    ServiceTags: instance.Tags,
    ServiceAddress: instance.Address,
    ServiceTaggedAddresses: instance.TaggedAddresses ?? null,
    ServiceWeights: instance.Weights ?? { Passing: 1, Warning: 1 },
    ServiceMeta: instance.Meta ?? {},
    ServicePort: instance.Port,
    ServiceEnableTagOverride: instance.EnableTagOverride,
    ServiceProxy: instance.Proxy,
    ServiceConnect: instance.Connect,
    CreateIndex: instance.CreateIndex,
    ModifyIndex: instance.ModifyIndex,
  };
}

/** A node by name, or by at least two hex digits that begin the id of exactly one. */
function lookUpNode(state: State, name: string): NodeRow | undefined {
  const byName = findNode(state, name);
  if (byName || !/^[\da-f]{2}[\da-f-]*$/i.test(name)) return byName;
  return findNodeByIdPrefix(state, name.toLowerCase());
}

function nodeTopic(state: State, name: string): string {
  return catalogTopics.node(lookUpNode(state, name)?.node_key ?? nameKey(name));
}

function nodeIndex(state: State, name: string): number {
  return lookUpNode(state, name) ? state.meta.maxIndex(indexes.nodes, indexes.services) : 0;
}

function nodeNameOf(state: State, key: string): string {
  const row = findNode(state, key);
  return row ? nodeOf(row).Node : key;
}

/** The answer where there is no such node; a filter that is none for services of one is refused all the same. */
function withoutNode(answer: string, filter: string | undefined): string {
  applyFilter([], filter, nodeServiceSchema);
  return answer;
}

function visibleServices(view: View, row: NodeRow, filter: string | undefined): readonly string[] {
  const rows = servicesOfNode(view, row.node_key).filter((each) =>
    mayRead(
      view,
      () => nodeOf(row).Node,
      () => serviceOf(each).Service,
    ),
  );
  return applyFilter(rows.map(encodeServiceRow), filter, nodeServiceSchema);
}
