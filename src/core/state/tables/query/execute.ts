// Executing a prepared query: instances of its service that are healthy enough and carry what it asks for, in a random
// order, then by distance, then cut off (Consul semantics §10). Which order is random is decided by whoever asks, who
// draws the seed, so that every server gives the same answer.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import { seededRandom } from "../../../lib/random.ts";
import { encodeString } from "../../../model/json.ts";
import type { HealthCheck } from "../../../model/types.ts";
import type { PreparedQuery, ServiceQuery } from "../../../model/prepared-query.ts";
import { nameKey } from "../../rows.ts";
import type { View } from "../../state.ts";
import { hasMeta } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { encodeCheckRow } from "../catalog/check-rows.ts";
import { encodeGivenInstance, findHealthyInstances, instanceTopics } from "../catalog/instances.ts";
import type { HealthyInstance } from "../catalog/instances.ts";
import { nodeOf, nodesAt } from "../catalog/node-rows.ts";
import { serviceOf } from "../catalog/service-rows.ts";
import { catalogTopics } from "../catalog/topics.ts";
import { nearTopics, sortByDistance } from "../distance/near.ts";

export interface ExecuteArguments {
  /** Id or name. */
  query: string;
  /** Draws the order of instances that distance does not decide. */
  seed: number;
  /** Node of the agent that is asked: what `_agent` means. */
  agent: string;
  /** Address of the client, or its subnet: what `_ip` means; "" when it is not known. */
  ip: string;
  /** Goes before the query's own. */
  near?: string;
  /** Instances at most; not positive: all. */
  limit?: number;
  /** Looks for what Connect reaches, whatever the query says. */
  connect?: boolean;
}

const agentNode = "_agent";
const clientNode = "_ip";
/** The node that is near is looked for among so many, to be put first. */
const ownPlaceMax = 10;

export interface Executed {
  /** JSON text of the answer, without what is known about the answering server. */
  body: string;
  isEmpty: boolean;
}

export function executeQuery(view: View, query: PreparedQuery, args: ExecuteArguments): Executed {
  const found = candidates(view, query, args);
  shuffle(found, args.seed);
  const near = sourceNode(view, query.Service, args);
  const sorted = [...sortByDistance(view, near, found, ({ nodeRow }) => nodeRow.node_key)];
  if (near !== undefined) putFirst(sorted, near);
  const { limit = 0 } = args;
  const nodes = (limit > 0 ? sorted.slice(0, limit) : sorted).map(encodeGivenInstance);
  const members = [
    `"Service":${encodeString(query.Service.Service)}`,
    `"Nodes":[${nodes.join(",")}]`,
    `"DNS":{"TTL":${encodeString(query.DNS.TTL)}}`,
    `"Datacenter":${encodeString(view.datacenter)}`,
    `"Failovers":0`,
  ];
  return { body: `{${members.join(",")}}`, isEmpty: nodes.length === 0 };
}

/** What another answer would come from. */
export function executionTopics(view: View, query: PreparedQuery, args: ExecuteArguments): Topic[] {
  const { Service: service, Connect: isConnect, Near: ownNear } = query.Service;
  const key = nameKey(service);
  const near = args.near ?? (ownNear === "" ? undefined : ownNear);
  return [
    ...(isConnect || args.connect
      ? instanceTopics(view, service, "all")
      : [catalogTopics.service(key)]),
    ...nearTopics(near),
    ...(near === clientNode ? [catalogTopics.nodes] : []),
  ];
}

function candidates(view: View, query: PreparedQuery, args: ExecuteArguments): HealthyInstance[] {
  const { Service: service } = query;
  const { authorizerOf } = view;
  const reader = query.Token === "" ? view : { ...view, authorizer: authorizerOf(query.Token) };
  const by = service.Connect || args.connect ? "connect_key" : "name_key";
  return findHealthyInstances(reader, service.Service, by).filter((instance) =>
    isWanted(instance, service),
  );
}

function isWanted({ nodeRow, serviceRow, checks }: HealthyInstance, wanted: ServiceQuery): boolean {
  const statuses = checks.filter(
    (row) =>
      row.status !== "passing" &&
      !wanted.IgnoreCheckIDs?.includes((JSON.parse(encodeCheckRow(row)) as HealthCheck).CheckID),
  );
  if (statuses.some(({ status }) => wanted.OnlyPassing || status === "critical")) return false;
  if (wanted.NodeMeta && !hasMeta(nodeOf(nodeRow).Meta, wanted.NodeMeta)) return false;
  if (!wanted.ServiceMeta && !wanted.Tags) return true;
  const { Meta: meta, Tags: tags } = serviceOf(serviceRow);
  return hasMeta(meta, wanted.ServiceMeta ?? {}) && matchesTags(tags, wanted.Tags ?? []);
}

/** All of them, in any case; `!tag` is one that must be missing. */
function matchesTags(tags: readonly string[] | null, wanted: readonly string[]): boolean {
  const present = new Set((tags ?? []).map((tag) => tag.toLowerCase()));
  return wanted.every((each) => {
    const tag = each.toLowerCase();
    return tag.startsWith("!") ? !present.has(tag.slice(1)) : present.has(tag);
  });
}

/** The node that others are sorted by their distance from; undefined: none. */
function sourceNode(
  view: View,
  { Near: own }: ServiceQuery,
  { near = own, agent, ip }: ExecuteArguments,
): string | undefined {
  if (near === agentNode) return agent;
  if (near !== clientNode) return near === "" ? undefined : near;
  // A socket for both families shows addresses of the older one as if they were of the newer.
  const address = hexOfAddress(ip.replace(/^::ffff:(?=\d+\.)/i, ""));
  const [row] = address === null ? [] : nodesAt(view, address);
  return row && nodeOf(row).Node;
}

/** Instances of the node itself change places with the first, unless they are far behind. */
function putFirst(sorted: HealthyInstance[], near: string): void {
  const at = sorted.slice(0, ownPlaceMax).findIndex(({ nodeRow }) => nodeOf(nodeRow).Node === near);
  const [first, own] = [sorted[0], sorted[at]];
  if (!first || !own) return;
  sorted[0] = own;
  sorted[at] = first;
}

function shuffle(list: unknown[], seed: number): void {
  const random = seededRandom(seed);
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.integer(0, at + 1);
    [list[at], list[other]] = [list[other], list[at]];
  }
}
