// `config list`: names of the configuration entries of a kind.

import { pathEscape } from "../../api.ts";
import { command, Failure, failing } from "../../command.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { kindFlag } from "./entries.ts";

export default command({
  usage: ["config list [options] -kind <config kind>"],
  about: `
Lists the configuration entries of a kind by name.

    $ consul config list -kind service-defaults`,
  asks: "servers",
  flags: { ...namespaceFlag, ...kindFlag },
  async run({ api, flags: { kind }, print }) {
    if (kind === "") throw new Failure("Must specify the -kind parameter");
    const answer = await api
      .get(`/v1/config/${pathEscape(kind)}`)
      .catch(failing(`Error listing config entries for kind "${kind}"`));
    for (const { Name: name } of answer.json<{ Name: string }[]>()) print(name);
  },
});
