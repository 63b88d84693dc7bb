// `catalog services`: names of services, of a datacenter or of one node.

import { compareText, sortedKeys } from "../../../core/model/json.ts";
import { pathEscape } from "../../api.ts";
import { expectAtMost } from "../../arguments.ts";
import { columns } from "../../columns.ts";
import { type Call, command, failing } from "../../command.ts";
import { type FlagTable, mapFlag, switchFlag, textFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";

const flags = {
  ...namespaceFlag,
  node: textFlag("Only services of this node.", "", "id or name"),
  "node-meta": mapFlag(
    "Only services on nodes that have these metadata. May be given several times.",
    "key=value",
  ),
  tags: switchFlag("Print the tags of each service beside it."),
} satisfies FlagTable;

interface NodeServices {
  Services: Record<string, { Service: string; Tags: string[] | null }>;
}

export default command({
  usage: ["catalog services [options]"],
  about: `
Lists the services of a datacenter.

    $ consul catalog services

    $ consul catalog services -tags

    $ consul catalog services -node=web`,
  asks: "servers",
  flags,
  async run(call) {
    expectAtMost(0, call.args);
    const services = await servicesOf(call);
    const names = sortedKeys(services);
    if (names.length === 0) {
      call.complain("No services match the given query - try expanding your search.");
    } else if (call.flags.tags) {
      const rows = names.map((name) => [name, tagsText(services[name] ?? [])]);
      call.print(columns(rows, { gap: "      " }).trim());
    } else for (const name of names) call.print(name);
  },
});

async function servicesOf(call: Call<typeof flags>): Promise<Record<string, readonly string[]>> {
  const { api, flags: options } = call;
  if (options.node !== "") return await servicesOfNode(call);
  const pairs = Object.entries(options["node-meta"]).map(([key, value]) => `${key}:${value}`);
  const query = pairs.length > 0 ? { "node-meta": pairs } : {};
  const answer = await api
    .get("/v1/catalog/services", { query })
    .catch(failing("Error listing services"));
  return answer.json<Record<string, string[]>>();
}

async function servicesOfNode({ api, flags: { node } }: Call<typeof flags>) {
  const answer = await api
    .get(`/v1/catalog/node/${pathEscape(node)}`)
    .catch(failing("Error listing services for node"));
  const services: Record<string, readonly string[]> = {};
  const instances = answer.json<NodeServices | null>()?.Services ?? {};
  for (const { Service: name, Tags: tags } of Object.values(instances)) {
    services[name] = [...(services[name] ?? []), ...(tags ?? [])];
  }
  return services;
}

function tagsText(tags: readonly string[]): string {
  return tags.toSorted(compareText).join(",");
}
