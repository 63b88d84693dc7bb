// The reads of `/v1/health`: checks by node, service and state, and instances with all their checks.

import { compileFilter } from "../../../model/filter/filter.ts";
import * as indexes from "./indexes.ts";
import { checkServiceNodeSchema, healthCheckSchema } from "../../../model/schemas.ts";
import {
  checksInState,
  checksOfNode,
  checksOfServiceName,
  checkOf,
  encodeCheckRow,
} from "./check-rows.ts";
import type { CheckRow } from "./check-rows.ts";
import {
  connectHealthIndex,
  encodeInstance,
  findGateways,
  findHealthyInstances,
  instanceTopics,
} from "./instances.ts";
import type { HealthyInstance, NameColumn } from "./instances.ts";
import { gatewayHealthIndex, gatewayTopics } from "./gateway-reads.ts";
import { allNodes, nodeOf } from "./node-rows.ts";
import type { KeptRead } from "../../read.ts";
import type { InstanceArguments, ListArguments, NodeArguments } from "./read-arguments.ts";
import { list, nameKey } from "../../rows.ts";
import type { State } from "../../state.ts";
import { serviceIndex, serviceIndexTable } from "./service-index.ts";
import { serviceOf } from "./service-rows.ts";
import { nearTopics, sortByDistance } from "../distance/near.ts";
import { applyFilter, hasMeta, hasTags, mayRead, mayReadService } from "../../view.ts";
import type { View } from "../../state.ts";
import { catalogTopics } from "./topics.ts";

type Narrowing = Pick<ListArguments, "meta" | "filter" | "near">;
/** `passing`: leaves out instances with any check that is not passing. */
type HealthArguments = InstanceArguments & { passing?: boolean };

const checksIndex = (_args: unknown, state: State): number => state.meta.index(indexes.checks);

const node: KeptRead<NodeArguments> = {
  sees: ["node", "service"],
  topics: ({ node: name }) => [catalogTopics.checksOfNode(nameKey(name))],
  index: checksIndex,
  body: ({ node: name, filter }, view) => checkList(view, checksOfNode(view, name), { filter }),
};

const checks: KeptRead<ListArguments & { service: string }> = {
  sees: ["node", "service"],
  topics: ({ service, ...args }) =>
    checkTopics(catalogTopics.checksOfService(nameKey(service)), args),
  index: ({ service, meta }, seen) =>
    meta
      ? serviceIndex(
          seen,
          nameKey(service),
          [indexes.nodes, indexes.services, indexes.checks],
          true,
        )
      : seen.meta.index(indexes.checks),
  body: (args, view) => checkList(view, checksOfServiceName(view, args.service), args),
};

const state: KeptRead<ListArguments & { state: string }> = {
  sees: ["node", "service"],
  topics: ({ state: status, ...args }) =>
    checkTopics(
      status === "any" ? catalogTopics.checks : catalogTopics.checksInState(status),
      args,
    ),
  index: checksIndex,
  body: (args, view) => checkList(view, checksInState(view, args.state), args),
};

const service: KeptRead<HealthArguments> = {
  sees: ["node", "service"],
  topics: ({ service: name, near }, seen) => {
    const key = nameKey(name);
    const exists = seen.table(serviceIndexTable).get(key) !== undefined;
    const topics = [catalogTopics.service(key), ...nearTopics(near)];
    return exists ? topics : [...topics, catalogTopics.extinction];
  },
  index: ({ service: name }, seen) =>
    serviceIndex(seen, nameKey(name), [indexes.nodes, indexes.services, indexes.checks]),
  body: (args, view) => instanceList(args, view, "name_key"),
};

const connect: KeptRead<HealthArguments> = {
  sees: ["node", "service"],
  topics: ({ service: name, near }, seen) => [
    ...instanceTopics(seen, name, "all"),
    ...nearTopics(near),
  ],
  index: ({ service: name }, seen) => connectHealthIndex(seen, name),
  // Who may not see a service does not learn what leads to it.
  body: (args, view) =>
    mayReadService(view, args.service) ? instanceList(args, view, "connect_key") : "[]",
};

/** Ingress gateways that let requests for the service in. */
const ingress: KeptRead<Omit<HealthArguments, "tags">> = {
  sees: ["node", "service"],
  topics: ({ service: name }, seen) => gatewayTopics(seen, name, "ingress-gateway", "all"),
  index: ({ service: name }, seen) => gatewayHealthIndex(seen, name, "ingress-gateway"),
  body: (args, view) => {
    if (!mayReadService(view, args.service)) return "[]";
    return narrowed(args, view, findGateways(view, args.service, "ingress-gateway"));
  },
};

export const healthReads = {
  "health.node": node,
  "health.checks": checks,
  "health.state": state,
  "health.service": service,
  "health.connect": connect,
  "health.ingress": ingress,
};

function checkTopics(topic: string, { meta, near }: Narrowing): string[] {
  return [topic, ...(meta ? [catalogTopics.nodes] : []), ...nearTopics(near)];
}

function checkList(
  view: View,
  rows: readonly CheckRow[],
  { meta, filter, near }: { [Name in keyof Narrowing]: Narrowing[Name] | undefined },
): string {
  const chosen = meta ? nodesWithMeta(view, meta) : null;
  const texts = sortByDistance(view, near, rows, (row) => row.node_key)
    .filter((row) => !chosen || chosen.has(row.node_key))
    .filter((row) =>
      mayRead(
        view,
        () => checkOf(row).Node,
        () => checkOf(row).ServiceName,
      ),
    )
    .map(encodeCheckRow);
  return list(applyFilter(texts, filter, healthCheckSchema));
}

function nodesWithMeta(view: View, meta: Record<string, string>): Set<string> {
  const rows = allNodes(view).filter((row) => hasMeta(nodeOf(row).Meta, meta));
  return new Set(rows.map((row) => row.node_key));
}

function instanceList(args: HealthArguments, view: View, by: NameColumn): string {
  // As in the catalog: what Connect finds is not narrowed by tags.
  const { tags: _tags, ...untagged } = args;
  const narrowing = by === "name_key" ? args : untagged;
  return narrowed(narrowing, view, findHealthyInstances(view, args.service, by));
}

function narrowed(
  args: HealthArguments,
  view: View,
  instances: readonly HealthyInstance[],
): string {
  const accepts = rowFilter(args.filter);
  const found = sortByDistance(view, args.near, instances, ({ nodeRow }) => nodeRow.node_key)
    .filter(({ nodeRow }) => !args.meta || hasMeta(nodeOf(nodeRow).Meta, args.meta))
    .filter(({ serviceRow }) => !args.tags || hasTags(serviceOf(serviceRow).Tags, args.tags))
    .map((instance) => ({ ...instance, text: encodeInstance(instance) }))
    .filter(({ text }) => accepts(text));
  return list((args.passing ? withoutFailing(found) : found).map(({ text }) => text));
}

function rowFilter(expression: string | undefined): (text: string) => boolean {
  if (expression === undefined || expression === "") return () => true;
  const accepts = compileFilter(expression, checkServiceNodeSchema);
  return (text) => accepts(JSON.parse(text));
}

/** Leaves out instances with a check that is not passing, moving the last one into the gap as Consul does. */
function withoutFailing<Kept extends HealthyInstance>(instances: readonly Kept[]): Kept[] {
  const left = [...instances];
  for (let at = 0; at < left.length;) {
    const isHealthy = left[at]?.checks.every(({ status }) => status === "passing");
    const last = isHealthy ? undefined : left.pop();
    if (isHealthy) at++;
    else if (last && at < left.length) left[at] = last;
  }
  return left;
}
