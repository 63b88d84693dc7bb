// `acl role create`.

import { misused } from "../../../arguments.ts";
import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { grantFlags, grantsNothing, identities, policyLinks } from "../grants.ts";
import { roleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Role } from "../types.ts";

export default command({
  usage: ["acl role create -name NAME [options]"],
  about: `
Creates a role and prints it.

    $ consul acl role create -name "new" -policy-name "operators"

    $ consul acl role create -name "web" -service-identity "web:east,west"`,
  asks: "servers",
  flags: {
    ...showFlags,
    ...grantFlags,
    description: textFlag("What the role is for."),
    name: textFlag("Name of the role. Required."),
  },
  async run(call) {
    const { api, flags: given } = call;
    if (given.name === "") throw misused(call, "Missing require '-name' flag", "\n");
    if (grantsNothing(given)) {
      throw new Failure(
        "Cannot create a role without specifying -policy-name, -policy-id, " +
          "-service-identity, or -node-identity at least once",
      );
    }
    const format = outputFormat(call);
    const body = {
      Name: given.name,
      Description: given.description,
      Policies: await policyLinks(api, given),
      ...identities(given),
    };
    const answer = await api
      .put("/v1/acl/role", { body })
      .catch(failing("Failed to create new role"));
    show(call, format, roleKind, answer.json<Role>());
  },
});
