// `services register`: registers services with the agent, from files or one from flags.

import { type Call, command, Failure, failing } from "../../command.ts";
import { type Definition, definitionsIn } from "../../definition-files.ts";
import { type FlagTable, intFlag, listFlag, mapFlag, textFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";

const flags = {
  ...namespaceFlag,
  address: textFlag("Address of the service; by default that of the node."),
  id: textFlag("ID of the service; by default its name."),
  kind: textFlag("Kind of the service, for proxies and gateways."),
  meta: mapFlag("Metadata as key=value. May be given several times."),
  name: textFlag("Name of the service."),
  port: intFlag("Port of the service."),
  tag: listFlag("A tag of the service. May be given several times."),
  "tagged-address": mapFlag("An address as tag=host:port. May be given several times."),
} satisfies FlagTable;

export default command({
  usage: ["services register [options] [FILE...]"],
  about: `
Registers services with the agent: those in configuration files, HCL or JSON, or the one that flags
describe. Whoever registers a service has to deregister it.

    $ consul services register web.json

    $ consul services register -name=web -port=80`,
  asks: "servers",
  flags,
  async run(call) {
    for (const service of servicesFrom(call)) {
      await call.api
        .put("/v1/agent/service/register", { body: service.body })
        .catch(failing(`Error registering service ${JSON.stringify(service.name)}`));
      call.print(`Registered service: ${service.name}`);
    }
  },
});

function servicesFrom({ args, flags: options, complain }: Call<typeof flags>): Definition[] {
  if (args.length === 0 && options.name === "") {
    throw new Failure("Service registration requires at least one argument or flags.");
  }
  if (args.length > 0 && options.name !== "") {
    throw new Failure("Service registration requires arguments or -id, not both.");
  }
  if (args.length > 0) return definitionsIn(args, complain);
  const { address, id, kind, meta, name, port, tag } = options;
  const service = {
    Name: name,
    ...(id !== "" && { ID: id }),
    ...(kind !== "" && { Kind: kind }),
    ...(tag.length > 0 && { Tags: tag }),
    ...(Object.keys(meta).length > 0 && { Meta: meta }),
    ...(address !== "" && { Address: address }),
    ...(port !== 0 && { Port: port }),
    TaggedAddresses: taggedAddresses(options["tagged-address"]),
  };
  return [{ id, name, body: JSON.stringify(service) }];
}

function taggedAddresses(given: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(given).map(([tag, text]) => [tag, hostAndPort(text)] as const),
  );
}

function hostAndPort(text: string): { Address: string; Port: number } {
  const [, host, port] =
    /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (host !== undefined && port !== undefined) return { Address: host, Port: Number(port) };
  const problem = !text.includes(":") ? "missing port in address" : "invalid address or port";
  throw new Failure(`Invalid Tagged Address: address ${text}: ${problem}`);
}
