// `services deregister`: removes services from the agent, those in files or one by its ID.

import { pathEscape } from "../../api.ts";
import { type Call, command, Failure, failing } from "../../command.ts";
import { definitionsIn } from "../../definition-files.ts";
import { type FlagTable, textFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";

const flags = {
  ...namespaceFlag,
  id: textFlag("ID of the service. Not together with files."),
} satisfies FlagTable;

export default command({
  usage: ["services deregister [options] [FILE...]"],
  about: `
Removes services from the agent that they were registered with: those in configuration files, or
the one of an ID.

    $ consul services deregister web.json db.json

    $ consul services deregister -id=web`,
  asks: "servers",
  flags,
  async run(call) {
    for (const { id, name } of servicesFrom(call)) {
      await call.api
        .put(`/v1/agent/service/deregister/${pathEscape(id)}`)
        .catch(failing(`Error registering service ${JSON.stringify(name)}`));
      call.print(`Deregistered service: ${id}`);
    }
  },
});

function servicesFrom({ args, flags: { id }, complain }: Call<typeof flags>) {
  if (args.length === 0 && id === "") {
    throw new Failure("Service deregistration requires at least one argument or -id.");
  }
  if (args.length > 0 && id !== "") {
    throw new Failure("Service deregistration requires arguments or -id, not both.");
  }
  if (id !== "") return [{ id, name: "" }];
  return definitionsIn(args, complain).map((one) => ({ id: one.id || one.name, name: one.name }));
}
