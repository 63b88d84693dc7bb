// `config read`: one configuration entry as JSON.

import { isConfigKind } from "../../../core/model/config-entry/schemas.ts";
import { command, Failure, failing } from "../../command.ts";
import { indentedJson } from "../../json.ts";
import { entryFlags, entryNameFrom, entryPath } from "./entries.ts";

export default command({
  usage: ["config read [options] -kind <config kind> -name <config name>"],
  about: `
Prints a configuration entry as JSON.

    $ consul config read -kind proxy-defaults -name global`,
  asks: "servers",
  flags: entryFlags,
  async run(call) {
    const entry = entryNameFrom(call);
    const context = `Error reading config entry ${entry.kind}/${entry.name}`;
    if (!isConfigKind(entry.kind)) {
      throw new Failure(`${context}: invalid config entry kind: ${entry.kind}`);
    }
    const answer = await call.api.get(entryPath(entry)).catch(failing(context));
    call.print(indentedJson(answer.json(), "    "));
  },
});
