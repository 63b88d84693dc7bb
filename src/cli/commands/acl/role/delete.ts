// `acl role delete`.

import { pathEscape } from "../../../api.ts";
import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { roleId, roleIdByName } from "../find.ts";

export default command({
  usage: ["acl role delete [options] -id ROLE"],
  about: `
Deletes a role.

    $ consul acl role delete -id b6b85`,
  asks: "servers",
  flags: {
    ...namespaceFlag,
    id: textFlag("ID of the role, or the beginning of one."),
    name: textFlag("Name of the role."),
  },
  async run({ api, flags: { id: given, name }, print }) {
    if (given === "" && name === "") {
      throw new Failure("Must specify the -id or -name parameters");
    }
    const found = given === "" ? roleIdByName(api, name) : roleId(api, given);
    const id = await found.catch(failing("Error determining role ID"));
    await api
      .delete(`/v1/acl/role/${pathEscape(id)}`)
      .catch(failing(`Error deleting role "${id}"`));
    print(`Role "${id}" deleted successfully`);
  },
});
