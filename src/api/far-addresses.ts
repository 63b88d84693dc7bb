// Answers about another datacenter, with the addresses by which it is reached from outside of it
// (`translate_wan_addrs`). Others stay as they were encoded.

import type { Node, NodeService, ServiceAddress, ServiceNode } from "../core/model/types.ts";
import { farAddress, farPort, farServiceAddress } from "../core/model/wan-addresses.ts";
import type { ReadName } from "../core/state/reads.ts";
import type { ReadOptions, ReadReply } from "../ports/cluster.ts";
import { encodeOrdered } from "./ordered-json.ts";

type Translation = (body: never) => void;

const instances = (body: Instance[]): void => body.forEach(instance);

/** Which answers have addresses, and where. */
const translations: Partial<Record<ReadName, Translation>> = {
  "catalog.nodes": (body: Node[]) => body.forEach(node),
  "catalog.service": (body: ServiceNode[]) => body.forEach(serviceNode),
  "catalog.connect": (body: ServiceNode[]) => body.forEach(serviceNode),
  "catalog.node": (body: OneNode<Record<string, NodeService>> | null) => oneNode(body),
  "catalog.node-services": (body: OneNode<NodeService[]> | null) => oneNode(body),
  "health.service": instances,
  "health.connect": instances,
  "health.ingress": instances,
  "query.execute": (body: { Nodes: Instance[] | null }) => instances(body.Nodes ?? []),
};

interface Instance {
  Node: Node;
  Service: NodeService;
}

interface OneNode<Services> {
  Node: Node | null;
  Services: Services | null;
}

/** `own`: the datacenter of the agent that is asked. A query says itself where its answer is from. */
export function translated(
  op: ReadName,
  answer: ReadReply,
  { dc = "" }: ReadOptions,
  own: string,
): ReadReply {
  const translation = translations[op];
  if (!translation || answer.body === null) return answer;
  if (op !== "query.execute" && (dc === "" || dc === own)) return answer;
  const body = JSON.parse(answer.body) as { Datacenter?: string } | null;
  if (op === "query.execute" && (body?.Datacenter ?? own) === own) return answer;
  translation(body as never);
  return { ...answer, body: encodeOrdered(body) };
}

function node(one: Node): void {
  one.Address = farAddress(one.Address, one.TaggedAddresses);
}

function service(one: NodeService): void {
  const tagged: Record<string, ServiceAddress> | null = one.TaggedAddresses ?? null;
  one.Address = farServiceAddress(one.Address, tagged);
  one.Port = farPort(one.Port, tagged);
}

function instance({ Node: at, Service: what }: Instance): void {
  node(at);
  service(what);
}

function serviceNode(one: ServiceNode): void {
  const tagged: Record<string, ServiceAddress> | null = one.ServiceTaggedAddresses ?? null;
  one.Address = farAddress(one.Address, one.TaggedAddresses);
  one.ServiceAddress = farServiceAddress(one.ServiceAddress, tagged);
  one.ServicePort = farPort(one.ServicePort, tagged);
}

function oneNode(body: OneNode<Record<string, NodeService> | NodeService[]> | null): void {
  if (body?.Node) node(body.Node);
  Object.values(body?.Services ?? {}).forEach(service);
}
