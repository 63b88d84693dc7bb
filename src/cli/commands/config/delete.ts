// `config delete`: removes a configuration entry.

import { command, failing } from "../../command.ts";
import { entryFlags, entryNameFrom, entryPath } from "./entries.ts";

export default command({
  usage: ["config delete [options] -kind <config kind> -name <config name>"],
  about: `
Deletes a configuration entry. That there is no such entry is no error.

    $ consul config delete -kind service-defaults -name web`,
  asks: "servers",
  flags: entryFlags,
  async run(call) {
    const entry = entryNameFrom(call);
    const title = `${entry.kind}/${entry.name}`;
    await call.api.delete(entryPath(entry)).catch(failing(`Error deleting config entry ${title}`));
    call.print(`Config entry deleted: ${title}`);
  },
});
