// `catalog nodes`: a table of nodes, all of them or those that offer a service.

import { sortedKeys } from "../../../core/model/json.ts";
import { pathEscape } from "../../api.ts";
import { expectAtMost } from "../../arguments.ts";
import { columns } from "../../columns.ts";
import { type Call, command, failing } from "../../command.ts";
import { type FlagTable, mapFlag, switchFlag, textFlag } from "../../flags.ts";

const flags = {
  detailed: switchFlag("Print whole IDs, tagged addresses and metadata, too."),
  filter: textFlag("Expression that nodes must match."),
  near: textFlag(
    "Sort by the estimated round trip from the node of this name, or from the agent's own for " +
      '"_agent".',
  ),
  "node-meta": mapFlag("Metadata that nodes must have. May be given several times.", "key=value"),
  service: textFlag("Only nodes that offer this service.", "", "id or name"),
} satisfies FlagTable;

interface Node {
  ID: string;
  Node: string;
  Address: string;
  Datacenter: string;
  TaggedAddresses: Record<string, string> | null;
  Meta: Record<string, string> | null;
}

/** Of an instance, whose own metadata stand beside those of its node. */
type Instance = Omit<Node, "Meta"> & { NodeMeta: Record<string, string> | null };

export default command({
  usage: ["catalog nodes [options]"],
  about: `
Lists the nodes of a datacenter.

    $ consul catalog nodes

    $ consul catalog nodes -detailed

    $ consul catalog nodes -service=web

    $ consul catalog nodes -node-meta="foo=bar" -near=_agent`,
  asks: "servers",
  flags,
  async run(call) {
    expectAtMost(0, call.args);
    const nodes = await nodesOf(call);
    if (nodes.length === 0) {
      call.complain("No nodes match the given query - try expanding your search.");
    } else call.print(columns(call.flags.detailed ? detailed(nodes) : plain(nodes)));
  },
});

async function nodesOf({ api, flags: options }: Call<typeof flags>): Promise<readonly Node[]> {
  const { filter, near, service } = options;
  const pairs = Object.entries(options["node-meta"]).map(([key, value]) => `${key}:${value}`);
  const query = {
    ...(filter !== "" && { filter }),
    ...(near !== "" && { near }),
    ...(pairs.length > 0 && { "node-meta": pairs }),
  };
  if (service === "") {
    const answer = await api
      .get("/v1/catalog/nodes", { query })
      .catch(failing("Error listing nodes"));
    return answer.json<Node[]>();
  }
  const answer = await api
    .get(`/v1/catalog/service/${pathEscape(service)}`, { query })
    .catch(failing("Error listing nodes for service"));
  return answer.json<Instance[]>().map((one) => ({ ...one, Meta: one.NodeMeta }));
}

function plain(nodes: readonly Node[]): string[][] {
  const rows = nodes.map(({ Node, ID, Address, Datacenter }) => [
    Node,
    ID.slice(0, 8),
    Address,
    Datacenter,
  ]);
  return [["Node", "ID", "Address", "DC"], ...rows];
}

function detailed(nodes: readonly Node[]): string[][] {
  const rows = nodes.map((node) => [
    node.Node,
    node.ID,
    node.Address,
    node.Datacenter,
    pairsText(node.TaggedAddresses),
    pairsText(node.Meta),
  ]);
  return [["Node", "ID", "Address", "DC", "TaggedAddresses", "Meta"], ...rows];
}

function pairsText(map: Readonly<Record<string, string>> | null): string {
  const pairs = map ?? {};
  return sortedKeys(pairs)
    .map((key) => `${key}=${pairs[key]}`)
    .join(", ");
}
