// `acl auth-method read`.

import { command, Failure } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { methodKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import { readMethod } from "./fields.ts";

export default command({
  usage: ["acl auth-method read -name NAME [options]"],
  about: `
Prints an auth method.

    $ consul acl auth-method read -name my-k8s`,
  asks: "servers",
  flags: { ...showFlags, name: textFlag("Name of the auth method.") },
  async run(call) {
    const { name } = call.flags;
    if (name === "") throw new Failure("Must specify the -name parameter");
    show(call, outputFormat(call), methodKind, await readMethod(call.api, name));
  },
});
