// `acl role read`.

import { pathEscape } from "../../../api.ts";
import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { readRole, roleId } from "../find.ts";
import { roleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Role } from "../types.ts";

export default command({
  usage: ["acl role read [options] ROLE"],
  about: `
Prints a role.

    $ consul acl role read -name my-role`,
  asks: "servers",
  flags: {
    ...showFlags,
    id: textFlag("ID of the role, or the beginning of one."),
    name: textFlag("Name of the role."),
  },
  async run(call) {
    const { id: given, name } = call.flags;
    if (given === "" && name === "") {
      throw new Failure("Must specify either the -id or -name parameters");
    }
    const role = given === "" ? await byName(call.api, name) : await byId(call.api, given);
    show(call, outputFormat(call), roleKind, role);
  },
});

type Api = Parameters<typeof readRole>[0];

async function byId(api: Api, given: string): Promise<Role> {
  const id = await roleId(api, given).catch(failing("Error determining role ID"));
  const role = await readRole(api, id).catch(failing(`Error reading role "${id}"`));
  if (role) return role;
  throw new Failure(`Role not found with ID "${id}"`);
}

async function byName(api: Api, name: string): Promise<Role> {
  const answer = await api
    .find(`/v1/acl/role/name/${pathEscape(name)}`)
    .catch(failing(`Error reading role "${name}"`));
  if (answer) return answer.json<Role>();
  throw new Failure(`Role not found with name "${name}"`);
}
