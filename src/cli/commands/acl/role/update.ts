// `acl role update`.

import { pathEscape } from "../../../api.ts";
import { type Call, command, Failure, failing } from "../../../command.ts";
import { type FlagTable, switchFlag, textFlag } from "../../../flags.ts";
import { readRole, roleId } from "../find.ts";
import {
  grantFlags,
  identities,
  isSameLink,
  isSameNode,
  isSameService,
  merged,
  policyLinks,
} from "../grants.ts";
import { roleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Role } from "../types.ts";

const flags = {
  ...showFlags,
  ...grantFlags,
  description: textFlag("What the role is for."),
  id: textFlag("ID of the role, or the beginning of one. Required."),
  name: textFlag("Name of the role."),
  "no-merge": switchFlag("Replace everything but the ID, also what no flag names."),
} satisfies FlagTable;

export default command({
  usage: ["acl role update [options]"],
  about: `
Changes a role. What flags grant is added to what it has, unless -no-merge says otherwise.

    $ consul acl role update -id abcd -service-identity "web"`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (given.id === "") {
      throw new Failure("Cannot update a role without specifying the -id parameter");
    }
    const id = await roleId(api, given.id).catch(failing("Error determining role ID"));
    const format = outputFormat(call);
    const before = await readRole(api, id).catch(failing("Error when retrieving current role"));
    if (!before) throw new Failure(`Role not found with ID "${id}"`);
    const body = await changed(call, before);
    const answer = await api
      .put(`/v1/acl/role/${pathEscape(id)}`, { body })
      .catch(failing(`Error updating role "${id}"`));
    show(call, format, roleKind, answer.json<Role>());
  },
});

async function changed({ api, flags: given }: Call<typeof flags>, before: Role): Promise<object> {
  const granted = identities(given);
  const policies = await policyLinks(api, given);
  if (given["no-merge"]) {
    return {
      ID: before.ID,
      Name: given.name,
      Description: given.description,
      Policies: policies,
      ...granted,
    };
  }
  return {
    ...before,
    ...(given.name !== "" && { Name: given.name }),
    ...(given.description !== "" && { Description: given.description }),
    Policies: merged(before.Policies, policies, isSameLink),
    ServiceIdentities: merged(before.ServiceIdentities, granted.ServiceIdentities, isSameService),
    NodeIdentities: merged(before.NodeIdentities, granted.NodeIdentities, isSameNode),
  };
}
